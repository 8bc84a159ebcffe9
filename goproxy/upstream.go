package goproxy

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// upstream is a named backend: its members and all their endpoints.
type upstream struct {
	name    string
	cfg     Upstream // with defaults
	files   pemFiles // that cfg.TLS names
	members []*member
	sticky  *sticky // nil where sessions do not matter
	hashKey format

	hasSpares bool // a member is a backup
	panicking atomic.Bool
	ejections atomic.Uint64
	ejecting  sync.Mutex

	checks   sync.WaitGroup
	checking context.Context // parent of the health checks; nil before run; guarded by setMu
	fail     map[int]bool
	budget   *budget
	log      *slog.Logger

	directWait time.Duration // how long the first attempt has the client's goroutine

	room     room
	attempts [reasons]atomic.Uint64
	retired  atomic.Bool // no new request comes; running ones may finish

	set   atomic.Pointer[endpointSet]
	setMu sync.Mutex // one change of set at a time
	rngMu sync.Mutex
	rng   *rand.Rand
}

// endpointSet is the present endpoints. It never changes; a new one replaces it.
type endpointSet struct {
	endpoints []*endpoint
	replaced  chan struct{} // closed when a newer set is in place
}

func newUpstream(name string, cfg Upstream, servers []netip.AddrPort, log *slog.Logger) (*upstream, error) {
	cfg = cfg.withDefaults()
	u := &upstream{
		name:   name,
		cfg:    cfg,
		fail:   map[int]bool{},
		budget: newBudget(cfg.Retries.BudgetPercent),
		log:    log.With("upstream", name),
		rng:    rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 1)),
	}
	u.directWait = directWait
	if d := time.Duration(cfg.Retries.HedgeAfter); d > 0 {
		u.directWait = d
	}
	u.directWait = min(u.directWait, time.Duration(cfg.Timeouts.Response))
	u.set.Store(&endpointSet{replaced: make(chan struct{})})
	var err error
	if u.hashKey, err = parseFormat(cfg.HashKey, requestVariables); err != nil {
		return nil, fmt.Errorf("upstream %s: hash_key: %w", name, err)
	}
	for _, status := range cfg.FailOnStatus {
		u.fail[status] = true
	}
	var tlsConfig *tls.Config
	if tlsConfig, u.files, err = cfg.TLS.client(); err != nil {
		return nil, fmt.Errorf("upstream %s: %w", name, err)
	}
	for _, mc := range cfg.Members {
		m, err := newMember(u, mc, servers, tlsConfig, u.log)
		if err != nil {
			return nil, fmt.Errorf("upstream %s: %w", name, err)
		}
		for n := 2; u.member(m.id) != nil; n++ {
			m.id = fmt.Sprintf("%s-%d", m.url.Host, n)
		}
		u.members = append(u.members, m)
		u.hasSpares = u.hasSpares || mc.Backup
	}
	// A member whose url holds an address has published itself before it was
	// in the list.
	u.setMu.Lock()
	u.publish()
	u.setMu.Unlock()
	u.sticky = newSticky(cfg, u.members)
	return u, nil
}

// run follows the names until ctx ends, then closes what is idle.
func (u *upstream) run(ctx context.Context) {
	u.setMu.Lock()
	u.checking = ctx
	for _, e := range u.set.Load().endpoints {
		u.startChecks(e)
	}
	u.setMu.Unlock()
	var all sync.WaitGroup
	for _, m := range u.members {
		all.Go(func() { m.run(ctx) })
	}
	all.Wait()
	<-ctx.Done()
	u.checks.Wait()
	u.retired.Store(true)
	for _, e := range u.set.Load().endpoints {
		e.transport.closeIdle()
	}
}

// publish builds the set from all members and returns the channel that must be
// closed when the old set is out of use. The caller holds setMu.
func (u *upstream) publish() chan struct{} {
	next := &endpointSet{replaced: make(chan struct{})}
	for _, m := range u.members {
		for _, e := range m.endpoints {
			// The load factor is the member's, whatever number of addresses it
			// has.
			e.weight.Store(max(1, int64(m.loadFactor.Load())*shareUnit/int64(len(m.endpoints))))
		}
		next.endpoints = append(next.endpoints, m.endpoints...)
	}
	return u.set.Swap(next).replaced
}

// reweigh puts the members' load factors in force.
func (u *upstream) reweigh() {
	u.setMu.Lock()
	defer u.setMu.Unlock()
	close(u.publish()) // the same addresses
}

// nudge asks DNS early.
func (u *upstream) nudge() {
	for _, m := range u.members {
		if m.follower != nil {
			m.follower.Nudge()
		}
	}
}

// eject takes an endpoint out of balancing for a while because of reason, and
// asks DNS whether it is still the right one.
func (u *upstream) eject(e *endpoint, reason string) {
	u.nudge()
	now := time.Now()
	u.ejecting.Lock()
	news := u.mayEject(e) && e.eject(now)
	u.ejecting.Unlock()
	if !news {
		return
	}
	u.ejections.Add(1)
	if e.mayLog(now) {
		u.log.Warn("endpoint left out", "address", e.addr.String(), "reason", reason, "failures", e.failures.Load())
	}
}

// mayEject reports whether leaving e out is of use, and not too much.
func (u *upstream) mayEject(e *endpoint) bool {
	endpoints := u.set.Load().endpoints
	if len(endpoints) < 2 || e.departed.Load() {
		return false
	}
	out := 0
	for _, other := range endpoints {
		if other != e && other.ejectedUntil.Load() != 0 {
			out++
		}
	}
	return out == 0 || e.ejectedUntil.Load() != 0 || (out+1)*100 <= u.cfg.Ejection.MaxPercent*len(endpoints)
}
