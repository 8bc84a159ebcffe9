package run

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/fakealb/cloud"
	"github.com/proxychaos/proxychaos/fakedns"
	"github.com/proxychaos/proxychaos/harness/config"
	"github.com/proxychaos/proxychaos/harness/fault"
	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/load"
	"github.com/proxychaos/proxychaos/harness/recording"
	"github.com/proxychaos/proxychaos/harness/world"
)

// startAhead is from the order to attack to its first request.
const startAhead = 200 * time.Millisecond

// rowsAtATime is how many request rows are written together.
const rowsAtATime = 50

// requestsPerConnection: a browser that comes, asks for a page and its parts,
// and goes.
const requestsPerConnection = 10

// cell is one run of one cell.
type cell struct {
	Cell
	opt    Options
	config config.Config
	image  recording.Image
	plan   recording.Plan
	label  string // in the progress
	bed    bed
	to     clients
	live   fault.Live    // as it is now
	asked  uint64        // the last DNS query that was looked at for names
	way    recording.Way // into the proxy
	// calls is the way of the clients: the same, or through the load balancer in front.
	calls recording.Way
	// registered is when the first proxy became a target of the load balancer in front.
	registered time.Time
	// listening is when the proxy was first seen to listen.
	listening time.Time
	struck    atomic.Pointer[recording.Seconds] // when the first fault came into force
	dir       *recording.Dir
	began     time.Time
	t0        time.Time
	ended     time.Time // of the timeline: the last request had its outcome
	alone     bool      // it runs again, since the machine was busy, and no other cell beside it
	ready     func()    // the testbed stands: the next one may start
	log       func(format string, args ...any)
}

func (c *cell) progress(format string, args ...any) {
	c.log("%s %s", c.label, fmt.Sprintf(format, args...))
}

// when says a time of the load for the progress: by the clock of the load and, once there
// was a fault, by that of the table, whose times count from the first fault.
func (c *cell) when(at recording.Seconds) string {
	text := fmt.Sprintf("%.1f s into the load", float64(at))
	if first := c.struck.Load(); first != nil && at-*first >= 0.05 {
		text += fmt.Sprintf(", %.1f s after the first fault", float64(at-*first))
	}
	return text
}

func (c *cell) since(t time.Time) recording.Seconds {
	if t.IsZero() {
		return 0
	}
	return recording.Of(t.Sub(c.t0))
}

// run takes the cell from a started testbed to a recording with its verdict.
func (c *cell) run(ctx context.Context) (v judge.Verdict, m recording.Manifest, err error) {
	c.dir, err = recording.Create(c.opt.Runs, c.Scenario.Name, c.Subject.ID(), c.began)
	if err != nil {
		return v, m, err
	}
	defer func() { err = errors.Join(err, c.dir.Close()) }()
	m, err = c.manifest(ctx)
	if err != nil {
		return v, m, err
	}
	err = c.prepare(ctx)
	c.ready()
	if err != nil {
		return v, m, err
	}
	c.t0 = time.Now().Add(startAhead)
	if err := c.snapshot(ctx, recording.MomentWarm); err != nil {
		return v, m, err
	}
	runErr := c.play(ctx)
	m.T0 = c.t0
	m.Plan, m.World, m.Proxies = c.plan, c.live.Topology, c.live.Proxies
	m.Way, m.Replay = c.calls, c.replay()
	// What was observed is kept, also of a run that broke off.
	collect, cancel := context.WithTimeout(context.WithoutCancel(ctx), collectLimit)
	defer cancel()
	err = errors.Join(runErr, c.snapshot(collect, recording.MomentEnd), c.collect(collect))
	lost, lostErr := c.lost(collect)
	m.Lost, err = lost, errors.Join(err, lostErr)
	m.Ended = time.Now().UTC()
	m.Overhead = recording.Of(c.t0.Sub(c.began) + m.Ended.Sub(c.ended))
	if err = errors.Join(err, recording.SaveManifest(c.dir.Path, m)); err != nil {
		return v, m, err
	}
	rec, err := recording.Open(c.dir.Path)
	if err != nil {
		return v, m, err
	}
	v = judge.Judge(rec)
	return v, m, recording.SaveVerdict(c.dir.Path, v)
}

// prepare brings the testbed to the state before the load: names and nodes
// up, the proxy started, answering, and warm.
func (c *cell) prepare(ctx context.Context) error {
	if err := c.build(ctx); err != nil {
		return err
	}
	ca, err := c.to.alb.CA(ctx)
	if err != nil {
		return err
	}
	if err := c.bed.startProxy(ctx, ca); err != nil {
		return c.explain(err)
	}
	c.listening = time.Now()
	if err := c.bed.watch(ctx); err != nil {
		return err
	}
	if err := c.certified(ctx, c.findWay); err != nil {
		return c.explain(c.onlyBeside(ctx, c.unanswerable(ctx, err)))
	}
	if c.calls, err = c.putFront(ctx); err != nil {
		return err
	}
	c.calls.Bare = c.Scenario.Load.Bare
	if err := c.fill(ctx); err != nil {
		return err
	}
	if err := c.warm(ctx, time.Now().Add(warmLimit)); err != nil {
		return err
	}
	if err := c.giveRoutes(ctx); err != nil {
		return err
	}
	if err := c.putOthers(ctx); err != nil {
		return err
	}
	if err := c.allow(ctx); err != nil {
		return err
	}
	return c.affordable()
}

// affordable says what makes the run longer than one may be.
func (c *cell) affordable() error {
	if c.plan.Duration <= load.MaxDuration {
		return nil
	}
	set := c.opt.Settings
	return fmt.Errorf("%s: the run would take %v, want at most %v: with TTL=%v GRACE=%v OUTAGE=%v, and a proxy that by its configuration may keep an address for %v; shorten what is too long, or remove it from the configuration if it is about something else",
		c.source(), c.plan.Duration.Duration(), load.MaxDuration.Duration(), set.TTL, set.Grace, set.Outage, c.plan.Refresh.Duration())
}

// build makes the world: names, load balancers, nodes.
func (c *cell) build(ctx context.Context) error {
	t := c.live.Topology
	for _, dns := range append([]*fakedns.Client{c.to.dns}, c.to.otherDNS...) {
		if _, err := dns.PutNames(ctx, fault.Names(t, c.live.TTL)...); err != nil {
			return err
		}
	}
	made := map[string]bool{}
	for _, n := range t.Nodes {
		if n.Upstream == world.InFront {
			continue // what it passes requests on to is not there yet
		}
		lb := fault.LoadBalancer(n.Balancer, n.Upstream)
		if !made[lb] {
			made[lb] = true
			balancer, _ := t.Balancer(n.Balancer)
			if _, err := c.to.alb.PutLoadBalancer(ctx, fakealb.LoadBalancer{Name: lb, Cloud: cloud.Name(t.Cloud), Targets: balancer.Targets}); err != nil {
				return err
			}
		}
		if _, err := c.to.alb.PutNode(ctx, fakealb.Node{Addr: n.Addr, LoadBalancer: lb}); err != nil {
			return err
		}
	}
	if err := c.putBeside(ctx); err != nil {
		return err
	}
	return c.bed.standIn(ctx, t.LiteralNodes(world.Literal), t.LiteralNodes(world.LiteralIPv6))
}

// play runs load and timeline side by side.
func (c *cell) play(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return c.attack(ctx) })
	group.Go(func() error { return c.hold(ctx) })
	group.Go(func() error { return c.timeline(ctx) })
	err := group.Wait()
	c.ended = time.Now()
	return err
}

func (c *cell) attack(ctx context.Context) error {
	// Written as they come, a few at a time: what a killed harness has seen is kept.
	rows := make([]recording.Request, 0, rowsAtATime)
	var writeErr error
	sent, failed := 0, 0
	err := c.to.load.Attack(ctx, load.Spec{
		Way: c.calls, Rate: c.plan.Rate, Posts: c.plan.Posts, Sessions: c.plan.Sessions, Duration: c.plan.Duration, Quiet: c.plan.Quiet, Timeout: c.plan.ClientTimeout,
		Clients: c.plan.Clients, RequestsPerConnection: requestsPerConnection,
		CheckBody: true, StartAt: c.t0,
	}, func(r load.Row) {
		row := r.Request(c.t0)
		if rows = append(rows, row); len(rows) == rowsAtATime {
			writeErr = errors.Join(writeErr, c.dir.Requests.Append(rows...))
			rows = rows[:0]
		}
		sent++
		if row.Outcome != recording.OK {
			failed++
			if failed == 1 {
				c.progress("%s: first failed request: %s %s", c.when(row.Sent), row.Outcome, row.Error)
			}
		}
	})
	c.progress("load done: %d requests, %d failed", sent, failed)
	return errors.Join(err, writeErr, c.dir.Requests.Append(rows...))
}
