package testbed

import (
	"errors"
	"net/netip"
)

// routes are not needed here: no testbed starts.
func routes() ([]netip.Prefix, error) { return nil, errors.New("a testbed needs Linux") }
