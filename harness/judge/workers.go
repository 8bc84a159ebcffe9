package judge

import (
	"fmt"
	"strings"

	"github.com/proxychaos/proxychaos/harness/recording"
)

// workers are the proxy's worker processes just before the first fault. A cold one has
// held no connection to a node: it looks the name up when it opens its first one, after
// the fault, and hides the fault. One that the proxy started after the warm-up is not
// cold: to end children and start others is what some configs rely on.
type workers struct {
	warm, cold []recording.Process
	end        map[recording.ProcessID]recording.Process // what they were after the load
	// ended says that the processes were looked at after the load.
	ended bool
}

// findWorkers returns false if the processes were not looked at just before the fault.
func (c *brief) findWorkers() (w workers, looked bool) {
	warmed := map[recording.ProcessID]bool{} // the workers there were after the warm-up
	w.end = map[recording.ProcessID]recording.Process{}
	for _, snapshot := range c.Snapshots {
		for _, process := range snapshot.Processes {
			switch {
			case snapshot.Moment == recording.MomentWarm:
				warmed[process.ID()] = process.Worker
			case snapshot.Moment == recording.MomentEnd:
				w.end[process.ID()] = process
			case !process.Worker:
			case warmed[process.ID()] && process.Upstream == 0 && process.Seen == 0:
				w.cold = append(w.cold, process)
			default:
				w.warm = append(w.warm, process)
			}
		}
		looked = looked || snapshot.Moment == recording.MomentFault
		w.ended = w.ended || snapshot.Moment == recording.MomentEnd
	}
	return w, looked
}

// of gives "27 of 32 worker processes".
func (w workers) of(n int) string {
	return fmt.Sprintf("%d of %d worker processes", n, len(w.warm)+len(w.cold))
}

// woke says whether some worker that was cold at the first fault was seen to hold a
// connection later.
func (w workers) woke() bool {
	for _, process := range w.cold {
		if end := w.end[process.ID()]; end.Upstream > 0 || end.Seen > 0 {
			return true
		}
	}
	return false
}

// wentOn says whether some worker that was warm at the first fault was seen to hold a
// connection after the load, or to have made one since.
func (w workers) wentOn() bool {
	for _, process := range w.warm {
		if end := w.end[process.ID()]; end.Upstream > 0 || end.Seen > process.Seen {
			return true
		}
	}
	return false
}

// coldWorkers: a run is judged by the workers that had served. It proves nothing if there
// were none, or if others took over from them.
func (c *brief) coldWorkers() []string {
	if c.Manifest.Testbed == recording.Embedded {
		return nil
	}
	w, looked := c.findWorkers()
	var pids []string
	for _, process := range w.cold {
		pids = append(pids, fmt.Sprintf("%d (%s)", process.PID, process.Command))
	}
	held := w.of(len(w.cold)) + " had held no connection to a node at the first fault"
	switch {
	case !looked:
		return []string{"the proxy's processes were not looked at just before the first fault, so a cold worker may hide the fault"}
	case len(w.warm)+len(w.cold) == 0:
		return []string{"no worker process of the proxy was seen just before the first fault"}
	case len(w.cold) > 0 && (len(w.warm) == 0 || !w.ended):
		return []string{held + ": " + strings.Join(pids, ", ")}
	case w.woke() && !w.wentOn():
		return []string{held + ", and no other was seen to hold one after it: " + strings.Join(pids, ", ")}
	}
	return nil
}

// judgedBy says by which workers a run is judged, if not by all: no request reached the
// others before the first fault.
func (c *brief) judgedBy() []string {
	w, _ := c.findWorkers()
	if len(w.cold) == 0 {
		return nil
	}
	return []string{fmt.Sprintf("judged by the %s that a request had reached before the first fault", w.of(len(w.warm)))}
}
