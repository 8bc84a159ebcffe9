package pod

import (
	"net/netip"
	"slices"
)

// AddressesRequest names addresses of the proxy's machine at which its connections begin.
type AddressesRequest struct {
	Addresses []netip.Addr `json:"addresses"` // IPv4, 1 to MaxAddresses
}

// MaxAddresses bounds AddressesRequest.Addresses.
const MaxAddresses = 1024

func (r AddressesRequest) validate() error {
	if len(r.Addresses) == 0 || len(r.Addresses) > MaxAddresses || slices.ContainsFunc(r.Addresses, func(a netip.Addr) bool { return !a.Is4() }) {
		return invalid("addresses", "got %d addresses, want 1 to %d, all of IPv4", len(r.Addresses), MaxAddresses)
	}
	return nil
}
