package goproxy

import "time"

// patience fires after a stretch of silence, or never when it is switched off.
type patience struct {
	after time.Duration
	timer *time.Timer
}

func newPatience(after time.Duration) *patience {
	p := &patience{after: after}
	if after > 0 {
		p.timer = time.NewTimer(after)
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
		p.timer.Reset(p.after)
	}
}

func (p *patience) stop() {
	if p.timer != nil {
		p.timer.Stop()
	}
}
