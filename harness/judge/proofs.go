package judge

import (
	"fmt"
	"strings"

	"github.com/proxychaos/proxychaos/harness/recording"
)

const (
	// inFlight is how long before a fault a request may have been sent and
	// still have met the fault: one that fails was not a sign of ill health.
	inFlight = recording.Seconds(0.25)
	// graceSlack is how much shorter than planned the grace may have been.
	graceSlack = recording.Seconds(0.25)
)

// unproven gives every reason why the run shows nothing, whatever became of
// its requests.
func (c *brief) unproven(v *Verdict) []string {
	var reasons []string
	reasons = append(reasons, c.missingProofs()...)
	reasons = append(reasons, c.wrongOrder()...)
	reasons = append(reasons, v.Load.reasons()...)
	reasons = append(reasons, c.notHealthy()...)
	reasons = append(reasons, c.nothingAtStake()...)
	reasons = append(reasons, c.coldWorkers()...)
	if n := c.Manifest.Lost; n > 0 {
		reasons = append(reasons, fmt.Sprintf("the nodes lost %s packets or connections: what they recorded is not the whole", comma(int(n))))
	}
	return reasons
}

// missingProofs: each fault of the plan must have been seen to take hold. A
// kind may be proved several times, as once a node: each must be so.
func (c *brief) missingProofs() []string {
	var reasons []string
	for _, kind := range c.Manifest.Plan.Proofs {
		found := false
		for _, step := range c.Steps {
			for _, proof := range step.Proofs {
				if proof.Kind != kind {
					continue
				}
				found = true
				if !proof.OK {
					reasons = append(reasons, fmt.Sprintf("%q did not take hold (%s): %s", step.Name, kind, proof.Detail))
				}
			}
		}
		if !found {
			reasons = append(reasons, fmt.Sprintf("no step proved %s", kind))
		}
	}
	return reasons
}

// wrongOrder: a proxy can only follow a name that moved, and had the time of
// the grace to do so. It holds whatever the plan asks to be proved.
func (c *brief) wrongOrder() []string {
	plan := c.Manifest.Plan
	if plan.Stays {
		return c.shortOutage()
	}
	if _, moved := c.stepProving(recording.ProofNameMoved); !moved {
		return []string{"the name did not move before the old nodes ended: the timeline has no such step"}
	}
	grace := c.retire - c.flip
	switch {
	case grace >= plan.Grace-graceSlack:
		return nil
	case grace < 0:
		return []string{fmt.Sprintf("the name did not move before the old nodes ended, but %s after", span(-grace))}
	}
	return []string{fmt.Sprintf("the name moved only %s before the old nodes ended, want %s", span(grace), span(plan.Grace))}
}

// shortOutage: what was to fail for a while must have done so.
func (c *brief) shortOutage() []string {
	plan := c.Manifest.Plan
	if _, struck := c.stepProving(strikes...); !struck {
		return []string{"nothing failed: the timeline has no such step"}
	}
	lasted := c.whole - c.fault
	switch {
	case plan.Outage == 0:
		return nil
	case c.whole == forever:
		return []string{"what failed was never seen to be whole again"}
	case lasted < plan.Outage-graceSlack:
		return []string{fmt.Sprintf("the outage lasted only %s, want %s", span(lasted), span(plan.Outage))}
	}
	return nil
}

// notHealthy: failures that no fault had caused.
func (c *brief) notHealthy() []string {
	count, kinds := 0, map[string]int{}
	begin := min(c.fault, c.ending)
	for _, request := range c.requests {
		if failed(request) && (request.Sent+request.Latency < begin || request.Sent < begin-inFlight) {
			count++
			kinds[request.Outcome]++
		}
	}
	if count == 0 {
		return nil
	}
	return []string{fmt.Sprintf("not healthy before the fault: %s failed (%s)", requests(count), byKind(kinds))}
}

// nothingAtStake: the old nodes must have served, and load must have gone on
// after they ended.
func (c *brief) nothingAtStake() []string {
	var reasons []string
	served, after := false, false
	for _, request := range c.requests {
		served = served || request.Sent < c.flip && !failed(request) && c.isOld(request.Node)
		after = after || request.Sent > c.retire
	}
	if !served {
		reasons = append(reasons, fmt.Sprintf("no request was served by an old node before %s: nothing was at stake", c.first()))
	}
	if !after {
		reasons = append(reasons, fmt.Sprintf("no request was sent after %s", c.last()))
	}
	if _, tls := c.stepProving(recording.ProofTLSRefused); tls && len(c.struckAttempts()) == 0 {
		reasons = append(reasons, "no connection was tried to a node that refused TLS: nothing was at stake")
	}
	return reasons
}

// coldWorkers: a worker that has held no connection looks the name up when it
// opens its first one, after the flip, and hides the fault. A worker that the
// proxy started after the warm-up is no flaw of the run: to end children and
// start others is what some configs rely on.
func (c *brief) coldWorkers() []string {
	if c.Manifest.Testbed == embedded {
		return nil // the proxy is no process of its own
	}
	warmed := map[int]bool{} // the workers there were after the warm-up
	for _, snapshot := range c.Snapshots {
		if snapshot.Moment == momentWarm {
			for _, process := range snapshot.Processes {
				warmed[process.PID] = process.Worker
			}
		}
		if snapshot.Moment != momentFlip {
			continue
		}
		workers := 0
		var cold []string
		for _, process := range snapshot.Processes {
			if !process.Worker {
				continue
			}
			workers++
			if warmed[process.PID] && process.Upstream == 0 && process.Seen == 0 {
				cold = append(cold, fmt.Sprintf("%d (%s)", process.PID, process.Command))
			}
		}
		switch {
		case workers == 0:
			return []string{"no worker process of the proxy was seen just before the name moved"}
		case len(cold) > 0:
			return []string{fmt.Sprintf("%d of %d worker processes had held no connection to a node when the name moved: %s",
				len(cold), workers, strings.Join(cold, ", "))}
		}
		return nil
	}
	return []string{"the proxy's processes were not looked at just before the name moved, so a cold worker may hide the fault"}
}

const (
	embedded   = "embedded" // Manifest.Testbed
	momentWarm = "warm"     // Snapshot.Moment
	momentFlip = "flip"
)
