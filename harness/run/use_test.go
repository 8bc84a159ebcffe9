package run

import (
	"net/netip"
	"testing"
	"time"

	"github.com/proxychaos/proxychaos/fakealb/record"
)

// A node is in use if a client's request went to it of late: not one that was asked
// before, not one that only a probe or a health check of the proxy asks.
func TestInUse(t *testing.T) {
	now := time.Now()
	node := func(n byte) netip.Addr { return netip.AddrFrom4([4]byte{198, 18, 0, n}) }
	peer := netip.MustParseAddrPort("198.18.0.2:40000")
	prober := netip.MustParseAddrPort("198.18.0.2:41000")
	used := inUse([]record.Attempt{
		{Node: node(21), Start: now.Add(-time.Minute), Peer: peer, Seq: "1"},
		{Node: node(22), Start: now.Add(-time.Second), Peer: peer, Seq: "2"},
		{Node: node(23), Start: now, Peer: peer, Seq: "3", Probe: true},
		{Node: node(24), Start: now, Peer: prober, Seq: "4"},
		{Node: node(25), Start: now, Peer: peer},
		{Node: node(21), Start: now.Add(-3 * time.Second), Peer: peer, Seq: "5"},
	}, now.Add(-2*time.Second), func(a netip.AddrPort) bool { return a == prober })
	for n := byte(21); n <= 26; n++ {
		if got, want := used(node(n)), n == 22; got != want {
			t.Errorf("node %s: got in use %t, want %t", node(n), got, want)
		}
	}
}
