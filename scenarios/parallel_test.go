package scenarios_test

import (
	"testing"

	"github.com/proxychaos/proxychaos/scenarios"
)

func TestCellsAtATime(t *testing.T) {
	for _, test := range []struct{ cores, rate, want int }{
		{2, 100, 6}, {2, 500, 2}, {2, 20, 6}, {8, 100, 24}, {1, 100, 3}, {1, 5000, 1},
	} {
		if got := scenarios.CellsAtATime(test.cores, test.rate); got != test.want {
			t.Errorf("%d cores, %d requests per second: got %d, want %d", test.cores, test.rate, got, test.want)
		}
	}
}
