package run

import (
	"fmt"
	"testing"

	"github.com/proxychaos/proxychaos/fakealb/record"
)

// A request that the load balancer had no target for was carried out by nobody, whatever status
// its cloud says that with: a proxy that sends it to another one has not sent it twice.
func TestWithoutTargetOnEveryCloud(t *testing.T) {
	for of, status := range map[string]int{"": 503, "aws": 503, "gcp": 503, "gcp-classic": 502, "gcp-internal": 503, "azure": 502} {
		for _, tc := range []struct {
			row  record.Attempt
			want bool
		}{
			{record.Attempt{Status: status}, true},
			{record.Attempt{Status: status, Target: "t1:80"}, false},
			{record.Attempt{Status: 200, Target: "t1:80"}, false},
			{record.Attempt{Status: 504}, false},
			{record.Attempt{}, false},
		} {
			t.Run(fmt.Sprintf("%s/%d/%s", of, tc.row.Status, tc.row.Target), func(t *testing.T) {
				if got := withoutTarget(tc.row, of); got != tc.want {
					t.Errorf("got %t, want %t", got, tc.want)
				}
			})
		}
	}
}
