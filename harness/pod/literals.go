package pod

import (
	"net/netip"
	"slices"
)

// LiteralsRequest says which nodes are behind the addresses of one family, IPv4 or IPv6,
// that the proxy connects to without asking DNS, such as 192.168.1.101 or 2001:db8::10:
// the first address that it tries gets the first node, and so on, and from the first node
// again.
type LiteralsRequest struct {
	// Network is the testbed's in that family: addresses in it are what they are.
	Network netip.Prefix `json:"network"`
	Nodes   []netip.Addr `json:"nodes"` // 1 to 64
}

// Literal is an address that the proxy has tried and the node behind it.
type Literal struct {
	Addr netip.Addr `json:"addr"`
	Node netip.Addr `json:"node"`
}

// maxLiteralNodes bounds LiteralsRequest.Nodes, maxLiterals the addresses that get one.
const (
	maxLiteralNodes = 64
	maxLiterals     = 4096
)

func (r LiteralsRequest) validate() error {
	switch {
	case !r.Network.IsValid():
		return invalid("network", "got %q, want a prefix of the testbed, such as 198.18.1.0/24 or 2001:2:0:1201::/64", r.Network)
	case len(r.Nodes) == 0 || len(r.Nodes) > maxLiteralNodes:
		return invalid("nodes", "got %d nodes, want 1 to %d", len(r.Nodes), maxLiteralNodes)
	case slices.ContainsFunc(r.Nodes, func(a netip.Addr) bool { return !r.Network.Contains(a) }):
		return invalid("nodes", "got %v, want addresses in %s", r.Nodes, r.Network)
	}
	return nil
}
