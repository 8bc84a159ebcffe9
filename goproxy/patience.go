package goproxy

import "time"

// lateBy is how late a timer may fire before the proxy must think that itself,
// and not the address, was away: a stopped or starved process would otherwise
// wake up, find every address silent and send everything twice.
const lateBy = 150 * time.Millisecond

// patience fires after a stretch of silence, or never when it is switched off.
type patience struct {
	after time.Duration
	due   time.Time
	timer *time.Timer
}

// newPatience counts the silence since a moment.
func newPatience(after time.Duration, since time.Time) *patience {
	p := &patience{after: after}
	if after > 0 {
		p.due = since.Add(after)
		p.timer = time.NewTimer(time.Until(p.due))
	}
	return p
}

func (p *patience) fired() <-chan time.Time {
	if p.timer == nil {
		return nil
	}
	return p.timer.C
}

func (p *patience) restart() {
	if p.timer != nil {
		p.due = time.Now().Add(p.after)
		p.timer.Reset(p.after)
	}
}

// late reports whether the timer that just fired says nothing, because it
// fired late.
func (p *patience) late() bool { return time.Since(p.due) > lateBy }

func (p *patience) stop() {
	if p.timer != nil {
		p.timer.Stop()
	}
}
