package targets

import "time"

// The anomaly detection of an ALB compares each target's errors with those of the
// others, every 5 s, if there are at least three healthy ones (3.4.4 D). What makes
// the difference significant, and the weights, are not published (G).
const (
	AnomalyWindow  = 5 * time.Second
	anomalyTargets = 3
	anomalyMargin  = 0.1  // of the requests, more than of the other targets
	anomalyFloor   = 0.05 // weight of an anomalous target
)

// anomaly is what the detection knows of one target.
type anomaly struct {
	requests, errors int // in the present window
	found            bool
	weight           float64 // 1 for a full share
}

func (p *Pool) mitigates() bool { return p.group.Attributes.AnomalyMitigation == mitigationOn }

// advance ends the windows that are over. mu is held.
func (p *Pool) advance(now time.Time) {
	window := p.scaled(AnomalyWindow)
	for ; now.Sub(p.window) >= window; p.window = p.window.Add(window) {
		if !p.endWindow() {
			// Nothing to count and nothing to restore: so it is for all windows until now.
			p.window = now.Add(-now.Sub(p.window) % window)
			return
		}
	}
}

// endWindow judges the targets and reports whether another window could change
// something. mu is held.
func (p *Pool) endWindow() (more bool) {
	enough := len(p.healthy()) >= anomalyTargets
	var all anomaly
	for _, t := range p.targets {
		all.requests += t.anomaly.requests
		all.errors += t.anomaly.errors
	}
	for _, t := range p.targets {
		a := &t.anomaly
		switch others := all.requests - a.requests; {
		case !enough:
			a.found = false
		case a.requests > 0 && others > 0:
			a.found = share(a.errors, a.requests) > share(all.errors-a.errors, others)+anomalyMargin
		}
		switch {
		case a.found:
			a.weight = anomalyFloor
		case a.weight < 1: // gradually back to a full share
			a.weight = min(1, a.weight*2)
			more = true
		}
		more = more || a.requests > 0
		a.requests, a.errors = 0, 0
	}
	return more
}

func share(part, of int) float64 { return float64(part) / float64(of) }

// observe counts what became of a request: HTTP 5xx and connection failures are
// errors (3.4.4 D).
func (p *Pool) observe(t *target, failed bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.advance(time.Now())
	t.anomaly.requests++
	if failed {
		t.anomaly.errors++
	}
}
