package reports

import (
	"testing"

	"github.com/proxychaos/proxychaos/harness/recording"
)

// What no status shows stands in the budget of the page.
func TestBudgetsThatNoStatusShows(t *testing.T) {
	for want, budget := range map[string]recording.Budget{
		"":                  {MaxFailed: 3, RecoverWithin: 2},
		", each query kept": {Query: true},
		", no session moved while its node serves, no answer later than after 1.0 s": {Sessions: true, Within: 1},
		", shares of the nodes 0.60 and 0.40":                                        {Shares: []float64{0.6, 0.4}},
		", no WebSocket denied or cut without need":                                  {Sockets: true},
		", at most 0.10 connections for each request":                                {Connections: 0.1},
	} {
		if got := besides(budget); got != want {
			t.Errorf("%+v: got %q, want %q", budget, got, want)
		}
	}
}
