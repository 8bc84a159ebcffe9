package harness

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/proxychaos/proxychaos/harness/recording"
)

// Timing is every span of a cell that is not a setting, in one place. Slow
// machines multiply none of them: a run that missed its load is unproven.
var Timing = struct {
	Healthy       time.Duration // before the flip; at least this long
	After         time.Duration // after the last fault: two connect timeouts of 3 s, and time to see what follows
	ClientTimeout time.Duration // a user's patience: longer than one connect timeout of the kernel (3 s), shorter than two
	Phase         time.Duration // the phase is drawn below this, or the subject's refresh where that is longer,
	MaxPhase      time.Duration // but never above this
}{
	Healthy:       3 * time.Second,
	After:         8 * time.Second,
	ClientTimeout: 4 * time.Second,
	Phase:         3 * time.Second,
	MaxPhase:      30 * time.Second,
}

// Load shape: clients are browsers that come and go.
const (
	clients = 32 // keep-alive connections in rotation, so that every worker of the proxy has some
)

// Pools are the addresses of a testbed by their part in the scenario. Where the
// name stays, Old are the nodes that are struck and Fresh those that are not.
type Pools struct {
	Old, Fresh []netip.Addr
}

// PlanOf fills in every number of a scenario for one subject.
func (s Scenario) PlanOf(subject Subject, set Settings, pools Pools) (recording.Plan, error) {
	if !s.Abrupt() && set.Grace <= set.TTL+subject.Refresh {
		return recording.Plan{}, fmt.Errorf("GRACE=%v is not longer than TTL %v plus the refresh %v of %s: the old nodes would end before a proxy can know; raise GRACE",
			set.Grace, set.TTL, subject.Refresh, subject.ID())
	}
	phase := s.phase(subject, set)
	flip := Timing.Healthy + phase
	retire, window := flip, Timing.After+set.TTL+subject.Refresh
	grace := time.Duration(0)
	if !s.Abrupt() {
		grace = set.Grace
		retire, window = flip+grace, Timing.After
	}
	outage := time.Duration(0)
	if s.Heals() {
		outage = set.Outage
		window = max(window, flip+outage-retire+Timing.After)
	}
	budget := recording.Budget{}
	if s.Budget.Recovery && subject.Role != Reference {
		budget.RecoverWithin = recording.Of(set.TTL + subject.Refresh + time.Second)
	}
	return recording.Plan{
		TTL: recording.Of(set.TTL), Grace: recording.Of(grace), Refresh: recording.Of(subject.Refresh),
		Phase: recording.Of(phase), FlipAt: recording.Of(flip), RetireAt: recording.Of(retire),
		Duration: recording.Of((retire + window).Round(time.Second)), ClientTimeout: recording.Of(Timing.ClientTimeout),
		Stays: s.Stays, Outage: recording.Of(outage),
		Rate: set.Rate, Posts: set.Posts, Clients: clients, Seed: set.Seed,
		Budget: budget, Proofs: s.Proofs, Old: pools.Old, Fresh: pools.Fresh, OldEnd: s.OldEnd,
	}, nil
}

// phase draws when the flip meets the subject's own timers: anywhere within
// the longest period that it can have. Two configs of a user's own get the same
// draw, so that they can be compared.
func (s Scenario) phase(subject Subject, set Settings) time.Duration {
	drawn := s.Name
	if subject.Role != Own {
		drawn += " " + subject.ID()
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(drawn)) // a hash never fails to write
	period := min(max(Timing.Phase, set.TTL, subject.Refresh), Timing.MaxPhase)
	draw := rand.New(rand.NewPCG(set.Seed, h.Sum64()))
	return time.Duration(draw.Float64() * float64(period)).Truncate(time.Millisecond)
}
