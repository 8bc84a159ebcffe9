package testbed

import (
	"context"
	"fmt"
	"os"
	"strconv"

	"github.com/moby/moby/api/types/container"
	"github.com/testcontainers/testcontainers-go"
	tcnetwork "github.com/testcontainers/testcontainers-go/network"

	"github.com/proxychaos/proxychaos/harness/renew"
)

// agent is one of our own containers.
type agent struct {
	name         string
	host         int
	image        string
	args         []string
	capabilities []string
	sysctls      map[string]string
	volumes      map[string]struct{} // folders that other containers can be given a part of
}

// podSockets is where the pod has the sockets that are given to the proxy's container.
const podSockets = "/run/proxychaos"

// podSysctls are the kernel's settings in the proxy's network namespace.
func podSysctls(scaled bool) map[string]string {
	settings := map[string]string{}
	if scaled {
		// The kernel's patience, scaled like the TTL: a connect that gets no answer
		// fails with ETIMEDOUT after 127 s on a stock Linux, after 3 s with one
		// retry, the least that can be set (measured on kernel 6.18).
		settings["net.ipv4.tcp_syn_retries"] = "1"
	}
	// Resolvers have IPv6 addresses too. It is on for lo alone: the C library asks for
	// AAAA records if there is another IPv6 address than ::1. The engine is on this
	// machine, so this kernel is the containers'.
	const onLo = "net.ipv6.conf.lo.disable_ipv6"
	if _, err := os.Stat("/proc/sys/net/ipv6/conf/lo/disable_ipv6"); err == nil {
		settings[onLo] = "0"
	}
	// A proxy may listen on an address of the machine that its configuration is from. The
	// agent gives it that address once it listens there.
	for _, family := range []string{"ipv4", "ipv6"} {
		if _, err := os.Stat("/proc/sys/net/" + family + "/ip_nonlocal_bind"); err == nil {
			settings["net."+family+".ip_nonlocal_bind"] = "1"
		}
	}
	return settings
}

func podAgent(spec Spec, host int) agent {
	args := []string{"pod", "--control", listenAny, "--seed", strconv.FormatUint(spec.Seed, 10), "--sockets", podSockets}
	if spec.ResolvConf != "" {
		args = append(args, "--resolv-conf", spec.ResolvConf)
	}
	return agent{
		name: "pod", host: host, image: spec.Kit, args: args,
		volumes: map[string]struct{}{podSockets: {}},
		// NET_ADMIN routes what is sent to resolvers; SYS_PTRACE reads which of the
		// proxy's processes holds which socket. NET_RAW is not needed.
		capabilities: []string{"NET_ADMIN", "NET_BIND_SERVICE", "SYS_PTRACE", "DAC_READ_SEARCH"},
		sysctls:      podSysctls(spec.Scaled),
	}
}

func loadAgent(spec Spec) agent {
	a := agent{name: "load", host: hostLoad, image: spec.Kit, args: []string{"load", "--control", listenAny}}
	if spec.IPv6 {
		// It calls the proxy over IPv4. Docker gives it a way out of an internal network in
		// IPv6, which it has no capability to take away.
		a.sysctls = map[string]string{"net.ipv6.conf.all.disable_ipv6": "1"}
	}
	return a
}

func albAgent(spec Spec) agent {
	return agent{
		name: "fakealb", host: hostALB, image: spec.Kit,
		args: []string{"fakealb", "--control", listenAny, "--network", "nftables", "--interface", "eth0", "--any-port"},
		// NET_ADMIN adds and filters node addresses; NET_RAW announces them
		// and captures packets before the filter.
		capabilities: []string{"NET_ADMIN", "NET_RAW", "NET_BIND_SERVICE"},
	}
}

// listenAny is safe for a control API here: the network is internal and the
// testbed's own.
var listenAny = fmt.Sprintf("0.0.0.0:%d", controlPort)

// run starts one agent. The container is returned also with an error if
// one was created.
func (tb *Testbed) run(ctx context.Context, a agent) (testcontainers.Container, error) {
	c, err := testcontainers.Run(ctx, a.image,
		testcontainers.WithEntrypoint("/proxychaos"),
		testcontainers.WithCmd(append([]string{renew.Name, "1"}, a.args...)...),
		testcontainers.WithLabels(tb.labels),
		tcnetwork.WithNetwork(nil, tb.network),
		tb.endpoint(a.host),
		testcontainers.WithConfigModifier(func(c *container.Config) { c.Volumes = a.volumes }),
		testcontainers.WithHostConfigModifier(func(hc *container.HostConfig) {
			hc.CapDrop = []string{"ALL"}
			hc.CapAdd = a.capabilities
			hc.Sysctls = a.sysctls
			hc.CPUShares = cellShares
		}),
	)
	if c == nil {
		if err != nil {
			err = fmt.Errorf("starting the %s agent: %w", a.name, err)
		}
		return nil, err // a typed nil pointer must not become a Container
	}
	if err != nil {
		return c, fmt.Errorf("starting the %s agent: %w", a.name, err)
	}
	return c, nil
}
