package testbed

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"

	"github.com/moby/moby/api/types/network"
	"github.com/testcontainers/testcontainers-go"
	tcnetwork "github.com/testcontainers/testcontainers-go/network"
)

// The /24s of 198.18.0.0/15, the range set aside for benchmarks (RFC 2544):
// nobody routes it, and Docker's own pools, which end after 30 networks, are
// left alone.
const subnets = 512

func subnet(n int) netip.Prefix {
	n %= subnets
	return netip.PrefixFrom(netip.AddrFrom4([4]byte{198, byte(18 + n/256), byte(n % 256), 0}), 24)
}

// subnet6 is the IPv6 network beside an IPv4 one, in 2001:2::/48, the range set aside for
// benchmarks (RFC 5180). Private addresses would not do: programs prefer IPv4 to those
// (RFC 6724), and a load balancer has none.
func subnet6(of netip.Prefix) netip.Prefix {
	v4 := of.Addr().As4()
	return netip.PrefixFrom(netip.AddrFrom16([16]byte{0x20, 0x01, 0, 2, 6: v4[1], 7: v4[2]}), 64)
}

// ErrNoIPv6 says that a cell needs IPv6 and cannot have it here.
var ErrNoIPv6 = errors.New("the cell needs IPv6 between proxy and nodes, and there is none here")

// hasIPv6 is ErrNoIPv6 if this machine, on which the engine is, has none.
func hasIPv6() error {
	if _, err := os.Stat("/proc/sys/net/ipv6"); err != nil {
		return fmt.Errorf("%w: this kernel has none (/proc/sys/net/ipv6 is missing), as with ipv6.disable=1 on its command line", ErrNoIPv6)
	}
	return nil
}

// createNetwork makes an internal network, without a route out, on the first
// free subnet from the start-th on.
func (tb *Testbed) createNetwork(ctx context.Context, start int, ipv6 bool) error {
	if ipv6 {
		if err := hasIPv6(); err != nil {
			return err
		}
	}
	taken, err := routes()
	if err != nil {
		return err
	}
	for i := range subnets {
		want := subnet(start + i)
		if overlapsAny(want, taken) {
			continue
		}
		options, pools := []tcnetwork.NetworkCustomizer{tcnetwork.WithInternal(), tcnetwork.WithLabels(tb.labels)},
			[]network.IPAMConfig{{Subnet: want, IPRange: upperHalf(want), Gateway: gateway(want)}}
		if ipv6 {
			options = append(options, tcnetwork.WithEnableIPv6())
			pools = append(pools, network.IPAMConfig{Subnet: subnet6(want), Gateway: gateway(subnet6(want))})
		}
		net, err := tcnetwork.New(ctx, append(options, tcnetwork.WithIPAM(&network.IPAM{Config: pools}))...)
		if net != nil {
			tb.network = net
		}
		if err != nil {
			if strings.Contains(err.Error(), "Pool overlaps") {
				continue
			}
			err = fmt.Errorf("creating the testbed's network %s: %w", want, err)
			if ipv6 {
				err = fmt.Errorf("%w: the engine makes no network with it: %w", ErrNoIPv6, err)
			}
			return err
		}
		if tb.Subnet = want; ipv6 {
			tb.Subnet6 = subnet6(want)
		}
		return nil
	}
	return errors.New("no free /24 in 198.18.0.0/15 for a testbed: every one overlaps a route of this machine or a Docker network; remove networks that are left over (docker network ls)")
}

func overlapsAny(p netip.Prefix, taken []netip.Prefix) bool {
	for _, t := range taken {
		if p.Overlaps(t) {
			return true
		}
	}
	return false
}

func upperHalf(p netip.Prefix) netip.Prefix {
	b := p.Addr().As4()
	b[3] = 128
	return netip.PrefixFrom(netip.AddrFrom4(b), 25)
}

func gateway(p netip.Prefix) netip.Addr { return p.Addr().Next() }

// endpoint gives a container its fixed address on the testbed's network.
func (tb *Testbed) endpoint(host int) testcontainers.CustomizeRequestOption {
	return testcontainers.WithEndpointSettingsModifier(func(settings map[string]*network.EndpointSettings) {
		for _, s := range settings {
			s.IPAMConfig = &network.EndpointIPAMConfig{IPv4Address: tb.host(host)}
			if tb.Subnet6.IsValid() {
				s.IPAMConfig.IPv6Address = tb.host6(host)
			}
		}
	})
}
