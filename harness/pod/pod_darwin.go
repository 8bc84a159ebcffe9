package pod

import (
	"errors"
	"net/netip"
	"syscall"
)

// What the agent does needs the kernel of Linux. On macOS there are its client and its types
// alone, which the commands that need no network are linked with.
var errNeedsLinux = errors.New("pod: needs Linux")

func checkCapabilities() error { return errNeedsLinux }

func routeHere() (undo func() error, err error) { return nil, errNeedsLinux }

type diversion struct{}

func divertLoopback(uint16) (*diversion, error) { return nil, errNeedsLinux }

func (*diversion) alsoAt([]netip.Addr) error { return errNeedsLinux }

func (*diversion) stop() error { return nil }

func families() []int { return nil }

var loopbackOf map[int]netip.Addr

func bypassDockerDNS() (undo func() error, err error) { return nil, errNeedsLinux }

func resolverSockets() []netip.AddrPort { return nil }

func transparent(string, string, syscall.RawConn) error { return errNeedsLinux }

type literalFamily struct{}

func literalFamilyOf(netip.Prefix) *literalFamily { return nil }

type literals struct {
	*literalFamily
	nodes []netip.Addr
}

func startLiterals(LiteralsRequest) (*literals, error) { return nil, errNeedsLinux }

func (*literals) list() ([]Literal, error) { return nil, errNeedsLinux }

func (*literals) stop() error { return errNeedsLinux }

type ownAddresses struct{}

func (*ownAddresses) take([]Listener) error { return errNeedsLinux }

func (*ownAddresses) give([]netip.Addr) error { return errNeedsLinux }

func (*ownAddresses) addresses() []netip.Addr { return nil }

func (*ownAddresses) giveBack() error { return nil }

// States of sockets, to be asked for.
const (
	listening = 1 << iota
	established
)

type diag struct{}

func newDiag() (*diag, error) { return nil, errNeedsLinux }

func (*diag) sockets(uint32) ([]socket, error) { return nil, errNeedsLinux }

func (*diag) close() {}
