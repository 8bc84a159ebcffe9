package fakedns

import (
	"fmt"
	"math"
	"net/netip"
	"slices"
	"syscall"
	"time"
)

// Config is what a [Server] starts with. The zero Config is valid: no address until
// [Server.Listen], no control API of its own.
type Config struct {
	// Listen are the addresses to answer on, each over UDP and TCP. Port 0 takes a
	// port that is free for both. 0.0.0.0 and :: answer from the address asked.
	Listen []netip.AddrPort
	// SocketOptions, if not nil, is called with each socket before it is bound, as
	// net.ListenConfig.Control is. With IP_TRANSPARENT set, 0.0.0.0 and :: answer also
	// from addresses that are not this machine's, if their packets are routed to it.
	SocketOptions func(network, address string, socket syscall.RawConn) error
	// Control is the address of the control API; the zero AddrPort is none. It must be
	// a loopback, link-local, private or benchmarking (198.18.0.0/15) address: whoever
	// reaches the API decides what every name resolves to.
	Control netip.AddrPort
	// Seed decides every random order: the same seed and the same queries give the
	// same answers.
	Seed uint64
	// Names are set at the start and again by a reset.
	Names []Name
	// Missing, if not nil, says which of the names do not exist for which a wildcard alone
	// would answer: canonical ones, in lower case without a trailing dot. It is asked about
	// every such query, from several goroutines.
	Missing func(name string) bool
	// NegativeTTL is the SOA's TTL in NXDOMAIN and NODATA answers, in whole seconds;
	// 0 is DefaultNegativeTTL. A run whose clock is scaled scales it too.
	NegativeTTL time.Duration
	// MaxTTL is the highest TTL of an answer to a query that asks for recursion, in
	// whole seconds from 1; 0 is DefaultMaxTTL. A fault's own TTL is not lowered.
	MaxTTL time.Duration
}

func (c Config) normalize() (Config, *Error) {
	c.Listen = slices.Clone(c.Listen)
	for i, addr := range c.Listen {
		if !addr.IsValid() {
			return Config{}, invalid(indexed("listen", i), "not an address with a port, want one such as 127.0.0.1:53")
		}
	}
	if c.Control != (netip.AddrPort{}) && !controlAllowed(c.Control.Addr()) {
		return Config{}, invalid("control", "got %s, want a loopback, private or 198.18.0.0/15 address: the control API is for tests only", c.Control)
	}
	var err *Error
	if c.NegativeTTL, err = ttlOr(DefaultNegativeTTL, "negative_ttl_seconds", c.NegativeTTL); err != nil {
		return Config{}, err
	}
	if c.MaxTTL, err = ttlOr(DefaultMaxTTL, "max_ttl_seconds", c.MaxTTL); err != nil {
		return Config{}, err
	}
	names, err := normalizeNames(c.Names)
	if err != nil {
		return Config{}, err
	}
	c.Names = names
	return c, nil
}

// ttlOr checks a TTL of the configuration; 0 is the default.
func ttlOr(standard time.Duration, field string, ttl time.Duration) (time.Duration, *Error) {
	if ttl == 0 {
		return standard, nil
	}
	if ttl < time.Second || ttl > maxTTL || ttl%time.Second != 0 {
		return 0, invalid(field, "got %v, want whole seconds from 1 to %d", ttl, math.MaxInt32)
	}
	return ttl, nil
}

func controlAllowed(a netip.Addr) bool {
	benchmarking := netip.MustParsePrefix("198.18.0.0/15")
	a = a.Unmap()
	return a.IsLoopback() || a.IsLinkLocalUnicast() || a.IsPrivate() || benchmarking.Contains(a)
}

func normalizeNames(in []Name) ([]Name, *Error) {
	out := make([]Name, len(in))
	for i, n := range in {
		checked, err := n.normalize()
		if err != nil {
			return nil, within(fmt.Sprintf("names[%d]", i), err)
		}
		if slices.ContainsFunc(out[:i], func(o Name) bool { return o.Name == checked.Name }) {
			return nil, invalid(fmt.Sprintf("names[%d].name", i), "%q is given twice", checked.Name)
		}
		out[i] = checked
	}
	return out, nil
}
