package run

import (
	"maps"
	"net/netip"
	"testing"

	"github.com/proxychaos/proxychaos/harness/world"
)

// The proxy need not have tried its addresses in their order.
func TestRoutesFollowTheAddresses(t *testing.T) {
	literal := func(addr, node string) world.LiteralAddr {
		return world.LiteralAddr{Addr: netip.MustParseAddr(addr), Node: netip.MustParseAddr(node)}
	}
	got := routes([]world.LiteralAddr{
		literal("192.168.1.102", "198.18.0.31"), literal("192.168.1.103", "198.18.0.33"),
		literal("192.168.1.101", "198.18.0.32"), literal("192.168.1.104", "198.18.0.31"),
	})
	want := map[netip.Addr]string{
		netip.MustParseAddr("198.18.0.32"): "node1", netip.MustParseAddr("198.18.0.31"): "node2", netip.MustParseAddr("198.18.0.33"): "node3",
	}
	if !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
