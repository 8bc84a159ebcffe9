package judge

import (
	"cmp"
	"iter"
	"slices"

	"github.com/proxychaos/proxychaos/harness/ledger"
	"github.com/proxychaos/proxychaos/harness/recording"
)

// Judge makes the verdict of a recording. It is a pure function: the same
// recording gives the same verdict, down to the order of its lines.
func Judge(r *recording.Recording) Verdict { return newBrief(r).verdict() }

// WithOutcomes is Judge and Outcomes at the price of one.
func WithOutcomes(r *recording.Recording) (Verdict, []recording.Request) {
	c := newBrief(r)
	return c.verdict(), c.Requests
}

func (c *brief) verdict() Verdict {
	v := Verdict{
		Schema: recording.Schema,
		Load:   c.loadCheck(),
		Window: c.window(),
		ByKind: map[string]int{},
	}
	c.countFailures(&v)
	c.splitPhases(&v)
	c.answer = v.Before.P50
	c.countStale(&v)
	c.countPosts(&v)
	c.countRetries(&v)
	c.countQueries(&v)
	c.countClients(&v)
	c.countSessions(&v)
	c.countSlow(&v)
	c.countSockets(&v)
	c.countShares(&v)
	c.countWithoutNode(&v)
	c.countOfFront(&v)
	c.countConnections(&v)
	c.countTargets(&v)
	for _, u := range c.upstreams {
		v.DNSBefore += len(u.lookupsIn(0, c.first.At))
		v.DNSAfter += len(u.lookupsIn(c.first.At, forever))
	}
	c.decide(&v)
	v.Findings = c.findings(&v)
	return v
}

// brief is the recording with what more than one rule needs from it.
type brief struct {
	*recording.Recording
	ledger *ledger.Ledger

	// first is the first fault; at forever if none came into force.
	first ledger.Moment
	// losses are the faults that took something away; first, if none did.
	losses []ledger.Moment
	// allowed is how long after a change of its name a proxy may use what the name
	// had before.
	allowed recording.Seconds
	// answer is how long an answer took before the first fault (median).
	answer recording.Seconds

	order     []int          // the indexes of the requests, in the order they were sent
	upstreams []*upstream    // those in use
	hits      sentHits       // what the proxy sent to nodes
	own       map[shape]bool // see findOwn
	// front are the rows of the load balancer in front, by the number of the client's request.
	front map[uint64]row
	// deaths are those of proxies that ended by themselves, ofDead the requests that failed since,
	// by their numbers.
	deaths []death
	ofDead map[uint64]bool
}

// forever is later than every row.
const forever = ledger.Forever

func newBrief(r *recording.Recording) *brief {
	settled := *r // its requests get their outcomes here
	c := &brief{Recording: &settled, ledger: ledger.Of(r)}
	c.first, _ = c.ledger.First()
	if c.losses = c.ledger.Losses(); len(c.losses) == 0 {
		c.losses = []ledger.Moment{c.first}
	}
	c.allowed = r.Manifest.Plan.Allowed()
	c.upstreams = c.findUpstreams()
	c.front = c.findFront()
	c.own = c.findOwn()
	c.settle()
	c.order = make([]int, len(c.Requests))
	for i := range c.order {
		c.order[i] = i
	}
	slices.SortStableFunc(c.order, func(a, b int) int { return cmp.Compare(c.Requests[a].Sent, c.Requests[b].Sent) })
	c.findDeaths()
	return c
}

// inOrder gives the requests in the order they were sent.
func (c *brief) inOrder() iter.Seq[recording.Request] {
	return func(yield func(recording.Request) bool) {
		for _, i := range c.order {
			if !yield(c.Requests[i]) {
				return
			}
		}
	}
}

// last is the last fault that took something away.
func (c *brief) last() ledger.Moment { return c.losses[len(c.losses)-1] }

// sinceLoss is how long after a fault that took something away a request was sent, and
// false if none had. One that was under way when the next such fault came belongs to
// that, if it was sent just before it, or to a node that the fault took.
func (c *brief) sinceLoss(r recording.Request) (recording.Seconds, ledger.Moment, bool) {
	for i := len(c.losses) - 1; i >= 0; i-- {
		loss := c.losses[i]
		switch {
		case r.Sent >= loss.At:
			return r.Sent - loss.At, loss, true
		case i > 0 && r.Sent+r.Latency >= loss.Asked && (r.Sent >= loss.Asked-inFlight || c.tookNodeOf(loss, r)):
			return 0, loss, true
		}
	}
	return 0, ledger.Moment{}, false
}

func (c *brief) window() recording.Seconds { return max(0, c.Manifest.Plan.Duration-c.last().At) }

func failed(r recording.Request) bool { return r.Outcome != recording.OK }
