package pod

import (
	"net/netip"
	"slices"
)

// AddressesRequest names addresses of the proxy's machine at which its connections begin.
type AddressesRequest struct {
	Addresses []netip.Addr `json:"addresses"` // IPv4, 1 to 16
}

// maxAddresses bounds AddressesRequest.Addresses.
const maxAddresses = 16

func (r AddressesRequest) validate() error {
	if len(r.Addresses) == 0 || len(r.Addresses) > maxAddresses || slices.ContainsFunc(r.Addresses, func(a netip.Addr) bool { return !a.Is4() }) {
		return invalid("addresses", "got %v, want 1 to %d IPv4 addresses", r.Addresses, maxAddresses)
	}
	return nil
}
