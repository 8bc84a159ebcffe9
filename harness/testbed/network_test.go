package testbed

import (
	"net/netip"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/harness/world"
)

func TestSubnetsAreThoseForBenchmarks(t *testing.T) {
	g := NewWithT(t)
	whole := netip.MustParsePrefix("198.18.0.0/15")
	seen := map[netip.Prefix]bool{}
	for n := range subnets {
		p := subnet(n)
		g.Expect(p.Bits()).To(Equal(24))
		g.Expect(whole.Contains(p.Addr())).To(BeTrue(), p.String())
		g.Expect(seen[p]).To(BeFalse(), p.String())
		seen[p] = true
	}
	g.Expect(subnet(subnets)).To(Equal(subnet(0)), "a start beyond the last goes round")
	g.Expect(subnet(subnets*8 + 256).String()).To(Equal("198.19.0.0/24"))
}

func TestParts(t *testing.T) {
	g := NewWithT(t)
	p := netip.MustParsePrefix("198.19.7.0/24")
	g.Expect(upperHalf(p).String()).To(Equal("198.19.7.128/25"))
	g.Expect(gateway(p).String()).To(Equal("198.19.7.1"))
	tb := &Testbed{Subnet: p}
	for _, n := range []int{hostPod, hostLoad, hostALB, firstNode, firstNode + world.Literal*21 - 1} {
		g.Expect(upperHalf(p).Contains(tb.host(n))).To(BeFalse(), "Docker must not hand out host %d", n)
	}
	seat := &Seat{tb: tb, host: hostPod}
	g.Expect(seat.ProxyAddress(4000).String()).To(Equal("198.19.7.2:4000"))
}

// Beside each IPv4 network is an IPv6 one of its own.
func TestIPv6SubnetsAreThoseForBenchmarks(t *testing.T) {
	g := NewWithT(t)
	whole := netip.MustParsePrefix("2001:2::/48")
	seen := map[netip.Prefix]bool{}
	for n := range subnets {
		p := subnet6(subnet(n))
		g.Expect(p.Bits()).To(Equal(64))
		g.Expect(whole.Contains(p.Addr())).To(BeTrue(), p.String())
		g.Expect(seen[p]).To(BeFalse(), p.String())
		seen[p] = true
	}
	tb := &Testbed{Subnet: subnet(0), Subnet6: subnet6(subnet(0))}
	g.Expect(tb.Node6(0).String()).To(Equal("2001:2:0:1200::15"))
	g.Expect(tb.host6(hostPod)).NotTo(Equal(gateway(tb.Subnet6)))
}

// A subnet that this machine routes already is not taken, however the two
// overlap.
func TestOverlapsAny(t *testing.T) {
	for name, tc := range map[string]struct {
		route string
		want  bool
	}{
		"the same":    {"198.18.5.0/24", true},
		"around it":   {"198.18.0.0/15", true},
		"within it":   {"198.18.5.64/26", true},
		"one address": {"198.18.5.7/32", true},
		"beside it":   {"198.18.6.0/24", false},
		"elsewhere":   {"10.0.0.0/8", false},
	} {
		t.Run(name, func(t *testing.T) {
			taken := []netip.Prefix{netip.MustParsePrefix("172.17.0.0/16"), netip.MustParsePrefix(tc.route)}
			NewWithT(t).Expect(overlapsAny(subnet(5), taken)).To(Equal(tc.want))
		})
	}
}

// The default route overlaps everything and must not count.
func TestRoutesOfThisMachine(t *testing.T) {
	g := NewWithT(t)
	taken, err := routes()
	g.Expect(err).NotTo(HaveOccurred())
	for _, p := range taken {
		g.Expect(p.Bits()).To(BeNumerically(">", 0))
	}
}
