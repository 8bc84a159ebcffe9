package judge

import (
	"slices"

	"github.com/proxychaos/proxychaos/harness/recording"
)

// lastSecond is how near to the end of the load a failure means that the
// proxy had not recovered.
const lastSecond = recording.Seconds(1)

func (c *brief) countFailures(v *Verdict) {
	v.Sent = len(c.order)
	for request := range c.inOrder() {
		if !failed(request) {
			continue
		}
		v.Failed++
		v.ByKind[request.Outcome]++
		if recording.IsByProxy(request.Outcome) {
			v.ByProxy++
		}
		if v.FirstFailure == nil {
			v.FirstFailure = since(c.first.At, request.Sent)
		}
		if after, _, ok := c.sinceLoss(request); ok && (v.Recovery == nil || after > *v.Recovery) {
			v.Recovery = &after
		}
		v.NeverRecovered = v.NeverRecovered || request.Sent > c.Requests[c.order[v.Sent-1]].Sent-lastSecond
	}
}

func (c *brief) splitPhases(v *Verdict) {
	first, loss := c.first.At, c.losses[0].At
	v.Before = c.phase(0, first, -forever, first)
	v.During = c.phase(first, loss, first, loss)
	v.After = c.phase(loss, max(c.Manifest.Plan.Duration, loss), loss, forever)
}

// phase gives the figures of the requests that were sent from first to before
// last; it is labelled with from and to. The ends are open, so that every
// request is in one phase.
func (c *brief) phase(from, to, first, last recording.Seconds) Phase {
	p := Phase{From: from, To: to, ByKind: map[string]int{}}
	var latency []recording.Seconds
	for request := range c.inOrder() {
		if request.Sent < first || request.Sent >= last {
			continue
		}
		p.Sent++
		if failed(request) {
			p.Failed++
			p.ByKind[request.Outcome]++
			continue
		}
		latency = append(latency, request.Sent-request.Due+request.Latency)
	}
	slices.Sort(latency)
	p.P50, p.P99 = percentile(latency, 0.50), percentile(latency, 0.99)
	return p
}

func since(start, at recording.Seconds) *recording.Seconds {
	d := at - start
	return &d
}
