package judge_test

import (
	"testing"

	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
)

// crew is a follower with 32 workers of which 5 had held a connection at the first fault.
// After the load each has held as many as seen says for its number.
func crew(seen func(n int) int) *world {
	w := follower()
	w.Snapshots = nil
	for _, moment := range []string{recording.MomentWarm, recording.MomentFault, recording.MomentEnd} {
		s := recording.Snapshot{Moment: moment}
		for n := range 32 {
			p := recording.Process{PID: 100 + n, Command: "nginx: worker", Worker: true}
			switch {
			case moment == recording.MomentEnd:
				p.Seen = seen(n)
			case moment == recording.MomentFault && n < 5:
				p.Seen = 3
			}
			s.Processes = append(s.Processes, p)
		}
		w.Snapshots = append(w.Snapshots, s)
	}
	return w
}

// A worker that no request reached hides nothing, and one that was reached late hides
// little as long as those from before went on.
func TestJudgedByTheWorkersThatServed(t *testing.T) {
	const by = "judged by the 5 of 32 worker processes that a request had reached before the first fault"
	for name, seen := range map[string]func(n int) int{
		"the others never served": func(n int) int {
			if n < 5 {
				return 9
			}
			return 0
		},
		"nothing more was opened": func(n int) int {
			if n < 5 {
				return 3
			}
			return 0
		},
		"one more served after the fault": func(n int) int {
			if n < 6 {
				return 9
			}
			return 0
		},
	} {
		t.Run(name, func(t *testing.T) {
			wantResult(t, crew(seen).judge(), judge.Pass, "0 of 1,000 requests failed", by)
			w := crew(seen)
			w.Requests[900].Outcome = recording.BadGateway
			wantResult(t, w.judge(), judge.Fail, "1 of 1,000 requests failed (1 502), budget 0", by)
		})
	}
}

// Those that looked the name up after the fault must not be all that served after it.
func TestUnprovenIfColdWorkersTookOver(t *testing.T) {
	w := crew(func(n int) int {
		if n <= 5 {
			return 3 // as before the fault, and one that was cold
		}
		return 0
	})
	w.Snapshots[0].Processes, w.Snapshots[1].Processes = w.Snapshots[0].Processes[4:7], w.Snapshots[1].Processes[4:7]
	wantResult(t, w.judge(), judge.Unproven,
		"2 of 3 worker processes had held no connection to a node at the first fault, and no other was seen to hold one after it: 105 (nginx: worker), 106 (nginx: worker)")
	// None had served.
	w = crew(func(int) int { return 3 })
	w.Snapshots[0].Processes, w.Snapshots[1].Processes = w.Snapshots[0].Processes[30:], w.Snapshots[1].Processes[30:]
	wantResult(t, w.judge(), judge.Unproven, "2 of 2 worker processes had held no connection to a node at the first fault: 130 (nginx: worker), 131 (nginx: worker)")
}
