package pod

import (
	"net/netip"
	"slices"
	"testing"
)

// A proxy behind which there are many connections may have them begin at many addresses.
func TestHowManyAddressesCanBeGiven(t *testing.T) {
	one := netip.MustParseAddr("10.0.3.1")
	for n, want := range map[int]bool{0: false, 1: true, 17: true, MaxAddresses: true, MaxAddresses + 1: false} {
		err := AddressesRequest{Addresses: slices.Repeat([]netip.Addr{one}, n)}.validate()
		if (err == nil) != want {
			t.Errorf("%d addresses: got %v, want them to be taken: %t", n, err, want)
		}
	}
	if err := (AddressesRequest{Addresses: []netip.Addr{one, netip.MustParseAddr("2001:db8::1")}}).validate(); err == nil {
		t.Error("an IPv6 address is taken")
	}
}
