package nlb

import (
	"net/netip"
	"testing"
)

// A flow of the same ends and number lands on the same target; a fresh source
// port may land on any.
func TestFlowHash(t *testing.T) {
	t.Attr("aws-fact", "4.1")
	const fnv1a = 0x176e464bc80f0a99 // of c0000207 a028 c6336401 01bb 0000000000000001
	if got := flowHash(aClient, aNode, 1); got != fnv1a {
		t.Errorf("got %#x, want %#x whenever the same flow comes", got, uint64(fnv1a))
	}
	for what, other := range map[string]uint64{
		"source port":     flowHash(netip.AddrPortFrom(aClient.Addr(), 41001), aNode, 1),
		"source":          flowHash(netip.AddrPortFrom(netip.MustParseAddr("192.0.2.8"), 41000), aNode, 1),
		"node":            flowHash(aClient, netip.AddrPortFrom(netip.MustParseAddr("198.51.100.2"), 443), 1),
		"port":            flowHash(aClient, netip.AddrPortFrom(aNode.Addr(), 80), 1),
		"sequence number": flowHash(aClient, aNode, 2),
	} {
		if other == flowHash(aClient, aNode, 1) {
			t.Errorf("another %s has the same hash", what)
		}
	}
	const targets, flows = 3, 3000
	var count [targets]int
	for port := range flows {
		count[flowHash(netip.AddrPortFrom(aClient.Addr(), uint16(20000+port)), aNode, uint64(port))%targets]++
	}
	for i, n := range count {
		if n < flows/targets*8/10 || n > flows/targets*12/10 {
			t.Errorf("target %d got %d of %d flows, want about a third: %v", i, n, flows, count)
		}
	}
}
