package engine

import (
	"context"
	"fmt"
	"net"
	"net/netip"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"
)

// bridgeName is the option of a bridge network that names its interface on the machine.
const bridgeName = "com.docker.network.bridge.name"

// Here says why the engine's containers cannot be reached from this process, which talks
// to the agents in them: the engine's networks have to be in the network namespace of
// this process. Those of an engine in a virtual machine (Docker Desktop) or without root
// are not, and a process in a container has a network of its own. The error wraps
// ErrNoEngine.
func (e Engine) Here(ctx context.Context) error {
	cli, err := e.Client()
	if err != nil {
		return err
	}
	defer func() { _ = cli.Close() }()
	got, err := cli.NetworkInspect(ctx, "bridge", client.NetworkInspectOptions{})
	if err != nil && !errdefs.IsNotFound(err) {
		return fmt.Errorf("ask the engine at %s for its networks: %w", e.Host, err)
	}
	if err == nil {
		for _, c := range got.Network.IPAM.Config {
			if hasAddress(got.Network.Options[bridgeName], c.Subnet) {
				return nil
			}
		}
	}
	return fmt.Errorf("%w: the one at %s has its networks elsewhere: in a container, run proxychaos with --network=host; Docker Desktop, Podman and an engine without root cannot be used", ErrNoEngine, e.Host)
}

// hasAddress says whether an interface of this process has an address of a subnet.
func hasAddress(name string, subnet netip.Prefix) bool {
	found, err := net.InterfaceByName(name)
	if err != nil {
		return false
	}
	addrs, err := found.Addrs()
	if err != nil {
		return false
	}
	for _, addr := range addrs {
		if p, err := netip.ParsePrefix(addr.String()); err == nil && subnet.Contains(p.Addr()) {
			return true
		}
	}
	return false
}
