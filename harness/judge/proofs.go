package judge

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/proxychaos/proxychaos/harness/kind"
	"github.com/proxychaos/proxychaos/harness/recording"
)

const (
	// inFlight is how long before a fault a request may have been sent and
	// still have met the fault: one that fails was not a sign of ill health.
	inFlight = recording.Seconds(0.25)
	// waitSlack is how much shorter than planned the time between two steps may have been.
	waitSlack = recording.Seconds(0.25)
)

// unproven gives every reason why the run shows nothing, whatever became of
// its requests.
func (c *brief) unproven(v *Verdict) []string {
	var reasons []string
	reasons = append(reasons, c.missingProofs()...)
	reasons = append(reasons, c.tooSoon()...)
	reasons = append(reasons, v.Load.reasons()...)
	reasons = append(reasons, c.starved(v)...)
	reasons = append(reasons, c.notHealthy()...)
	reasons = append(reasons, c.nothingAtStake()...)
	reasons = append(reasons, c.coldWorkers()...)
	if n := c.Manifest.Lost; n > 0 {
		reasons = append(reasons, fmt.Sprintf("the nodes lost %s packets or connections: what they recorded is not the whole", comma(int(n))))
	}
	return reasons
}

// missingProofs: each fault of the plan must have been seen to take hold. A
// fault may be proved several times, as once a node: each must be so.
func (c *brief) missingProofs() []string {
	var reasons []string
	for i, planned := range c.Manifest.Plan.Steps {
		proved := 0
		for _, step := range c.Steps {
			if step.Number != i+1 {
				continue
			}
			if len(step.Proofs) > 0 {
				proved++
			}
			for _, proof := range step.Proofs {
				if !proof.OK {
					reasons = append(reasons, fmt.Sprintf("%q did not take hold: %s", step.Name, proof.Detail))
				}
			}
		}
		if proved < len(planned.Faults) {
			reasons = append(reasons, fmt.Sprintf("step %d of the timeline (%s) was not carried out and proved", i+1, faultNames(planned)))
		}
	}
	if len(c.Manifest.Plan.Steps) == 0 {
		reasons = append(reasons, "the timeline has no step: nothing was tested")
	}
	return reasons
}

func faultNames(planned recording.PlannedStep) string {
	var names []string
	for _, f := range planned.Faults {
		names = append(names, f.Name)
	}
	return strings.Join(names, ", ")
}

// tooSoon: a proxy must have had the time between two steps that the plan gives it,
// and what was to fail for a while must have done so.
func (c *brief) tooSoon() []string {
	var reasons []string
	for i := 1; i < len(c.Manifest.Plan.Steps); i++ {
		_, before, ok := c.came(i)
		now, _, okNow := c.came(i + 1)
		wait := c.Manifest.Plan.Steps[i].Wait
		if ok && okNow && now-before < wait-waitSlack {
			reasons = append(reasons, fmt.Sprintf("%s came only %s after %s, want %s",
				quoted(faultNames(c.Manifest.Plan.Steps[i])), span(now-before), quoted(faultNames(c.Manifest.Plan.Steps[i-1])), span(wait)))
		}
	}
	return reasons
}

// came is when the first and the last fault of a step came into force.
func (c *brief) came(number int) (first, last recording.Seconds, ok bool) {
	first, last = forever, -forever
	for _, step := range c.Steps {
		if step.Number == number {
			first, last, ok = min(first, step.From()), max(last, step.From()), true
		}
	}
	return first, last, ok
}

// notHealthy: failures that no fault had caused. What the proxy answered by itself says
// nothing about nodes and is told apart.
func (c *brief) notHealthy() []string {
	var answered, refused []row
	count, kinds := 0, map[string]int{}
	for i, request := range c.Requests {
		switch {
		case !failed(request) || !c.beforeFaults(request):
		case recording.IsByProxy(request.Outcome):
			answered = append(answered, row{recording.RequestsFile, i})
		case c.refused(request):
			refused = append(refused, row{recording.RequestsFile, i})
		default:
			count++
			kinds[request.Outcome]++
		}
	}
	var reasons []string
	if len(answered) > 0 {
		reasons = append(reasons, c.proxyAnswers(answered)+" before the fault: of such requests no fault is seen")
	}
	if len(refused) > 0 {
		reasons = append(reasons, c.refusals(refused)+", before the fault: by a limit or a rule of its own, or for want of a node that it holds to be up")
	}
	if count > 0 {
		reasons = append(reasons, fmt.Sprintf("not healthy before the fault: %s failed (%s)", requests(count), byKind(kinds))+c.complaint())
	}
	return reasons
}

// complaint is what the proxy's log said first, before any fault, of a node or of itself: why
// it was not healthy then; empty if it said nothing.
func (c *brief) complaint() string {
	of := kind.Name(c.Manifest.Subject.Kind)
	marks := kind.Marks(of)
	for _, line := range c.ProxyLog {
		if line.At < c.first.At && (markOf(marks, line.Text) >= 0 || kind.Errors(of, line.Text)) {
			return "; the proxy's log: " + line.Text
		}
	}
	return ""
}

// beforeFaults says whether a request had ended before anything was asked for that takes
// something away or moves a name.
func (c *brief) beforeFaults(request recording.Request) bool {
	return endedBefore(request, min(c.first.At, c.losses[0].Asked))
}

// endedBefore says whether a request can have met nothing that was asked for at a time.
func endedBefore(request recording.Request, asked recording.Seconds) bool {
	return request.Sent+request.Latency < asked || request.Sent < asked-inFlight
}

// nothingAtStake: some node that the faults are about must have served, and load must
// have gone on after the last of them.
func (c *brief) nothingAtStake() []string {
	if c.first.At == forever {
		return nil // no fault came into force: that is said already
	}
	var reasons []string
	touched := map[netip.Addr]bool{}
	for _, n := range c.ledger.Touched() {
		touched[n.Addr] = true
	}
	everyNode := len(touched) == 0 && (c.ledger.AboutNames() || c.ledger.AboutProxies()) || c.passesOn(touched)
	served, after := false, false
	for request := range c.inOrder() {
		served = served || request.Sent < c.first.At && !failed(request) && (touched[request.Node] || touched[c.entered(request)] || everyNode)
		after = after || request.Sent > c.last().At
	}
	if !served {
		reasons = append(reasons, fmt.Sprintf("no node that the faults are about served a request before %s: they could break nothing", quoted(c.first.Name)))
	}
	if !after {
		reasons = append(reasons, fmt.Sprintf("no request was sent after %s", quoted(c.last().Name)))
	}
	reasons = append(reasons, c.noSocketAtStake(touched)...)
	return append(reasons, c.noHandshake()...)
}

// noHandshake: if nodes that a name has refuse TLS, some connection must have been
// tried to them.
func (c *brief) noHandshake() []string {
	refused := slices.ContainsFunc(c.ledger.RefusedTLS(), func(node netip.Addr) bool { return len(c.ledger.Struck(node)) > 0 })
	tried := slices.ContainsFunc(c.upstreams, func(u *upstream) bool { return len(c.struckAttempts(u)) > 0 })
	if refused && !tried {
		return []string{"the proxy tried no connection to a node that refused TLS: the fault could break nothing"}
	}
	return nil
}
