package judge_test

import (
	"fmt"
	"testing"

	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
)

// asked is a follower whose nodes see the query of each request, but for those given.
func asked(without ...uint64) *world {
	w := follower()
	w.Manifest.Way.Paths = []string{"/"}
	for i := range w.Attempts {
		w.Attempts[i].Path = fmt.Sprintf("/?q=a&proxychaos=%d", w.Attempts[i].Seq)
	}
	for _, seq := range without {
		w.Attempts[seq-1].Path = fmt.Sprintf("/?proxychaos=%d1", seq) // another one's
	}
	return w
}

func TestQueriesThatAreLost(t *testing.T) {
	v := asked(3, 9).judge()
	wantResult(t, v, judge.Pass, "0 of 1,000 requests failed")
	wantText(t, v, judge.QueryLost, "2 requests reached nodes without the query string that the client had sent: no status shows it")
	if v.QueriesLost != 2 {
		t.Errorf("got %d, want 2", v.QueriesLost)
	}
	strict := asked(3, 9)
	strict.Manifest.Plan.Budget.Query = true
	v = strict.judge()
	wantResult(t, v, judge.Fail, "2 requests reached nodes without their query; 0 of 1,000 requests failed")
	wantFindings(t, v, judge.QueryLost, judge.FollowedDNS)
}

func TestQueriesThatAreKept(t *testing.T) {
	kept := asked()
	kept.Manifest.Plan.Budget.Query = true
	wantFindings(t, kept.judge(), judge.FollowedDNS)
	old := asked(3) // a recording from before requests had a query
	old.Manifest.Way = recording.Way{}
	wantFindings(t, old.judge(), judge.FollowedDNS)
}
