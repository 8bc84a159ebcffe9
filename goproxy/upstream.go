package goproxy

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/proxychaos/proxychaos/goproxy/resolve"
)

// upstream is a backend name with the endpoints it has at the moment.
type upstream struct {
	name     string
	cfg      Upstream // with defaults
	url      *url.URL
	host     string // Host header: the url's host, without the scheme's own port
	port     uint16
	follower *resolve.Follower // nil where the url holds an IP address
	budget   *budget
	log      *slog.Logger

	set   atomic.Pointer[endpointSet]
	setMu sync.Mutex // one change of set at a time
	rngMu sync.Mutex
	rng   *rand.Rand
}

// endpointSet is the present addresses. It never changes; a new one replaces it.
type endpointSet struct {
	endpoints []*endpoint
	replaced  chan struct{} // closed when a newer set is in place
}

func newUpstream(name string, cfg Upstream, servers []netip.AddrPort, log *slog.Logger) (*upstream, error) {
	cfg = cfg.withDefaults()
	target, err := parseURL(cfg.URL)
	if err != nil {
		return nil, fmt.Errorf("upstream %s: %w", name, err)
	}
	port, err := strconv.ParseUint(target.Port(), 10, 16)
	if err != nil {
		return nil, fmt.Errorf("upstream %s: %w", name, err)
	}
	u := &upstream{
		name:   name,
		cfg:    cfg,
		url:    target,
		host:   target.Host,
		port:   uint16(port),
		budget: newBudget(cfg.Retries.BudgetPercent),
		log:    log.With("upstream", name),
		rng:    rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 1)),
	}
	if (target.Scheme == "http" && port == 80) || (target.Scheme == "https" && port == 443) {
		u.host = strings.TrimSuffix(target.Host, ":"+target.Port())
	}
	u.set.Store(&endpointSet{replaced: make(chan struct{})})
	host := target.Hostname()
	if strings.EqualFold(host, "localhost") {
		host = "127.0.0.1"
	}
	if addr, err := netip.ParseAddr(host); err == nil {
		u.replace([]netip.Addr{addr})
		return u, nil
	}
	family, err := resolve.ParseFamily(cfg.DNS.Family)
	if err != nil {
		return nil, fmt.Errorf("upstream %s: %w", name, err)
	}
	u.follower, err = resolve.New(resolve.Config{
		Name:    host,
		Servers: servers,
		Family:  family,
		TTLMin:  time.Duration(cfg.DNS.TTLMin),
		TTLMax:  time.Duration(cfg.DNS.TTLMax),
		Timeout: time.Duration(cfg.DNS.Timeout),
		Log:     u.log,
	}, u.replace)
	if err != nil {
		return nil, fmt.Errorf("upstream %s: %w", name, err)
	}
	return u, nil
}

// run follows the name until ctx ends, then closes what is idle.
func (u *upstream) run(ctx context.Context) {
	if u.follower != nil {
		u.follower.Run(ctx)
	} else {
		<-ctx.Done()
	}
	for _, e := range u.set.Load().endpoints {
		e.transport.CloseIdleConnections()
	}
}

// replace puts a new set of addresses in place. Endpoints that stay keep their
// connections; those that are not in it depart.
func (u *upstream) replace(addrs []netip.Addr) {
	u.setMu.Lock()
	defer u.setMu.Unlock()
	old := u.set.Load()
	staying := map[netip.AddrPort]*endpoint{}
	for _, e := range old.endpoints {
		staying[e.addr] = e
	}
	next := &endpointSet{replaced: make(chan struct{})}
	for _, a := range addrs {
		addr := netip.AddrPortFrom(a, u.port)
		e := staying[addr]
		if e == nil {
			e = newEndpoint(addr, u.url.Hostname(), u.cfg)
		}
		delete(staying, addr)
		next.endpoints = append(next.endpoints, e)
	}
	// The new set first: who is told that an endpoint departed must find it.
	u.set.Store(next)
	for _, e := range staying {
		e.depart()
	}
	close(old.replaced)
}

// nudge asks DNS early.
func (u *upstream) nudge() {
	if u.follower != nil {
		u.follower.Nudge()
	}
}

// eject takes an endpoint out of balancing for a while because of reason, and
// asks DNS whether it is still the right one.
func (u *upstream) eject(e *endpoint, reason string) {
	u.nudge()
	now := time.Now()
	if len(u.set.Load().endpoints) < 2 || e.departed.Load() || !e.eject(now) {
		return
	}
	if e.mayLog(now) {
		u.log.Warn("endpoint left out", "address", e.addr.String(), "reason", reason, "failures", e.failures.Load())
	}
}

// pick chooses the less busy of two random endpoints among those that are
// healthy and not in tried. When there is none: with anyway, one that was
// tried or is ejected (fail-open); else nil. Nil too when no address is known.
func (u *upstream) pick(tried []*attempt, repeatable, anyway bool) *endpoint {
	set := u.set.Load()
	now := time.Now()
	var healthy, untried, rest []*endpoint
	var room [3][8]*endpoint // an ELB answer has at most 8 addresses
	healthy, untried, rest = room[0][:0], room[1][:0], room[2][:0]
	for _, e := range set.endpoints {
		switch {
		case wasTried(tried, e):
			rest = append(rest, e)
		case e.probe(now, repeatable):
			return e
		case e.ejectedUntil.Load() == 0:
			healthy = append(healthy, e)
		default:
			untried = append(untried, e)
		}
	}
	switch {
	case len(healthy) > 0:
		return u.lessBusy(healthy)
	case !anyway:
		return nil
	case len(untried) > 0:
		return u.lessBusy(untried)
	default:
		return u.lessBusy(rest)
	}
}

func wasTried(tried []*attempt, e *endpoint) bool {
	for _, a := range tried {
		if a.endpoint == e {
			return true
		}
	}
	return false
}

// lessBusy is "the power of two choices": nearly as even as asking all, and
// without the herd that follows when everyone picks the one idle endpoint.
func (u *upstream) lessBusy(endpoints []*endpoint) *endpoint {
	n := len(endpoints)
	if n == 0 {
		return nil
	}
	if n == 1 {
		return endpoints[0]
	}
	u.rngMu.Lock()
	i, j := u.rng.IntN(n), u.rng.IntN(n-1)
	u.rngMu.Unlock()
	if j >= i {
		j++
	}
	if endpoints[j].outstanding.Load() < endpoints[i].outstanding.Load() {
		return endpoints[j]
	}
	return endpoints[i]
}
