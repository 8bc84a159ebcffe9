package judge

import (
	"fmt"

	"github.com/proxychaos/proxychaos/harness/recording"
)

// maxWait is the share of the time that a thread of the proxy may wait for a CPU in a run
// that fails. Of four cells of nginx with TLS to its nodes, at a time on two busy cores, the
// one with 0.72 lost requests, while the load was sent in time; those with 0.18 to 0.59 lost
// none (tls-expired, 2026-11-29).
const maxWait = 0.5

// wait is for how long the thread of the proxy that waited longest was ready to run and
// had no CPU, between the first fault and the end of the load.
type wait struct {
	share   float64 // of that time
	process recording.Process
	took    recording.Seconds
	of      recording.Seconds
}

// findWait leaves out processes that were not there at the first fault.
func (c *brief) findWait() (longest wait) {
	before := map[recording.ProcessID]recording.Seconds{}
	var from recording.Seconds
	for _, snapshot := range c.Snapshots {
		for _, process := range snapshot.Processes {
			switch snapshot.Moment {
			case recording.MomentFault:
				from, before[process.ID()] = snapshot.At, process.Waited
			case recording.MomentEnd:
				since, there := before[process.ID()]
				if w := (wait{process: process, took: process.Waited - since, of: snapshot.At - from}); there && w.took > longest.took {
					longest = w
				}
			}
		}
	}
	if longest.of > 0 {
		longest.share = float64(longest.took / longest.of)
	}
	return longest
}

// starved says why a run that lost requests proves nothing: the proxy itself had no CPU.
// What a run without losses proves, it proves on a busy machine too.
func (c *brief) starved(v *Verdict) []string {
	w := c.findWait()
	if v.Failed+v.Slow == 0 || w.share <= maxWait {
		return nil
	}
	lost := requests(v.Failed) + " failed"
	if v.Slow > 0 {
		lost += fmt.Sprintf(" and %d were slow", v.Slow)
	}
	return []string{fmt.Sprintf("the machine was busy: process %d of the proxy (%s) was ready to run and had no CPU for %s of %s; %s, which may be why",
		w.process.PID, w.process.Command, span(w.took), span(w.of), lost)}
}
