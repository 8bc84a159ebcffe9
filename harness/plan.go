package harness

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/proxychaos/proxychaos/harness/fault"
	"github.com/proxychaos/proxychaos/harness/recording"
	"github.com/proxychaos/proxychaos/harness/world"
)

// clients is how many keep-alive clients take turns, so that every worker of the proxy
// gets connections.
const clients = 32

// sessionClients is how many there are if they keep cookies. It is a prime number: members
// that simply take turns do not meet each client again and again.
const sessionClients = 31

// quietAfter is how long after the last step the quiet part of a load begins, unless the scenario
// says so.
const quietAfter = time.Second

// PlanOf fills in every number of a scenario for one subject, on a world whose
// nodes have their addresses. A grace in which no proxy can know of the change is refused;
// for a config of the user's the run lengthens it.
func (s Scenario) PlanOf(subject Subject, set Settings, t world.Topology) (recording.Plan, error) {
	if err := s.Check(); err != nil {
		return recording.Plan{}, err
	}
	if subject.Role != Own && s.waitsForGrace() && set.Grace <= set.TTL+subject.MayKeep() {
		return recording.Plan{}, fmt.Errorf("GRACE=%v is not longer than TTL %v plus the refresh %v of %s: the old nodes would end before a proxy can know; raise GRACE",
			set.Grace, set.TTL, subject.MayKeep(), subject.ID())
	}
	timing := Timings[set.Clock]
	phase := s.phase(subject, set)
	steps, err := s.plannedSteps(timing.Healthy+phase, set)
	if err != nil {
		return recording.Plan{}, err
	}
	quiet, err := s.Load.Quiet.Of(set)
	if err != nil {
		return recording.Plan{}, err
	}
	quietFrom, err := s.Load.QuietAfter.Of(set)
	if err != nil {
		return recording.Plan{}, err
	}
	within, err := s.Budget.Within.Of(set)
	if err != nil {
		return recording.Plan{}, err
	}
	patience, err := s.Load.Patience.Of(set)
	if err != nil {
		return recording.Plan{}, err
	}
	after, err := s.Load.After.Of(set)
	if err != nil {
		return recording.Plan{}, err
	}
	last := steps[len(steps)-1].At.Duration()
	end := last + cmp.Or(after, timing.After)
	if s.strikesAtOnce(t) {
		end = max(end, steps[0].At.Duration()+timing.After+set.TTL+max(subject.MayKeep(), set.Watch))
	}
	if subject.Role == Own {
		end += set.RecoverWithin // or that it recovered too late would not be seen
	}
	end += quiet
	plan := recording.Plan{
		Clock: string(set.Clock), TTL: recording.Of(set.TTL), Refresh: recording.Of(subject.MayKeep()), Phase: recording.Of(phase),
		Duration: recording.Of(end.Round(time.Second)), ClientTimeout: recording.Of(cmp.Or(patience, timing.ClientTimeout)),
		Rate: cmp.Or(s.Load.Rate, set.Rate), Posts: cmp.Or(set.Posts, s.Load.Posts), Clients: clients, Sessions: s.Load.Sessions, Sockets: s.Load.Sockets, Seed: set.Seed, Steps: steps,
	}
	if plan.Sessions {
		plan.Clients = sessionClients
	}
	if quiet > 0 {
		plan.Quiet = recording.Quiet{From: recording.Of(last + cmp.Or(quietFrom, quietAfter)), For: recording.Of(quiet)}
	}
	plan.Budget.Query, plan.Budget.Sessions, plan.Budget.Sockets = s.Budget.Query, s.Budget.Sessions, s.Budget.Sockets
	plan.Budget.Shares, plan.Budget.Client = s.Budget.Shares, s.Budget.Client
	plan.Budget.Connections, plan.Budget.Within = s.Budget.Connections, recording.Of(within)
	if s.Budget.Recovery && subject.Role != Reference {
		plan.Budget.RecoverWithin = plan.Allowed()
	}
	if subject.Role == Own {
		plan.Budget.MaxFailed = set.MaxFailed
		if set.RecoverWithin > 0 {
			plan.Budget.RecoverWithin = recording.Of(set.RecoverWithin)
		}
	}
	return plan, nil
}

// plannedSteps is the timeline with its times; the first step is due at first, or
// as much later as it waits.
func (s Scenario) plannedSteps(first time.Duration, set Settings) ([]recording.PlannedStep, error) {
	var steps []recording.PlannedStep
	at := time.Duration(0)
	for i, step := range s.Timeline {
		wait, err := step.Wait.Of(set)
		if err != nil {
			return nil, err
		}
		if i == 0 {
			wait += first
		}
		at += wait
		planned := recording.PlannedStep{At: recording.Of(at), Wait: recording.Of(wait)}
		for _, f := range step.Do {
			text, err := fault.Encode(f)
			if err != nil {
				return nil, err
			}
			planned.Faults = append(planned.Faults, recording.PlannedFault{Name: f.Name(), Fault: text})
		}
		steps = append(steps, planned)
	}
	return steps, nil
}

func (s Scenario) waitsForGrace() bool {
	return slices.ContainsFunc(s.Timeline, func(step Step) bool { return step.Wait.grace() })
}

// strikesAtOnce says whether the first step takes something away already, so that a
// proxy has had no time to know.
func (s Scenario) strikesAtOnce(t world.Topology) bool {
	state := t.Start()
	for _, f := range s.Timeline[0].Do {
		effects := f.Effects(state)
		if slices.ContainsFunc(effects, world.Effect.Worse) {
			return true
		}
		state = state.With(effects...)
	}
	return false
}

// phase draws when the first fault meets the subject's own timers: anywhere within
// the longest period that it can have. Two configs of a user's own get the same
// draw, so that they can be compared.
func (s Scenario) phase(subject Subject, set Settings) time.Duration {
	drawn := s.Name
	if subject.Role != Own {
		drawn += " " + subject.ID()
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(drawn)) // a hash never fails to write
	timing := Timings[set.Clock]
	period := min(max(timing.Phase, set.TTL, subject.Refresh), timing.MaxPhase)
	draw := rand.New(rand.NewPCG(set.Seed, h.Sum64()))
	return time.Duration(draw.Float64() * float64(period)).Truncate(time.Millisecond)
}
