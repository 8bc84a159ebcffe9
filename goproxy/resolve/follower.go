package resolve

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/miekg/dns"
)

// Config says which name to follow and how. Zero durations take the default
// named at the field.
type Config struct {
	// Name is the host name. It is always taken as fully qualified: search
	// domains are not tried.
	Name string
	// Servers are asked in this order; the one that answered last is asked first.
	Servers []netip.AddrPort
	// Family selects A, AAAA or both.
	Family Family
	// TTLMin is the shortest time between two regular questions (default 1 s).
	TTLMin time.Duration
	// TTLMax is the longest (default 60 s, the TTL of an ELB name).
	TTLMax time.Duration
	// Timeout bounds one question over all servers and repeats (default 2 s).
	Timeout time.Duration
	// HoldFailed is how long the last good addresses stay while questions fail:
	// SERVFAIL, REFUSED, silence, garbage. HoldAbsent is the same while servers
	// say that there are none: NXDOMAIN, NODATA. Both count from the last good
	// answer; 0 or less is for as long as it takes.
	HoldFailed, HoldAbsent time.Duration
	// NudgeEvery is the least time between a question and one asked early
	// because of Nudge (default 250 ms). While early questions bring nothing
	// new it doubles, up to four times.
	NudgeEvery time.Duration
	// Log receives changes and failures; nil discards them.
	Log *slog.Logger
}

// nudgeCalm is how long nothing is asked before early questions may again come
// at their shortest distance.
const nudgeCalm = 5 * time.Second

// Stats counts what a follower did since it was made.
type Stats struct {
	Queries  uint64 // messages sent, repeats included
	Failures uint64 // questions to which no server gave a usable answer
	Changes  uint64 // times the published set changed
}

// Follower follows one name. Make it with [New].
type Follower struct {
	cfg      Config
	onChange func([]netip.Addr)
	families []*family
	nudges   chan struct{}
	asker    *asker
	rng      *rand.Rand

	published []netip.Addr
	failing   bool
	failures  atomic.Uint64
	changes   atomic.Uint64
}

// family is what is known about the addresses of one record type.
type family struct {
	qtype uint16
	addrs []netip.Addr // last answer; empty after an authoritative "none", or given up
	good  time.Time    // of that answer
	due   time.Time
	fails int // questions failed in a row
}

// New checks cfg and returns a follower that calls onChange, from the
// goroutine of Run, with the sorted set each time it changes. It is empty only
// where Config.HoldFailed or HoldAbsent has given the last good one up.
func New(cfg Config, onChange func([]netip.Addr)) (*Follower, error) {
	if _, ok := dns.IsDomainName(cfg.Name); !ok || cfg.Name == "" {
		return nil, fmt.Errorf("resolve: %q is not a domain name", cfg.Name)
	}
	if len(cfg.Servers) == 0 {
		return nil, errors.New("resolve: no DNS server given: name at least one")
	}
	setDefault(&cfg.TTLMin, time.Second)
	setDefault(&cfg.TTLMax, 60*time.Second)
	setDefault(&cfg.Timeout, 2*time.Second)
	setDefault(&cfg.NudgeEvery, 250*time.Millisecond)
	if cfg.TTLMin > cfg.TTLMax {
		return nil, fmt.Errorf("resolve: TTLMin %v is above TTLMax %v", cfg.TTLMin, cfg.TTLMax)
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	f := &Follower{
		cfg:      cfg,
		onChange: onChange,
		nudges:   make(chan struct{}, 1),
		asker:    newAsker(cfg.Servers, cfg.Timeout),
		rng:      rand.New(rand.NewPCG(uint64(dns.Id()), uint64(time.Now().UnixNano()))),
	}
	for _, qtype := range cfg.Family.qtypes() {
		f.families = append(f.families, &family{qtype: qtype})
	}
	return f, nil
}

func setDefault(d *time.Duration, value time.Duration) {
	if *d <= 0 {
		*d = value
	}
}

// Know makes addrs the set to begin with, as if DNS had just given it for no
// time at all: Run asks at once, and until there is an answer they stay. It
// must be called before Run. It returns those of the families that are followed;
// onChange is not called for them.
func (f *Follower) Know(addrs []netip.Addr) []netip.Addr {
	for _, fam := range f.families {
		fam.good = time.Now()
		for _, a := range addrs {
			if a.Is4() == (fam.qtype == dns.TypeA) {
				fam.addrs = append(fam.addrs, a)
			}
		}
		f.published = append(f.published, fam.addrs...)
	}
	slices.SortFunc(f.published, netip.Addr.Compare)
	return slices.Clone(f.published)
}

// Nudge asks for an early question. It returns at once and may be called from
// any goroutine as often as liked: questions stay NudgeEvery apart.
func (f *Follower) Nudge() {
	select {
	case f.nudges <- struct{}{}:
	default:
	}
}

// Stats returns the counters. Any goroutine may call it.
func (f *Follower) Stats() Stats {
	return Stats{Queries: f.asker.sent.Load(), Failures: f.failures.Load(), Changes: f.changes.Load()}
}

// Run follows the name until ctx ends.
func (f *Follower) Run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	var asked time.Time
	spacing := f.cfg.NudgeEvery
	for {
		early := false
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		case <-f.nudges:
			early = true
			if time.Since(asked) > nudgeCalm {
				spacing = f.cfg.NudgeEvery
			}
			if !sleep(ctx, spacing-time.Since(asked)) {
				return
			}
		}
		asked = time.Now()
		changes := f.changes.Load()
		f.ask(ctx, early)
		switch {
		case f.changes.Load() != changes:
			spacing = f.cfg.NudgeEvery
		case early:
			spacing = min(2*spacing, 4*f.cfg.NudgeEvery)
		}
		timer.Reset(time.Until(f.nextDue()))
	}
}

func sleep(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

func (f *Follower) nextDue() time.Time {
	next := f.families[0].due
	for _, fam := range f.families[1:] {
		if fam.due.Before(next) {
			next = fam.due
		}
	}
	return next
}

// ask puts the due questions, or early those that can show a move, and
// publishes what changed.
func (f *Follower) ask(ctx context.Context, early bool) {
	type reply struct {
		fam *family
		ans answer
		err error
	}
	// What falls due a moment later is asked along, so that A and AAAA with
	// one TTL stay together.
	horizon := time.Now().Add(50 * time.Millisecond)
	replies := make(chan reply, len(f.families))
	count := 0
	for _, fam := range f.families {
		if fam.due.After(horizon) && (!early || len(fam.addrs) == 0) {
			continue
		}
		count++
		go func() {
			ans, err := f.asker.ask(ctx, f.cfg.Name, fam.qtype)
			replies <- reply{fam, ans, err}
		}()
	}
	for range count {
		r := <-replies
		if ctx.Err() != nil {
			return
		}
		f.take(r.fam, r.ans, r.err)
		f.publish(r.ans)
	}
}

// take stores what one question brought and sets when to ask again.
func (f *Follower) take(fam *family, ans answer, err error) {
	now := time.Now()
	switch {
	case err != nil:
		f.failures.Add(1)
		f.keep(fam, now, f.cfg.HoldFailed)
		if !f.failing {
			f.failing = true
			f.cfg.Log.Warn("dns: no usable answer, the last good addresses stay",
				"name", f.cfg.Name, "type", dns.TypeToString[fam.qtype], "error", err.Error(), "addresses", addrStrings(f.published))
		}
	case len(ans.addrs) == 0 && f.emptyIsSuspect(fam):
		// An empty answer to the family that carries the set is more likely
		// an outage than a decision, so it is asked again soon.
		f.keep(fam, now, f.cfg.HoldAbsent)
		if !f.failing {
			f.failing = true
			f.cfg.Log.Warn("dns: empty answer, the last good addresses stay",
				"name", f.cfg.Name, "type", dns.TypeToString[fam.qtype], "rcode", dns.RcodeToString[ans.rcode], "addresses", addrStrings(f.published))
		}
	default:
		fam.fails, fam.good = 0, now
		fam.addrs = ans.addrs
		fam.due = now.Add(f.ahead(min(max(ans.ttl, f.cfg.TTLMin), f.cfg.TTLMax)))
		if len(ans.addrs) > 0 && f.failing {
			f.failing = false
			f.cfg.Log.Info("dns: answers again", "name", f.cfg.Name)
		}
	}
}

// keep leaves the addresses of a family in place until hold has passed since
// the last good answer, and has it asked again soon.
func (f *Follower) keep(fam *family, now time.Time, hold time.Duration) {
	fam.fails++
	fam.due = now.Add(f.retryAfter(fam.fails))
	if hold <= 0 || len(fam.addrs) == 0 {
		return
	}
	switch end := fam.good.Add(hold); {
	case !now.Before(end):
		fam.addrs = nil
	case end.Before(fam.due):
		fam.due = end
	}
}

// emptyIsSuspect reports whether an empty answer for fam would leave no address
// at all.
func (f *Follower) emptyIsSuspect(fam *family) bool {
	for _, other := range f.families {
		if other != fam && len(other.addrs) > 0 {
			return false
		}
	}
	// With no family holding any address, an empty AAAA answer is normal
	// while the A answer is still on its way.
	return len(fam.addrs) > 0 || fam.qtype == f.families[0].qtype
}

// retryAfter is 250 ms, doubling up to 4 s, but never beyond TTLMax.
func (f *Follower) retryAfter(fails int) time.Duration {
	d := 250 * time.Millisecond << min(fails-1, 4)
	return min(d, f.cfg.TTLMax)
}

// ahead shortens a TTL so that the next answer is there when it ends: by a
// fifth, at most 2 s, and a little at random, so that many proxies started
// together do not ask in step.
func (f *Follower) ahead(ttl time.Duration) time.Duration {
	lead := min(ttl/5, 2*time.Second)
	return ttl - lead - time.Duration(f.rng.Int64N(int64(ttl/20)+1))
}

func (f *Follower) publish(ans answer) {
	var union []netip.Addr
	for _, fam := range f.families {
		union = append(union, fam.addrs...)
	}
	slices.SortFunc(union, netip.Addr.Compare)
	union = slices.Compact(union)
	if slices.Equal(union, f.published) {
		return
	}
	if len(union) == 0 {
		f.cfg.Log.Warn("dns: the last good addresses are given up", "name", f.cfg.Name, "from", addrStrings(f.published))
	} else {
		f.cfg.Log.Info("dns: addresses changed", "name", f.cfg.Name,
			"from", addrStrings(f.published), "to", addrStrings(union), "ttl", ans.ttl.String(), "server", ans.server.String())
	}
	f.published = union
	f.changes.Add(1)
	f.onChange(slices.Clone(union))
}

func addrStrings(addrs []netip.Addr) string {
	parts := make([]string, len(addrs))
	for i, a := range addrs {
		parts[i] = a.String()
	}
	return strings.Join(parts, ",")
}
