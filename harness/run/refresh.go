package run

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/proxychaos/proxychaos/fakealb/record"
	"github.com/proxychaos/proxychaos/fakedns"
	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/recording"
)

const (
	// refreshLook is how long queries are watched if what the config says would make a
	// long run: a proxy whose real period is shorter than that shows it.
	refreshLook = 6 * time.Second
	// maxLook is how long they are watched at most for a shorter period that the config
	// names beside it.
	maxLook = 30 * time.Second
	// graceRoom is how much longer a grace is than the time after which a proxy can know.
	graceRoom = 3 * time.Second
)

// asked is what a proxy asked of DNS for the addresses that it used.
type asked struct {
	// own says that it asked after its start: with a resolver of its own, or once it
	// listened.
	own bool
	// again says that some socket to a resolver of its own asked the same twice since it
	// listened. The C library opens another for each query.
	again bool
	// most is the largest number of queries of one name and type since it listened.
	most int
}

// observed picks the queries whose answers have used addresses. A query to libc before
// the proxy listened is one of its start.
func observed(queries []fakedns.Query, used map[netip.Addr]bool, libc []netip.AddrPort, listening time.Time) asked {
	var a asked
	counts, sockets := map[string]int{}, map[string]bool{}
	for _, q := range queries {
		found := false
		for _, addr := range q.Answers {
			found = found || used[addr]
		}
		if !found {
			continue
		}
		late := !q.ReceivedAt.Before(listening)
		a.own = a.own || late || !slices.Contains(libc, q.Resolver)
		if !late {
			continue
		}
		same := strings.ToLower(q.Name) + " " + q.Type
		counts[same]++
		a.most = max(a.most, counts[same])
		if !slices.Contains(libc, q.Resolver) {
			from := same + " " + q.Client.String()
			a.again, sockets[from] = a.again || sockets[from], true
		}
	}
	return a
}

// twice says that one who keeps an address has asked for it again: there are more queries
// than could each be of another one.
func (a asked) twice(keepers int) bool { return a.again || a.most > keepers }

// look is how long the queries of a config are watched that names these periods. The
// longest may be of something else, such as OCSP stapling: then another one counts.
func look(periods []time.Duration) time.Duration {
	long := refreshLook
	for _, p := range periods {
		// nginx asks a second later than it is told.
		if shown := p + 2*time.Second; p < slices.Max(periods) && shown <= maxLook {
			long = max(long, shown)
		}
	}
	return long
}

// period is how long the proxy may keep an address, and what says so. hint is what the
// config says, window how long its queries were watched.
func (a asked) period(hint, window time.Duration, keepers int) (time.Duration, recording.RefreshSource) {
	switch {
	case !a.own:
		return 0, recording.NeverAsked
	case a.twice(keepers) && window < hint:
		return window.Round(time.Second), recording.FromQueries
	default:
		return hint, recording.FromConfig
	}
}

// allow settles how long a config of the user's may keep an address. What it says
// itself is a hint: the queries can show another period, or that it never asks again.
func (c *cell) allow(ctx context.Context) error {
	hint, keeps, set := c.Subject.Refresh, c.Subject.Keeps, c.opt.Settings
	if c.Subject.Role != harness.Own || hint+keeps == 0 {
		return nil
	}
	a, err := c.asks(ctx)
	if err != nil {
		return err
	}
	keepers, err := c.keepers(ctx)
	if err != nil {
		return err
	}
	for a.own && !a.twice(keepers) && set.Grace <= set.TTL+hint && time.Since(c.listening) < look(c.config.Refreshes()) {
		if a, keepers, err = c.askAgain(ctx); err != nil {
			return err
		}
	}
	refresh, source := a.period(hint, time.Since(c.listening), keepers)
	c.Subject.Refresh = refresh
	if source == recording.NeverAsked {
		c.Subject.Keeps = 0
	}
	if allowed := set.TTL + refresh + c.Subject.Keeps; set.Grace <= allowed {
		set.Grace = allowed + graceRoom
	}
	if c.plan, err = c.Scenario.PlanOf(c.Subject, set, c.live.Topology); err != nil {
		return err
	}
	c.plan.RefreshSource, c.plan.RefreshHint = source, recording.Of(hint+keeps)
	if source != recording.FromConfig {
		c.progress("the config's %v is not used: %s", hint, source)
	}
	if set.Grace != c.opt.Settings.Grace {
		c.progress("the proxy may keep an address for %v: the grace is %v", c.plan.Refresh.Duration(), set.Grace)
	}
	return nil
}

// askAgain has the proxy serve requests for a while and looks at what it asked.
func (c *cell) askAgain(ctx context.Context) (asked, int, error) {
	if err := c.burst(ctx, warmConcurrency); err != nil {
		return asked{}, 0, err
	}
	if err := sleepUntil(ctx, time.Now().Add(200*time.Millisecond)); err != nil {
		return asked{}, 0, err
	}
	keepers, err := c.keepers(ctx)
	if err != nil {
		return asked{}, 0, err
	}
	a, err := c.asks(ctx)
	return a, keepers, err
}

// keepers is how many may each keep an address of one name: every worker for every path,
// such as Apache does for each ProxyPass.
func (c *cell) keepers(ctx context.Context) (int, error) {
	processes, err := c.bed.workers(ctx)
	count := 0
	for _, p := range processes {
		if p.Worker && p.Proxy <= 1 { // the queries are of the first proxy
			count++
		}
	}
	return max(count, 1) * len(c.way.Paths), err
}

// asks looks at the queries so far.
func (c *cell) asks(ctx context.Context) (asked, error) {
	attempts, err := c.to.alb.Attempts(ctx)
	if err != nil {
		return asked{}, err
	}
	queries, err := c.to.dns.Queries(ctx, fakedns.Filter{})
	if err != nil {
		return asked{}, err
	}
	return observed(queries, c.usedSoFar(attempts), c.to.libc, c.listening), nil
}

// usedSoFar are the nodes to which the proxy has sent a request, also of the warm-up.
func (c *cell) usedSoFar(attempts []record.Attempt) map[netip.Addr]bool {
	used := map[netip.Addr]bool{}
	for _, a := range attempts {
		if !a.Probe && !c.to.isProbe(a.Peer) {
			used[a.Node] = true
		}
	}
	return used
}
