package judge_test

import (
	"testing"

	"github.com/proxychaos/proxychaos/harness/recording"
)

// A run that one stall of the machine may have spoilt is one of a busy machine, though its load
// as a whole was sent in time.
func TestAStallMakesTheMachineBusy(t *testing.T) {
	for name, test := range map[string]struct {
		late recording.Seconds
		busy bool
	}{
		"in time":               {0.003, false},
		"a stall":               {0.053, true},
		"late enough to say so": {0.3, true},
	} {
		t.Run(name, func(t *testing.T) {
			w := follower()
			w.Requests[60].Due -= test.late
			if got := w.judge().Load.Busy(); got != test.busy {
				t.Errorf("one request %g s late: got busy %v, want %v", float64(test.late), got, test.busy)
			}
		})
	}
}
