package capture

import (
	"errors"
	"net/netip"
)

// Capture is a running capture; there is none here.
type Capture struct{}

// Open works on Linux alone.
func Open(string, func(Segment)) (*Capture, error) {
	return nil, errors.New("the capture of packets needs the kernel of Linux")
}

// Watch has nothing to watch.
func (*Capture) Watch([]netip.Addr, []netip.Addr) error { return nil }

// Dropped is nothing.
func (*Capture) Dropped() (uint64, error) { return 0, nil }

// Close has nothing to end.
func (*Capture) Close() error { return nil }
