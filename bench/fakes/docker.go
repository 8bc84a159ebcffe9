package fakes

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"

	"github.com/proxychaos/proxychaos/bench/gen"
	"github.com/proxychaos/proxychaos/bench/lab"
	"github.com/proxychaos/proxychaos/harness/engine"
	"github.com/proxychaos/proxychaos/harness/images"
)

// dockerSwitch is a container, fakedns with its control API as an HTTP server,
// on a network of its own. remove takes away what was made, whatever failed.
func dockerSwitch(ctx context.Context, l *lab.Lab) (s switcher, remove func()) {
	s = switcher{who: "docker network disconnect", tries: dockerTries}
	b := &box{}
	if s.err = b.start(ctx, l); s.err != nil {
		s.err = fmt.Errorf("container: %w", s.err)
		return s, b.remove
	}
	s.version = b.version
	s.probe = gen.Answers(b.url)
	s.fail, s.restore = b.disconnect, b.connect
	return s, b.remove
}

// box is the container.
type box struct {
	cli          *client.Client
	version, url string
	network, id  string
	settings     *network.EndpointSettings
}

func (b *box) start(ctx context.Context, l *lab.Lab) error {
	e, err := engine.Ensure(ctx, l.Progress)
	if err != nil {
		return err
	}
	if b.cli, err = e.Client(); err != nil {
		return err
	}
	b.version = e.Version
	ref, err := images.New(b.cli, l.Progress, nil).Kit(ctx, l.Binary)
	if err != nil {
		return err
	}
	addr, err := b.createNetwork(ctx)
	if err != nil {
		return err
	}
	control := netip.AddrPortFrom(addr, 8053).String()
	b.url = "http://" + control + "/v1/version"
	b.settings = &network.EndpointSettings{IPAMConfig: &network.EndpointIPAMConfig{IPv4Address: addr}}
	created, err := b.cli.ContainerCreate(ctx, client.ContainerCreateOptions{
		Config:           &container.Config{Image: ref, Cmd: []string{"fakedns", "--listen", "127.0.0.1:0", "--control", control}},
		NetworkingConfig: &network.NetworkingConfig{EndpointsConfig: map[string]*network.EndpointSettings{b.network: b.settings}},
	})
	if err != nil {
		return err
	}
	b.id = created.ID
	if _, err := b.cli.ContainerStart(ctx, b.id, client.ContainerStartOptions{}); err != nil {
		return err
	}
	return gen.Serves(ctx, gen.Answers(b.url))
}

// createNetwork makes a network on a free /24 of the range for benchmarks (RFC
// 2544), from its end, because testbeds begin at its start, and returns an
// address in it.
func (b *box) createNetwork(ctx context.Context) (netip.Addr, error) {
	name := fmt.Sprintf("proxychaos-bench-%d", os.Getpid())
	var failed error
	for third := 255; third > 240; third-- {
		subnet := netip.PrefixFrom(netip.AddrFrom4([4]byte{198, 19, byte(third), 0}), 24)
		_, err := b.cli.NetworkCreate(ctx, name, client.NetworkCreateOptions{
			Internal: true, IPAM: &network.IPAM{Config: []network.IPAMConfig{{Subnet: subnet}}},
		})
		if err == nil {
			b.network = name
			return subnet.Addr().Next().Next(), nil
		}
		failed = err
	}
	return netip.Addr{}, fmt.Errorf("no free network in 198.19.240.0/20: %w", failed)
}

func (b *box) disconnect(ctx context.Context) error {
	_, err := b.cli.NetworkDisconnect(ctx, b.network, client.NetworkDisconnectOptions{Container: b.id, Force: true})
	return err
}

func (b *box) connect(ctx context.Context) error {
	_, err := b.cli.NetworkConnect(ctx, b.network, client.NetworkConnectOptions{Container: b.id, EndpointConfig: b.settings})
	return err
}

func (b *box) remove() {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	var errs []error
	if b.id != "" {
		_, err := b.cli.ContainerRemove(ctx, b.id, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
		errs = append(errs, err)
	}
	if b.network != "" {
		_, err := b.cli.NetworkRemove(ctx, b.network, client.NetworkRemoveOptions{})
		errs = append(errs, err)
	}
	if b.cli != nil {
		errs = append(errs, b.cli.Close())
	}
	if err := errors.Join(errs...); err != nil {
		fmt.Fprintln(os.Stderr, "remove the benchmark's container:", err)
	}
}
