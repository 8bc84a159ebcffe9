package goproxy

import "time"

// deadline tells when something takes too long. net/http's own deadlines of a
// stream are no good for that: they also pass while nobody waits.
type deadline struct {
	after  time.Duration
	timer  *time.Timer
	acted  chan struct{}
	passed bool // valid between stop and start
}

// lateness is what a deadline's passing does.
type lateness interface{ late() }

// start begins to count. After the deadline has passed it does nothing.
func (d *deadline) start(of lateness) {
	switch {
	case d.passed:
	case d.timer == nil:
		d.acted = make(chan struct{})
		d.timer = time.AfterFunc(d.after, func() {
			of.late()
			close(d.acted)
		})
	default:
		d.timer.Reset(d.after)
	}
}

// stop ends the count. When it returns, late has either run or never will before
// the next start.
func (d *deadline) stop() {
	if !d.passed && !d.timer.Stop() {
		<-d.acted
		d.passed = true
	}
}
