package judge

import (
	"slices"

	"github.com/proxychaos/proxychaos/harness/recording"
)

// lastSecond is how near to the end of the load a failure means that the
// proxy had not recovered.
const lastSecond = recording.Seconds(1)

func (c *brief) countFailures(v *Verdict) {
	v.Sent = len(c.requests)
	for _, request := range c.requests {
		if !failed(request) {
			continue
		}
		v.Failed++
		v.ByKind[request.Outcome]++
		if v.FirstFailure == nil {
			v.FirstFailure = since(c.fault, request.Sent)
		}
		if request.Sent >= c.retire {
			v.Recovery = since(c.retire, request.Sent)
		}
		v.NeverRecovered = v.NeverRecovered || request.Sent > c.requests[v.Sent-1].Sent-lastSecond
	}
}

func (c *brief) splitPhases(v *Verdict) {
	end := max(c.Manifest.Plan.Duration, c.retire)
	// Where the old nodes ended before the name moved there is no time between.
	retire := max(c.flip, c.retire)
	v.Before = c.phase(0, c.flip, -forever, c.flip)
	v.During = c.phase(c.flip, retire, c.flip, retire)
	v.After = c.phase(retire, max(end, retire), retire, forever)
}

// phase gives the figures of the requests that were sent from first to before
// last; it is labelled with from and to. The ends are open, so that every
// request is in one phase.
func (c *brief) phase(from, to, first, last recording.Seconds) Phase {
	p := Phase{From: from, To: to, ByKind: map[string]int{}}
	var latency []recording.Seconds
	for _, request := range c.requests {
		if request.Sent < first || request.Sent >= last {
			continue
		}
		p.Sent++
		if failed(request) {
			p.Failed++
			p.ByKind[request.Outcome]++
			continue
		}
		latency = append(latency, request.Latency)
	}
	slices.Sort(latency)
	p.P50, p.P99 = percentile(latency, 0.50), percentile(latency, 0.99)
	return p
}

func since(start, at recording.Seconds) *recording.Seconds {
	d := at - start
	return &d
}
