package judge

import (
	"slices"

	"github.com/proxychaos/proxychaos/harness/recording"
)

// Judge makes the verdict of a recording. It is a pure function: the same
// recording gives the same verdict, down to the order of its lines.
func Judge(r *recording.Recording) Verdict {
	c := newBrief(r)
	v := Verdict{
		Schema: recording.Schema,
		Load:   c.loadCheck(),
		Window: c.window(),
		ByKind: map[string]int{},
	}
	c.countFailures(&v)
	c.splitPhases(&v)
	c.countStale(&v)
	c.countPosts(&v)
	c.countConnections(&v)
	v.DNSBefore = len(c.lookupsIn(0, c.flip))
	v.DNSAfter = len(c.lookupsIn(c.flip, forever))
	c.decide(&v)
	v.Findings = c.findings(&v)
	return v
}

// brief is the recording with what more than one rule needs from it.
type brief struct {
	*recording.Recording

	// flip is when the name moved, by the agent's word; where it stays, when
	// the first fault was in force.
	flip   recording.Seconds
	retire recording.Seconds // when the old nodes had ended; where the name stays, flip
	ending recording.Seconds // when they began to: nodes that refuse do so one after the other
	fault  recording.Seconds // the first of both
	whole  recording.Seconds // when what had failed was whole again; forever where that did not come
	// staleFrom is when no request should go to an old node any more.
	staleFrom recording.Seconds

	requests []recording.Request // in the order they were sent
	oldHits  []hit               // requests that reached or were sent to old nodes, in the order of time
	lookups  []lookup            // DNS queries of the proxy for the name that moves
}

// forever is later than every row.
const forever = recording.Seconds(1 << 40)

// settle is the time a proxy has to act on an expired answer, on top of its
// TTL and of its own refresh.
const settle = recording.Seconds(1)

func newBrief(r *recording.Recording) *brief {
	c := &brief{Recording: r, whole: forever}
	plan := r.Manifest.Plan
	c.flip, c.retire = plan.FlipAt, plan.RetireAt
	// 0 is no time of a fault: the agent did not say when.
	if step, ok := c.stepProving(strikes...); ok && plan.Stays && step.InForce != 0 {
		c.flip, c.retire, c.ending = step.InForce, step.InForce, step.Asked
	}
	if step, ok := c.stepProving(recording.ProofNodesBack, recording.ProofDNSBack); ok && step.InForce != 0 {
		c.whole = step.InForce
	}
	if step, ok := c.stepProving(recording.ProofNameMoved); ok && step.InForce != 0 {
		c.flip = step.InForce
	}
	if step, ok := c.stepProving(oldEndProofs...); ok && !plan.Stays && step.InForce != 0 {
		c.retire = step.InForce
		c.ending = step.Asked
	}
	if c.ending == 0 {
		c.ending = c.retire
	}
	c.fault = min(c.flip, c.retire)
	c.staleFrom = c.flip + plan.TTL + plan.Refresh + settle
	if plan.Stays {
		c.staleFrom = forever // the name names the old nodes throughout
	}
	c.requests = slices.Clone(r.Requests)
	slices.SortStableFunc(c.requests, func(a, b recording.Request) int { return compare(a.Sent, b.Sent) })
	c.oldHits = c.findOldHits()
	c.lookups = c.findLookups()
	return c
}

var (
	oldEndProofs = []string{recording.ProofOldSilent, recording.ProofOldRefuses, recording.ProofOldNoTarget}
	// strikes are what the first fault of a scenario proves whose name stays.
	strikes = append([]string{recording.ProofDNSFails, recording.ProofTLSRefused}, oldEndProofs...)
)

// stepProving finds the first step that was to prove one of the kinds,
// whether or not it did.
func (c *brief) stepProving(kinds ...string) (recording.Step, bool) {
	for _, step := range c.Steps {
		for _, proof := range step.Proofs {
			if slices.Contains(kinds, proof.Kind) {
				return step, true
			}
		}
	}
	return recording.Step{}, false
}

func (c *brief) window() recording.Seconds { return max(0, c.Manifest.Plan.Duration-c.retire) }

func compare(a, b recording.Seconds) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func failed(r recording.Request) bool { return r.Outcome != recording.OK }
