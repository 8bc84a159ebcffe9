package judge_test

import (
	"net/netip"
	"testing"

	"github.com/proxychaos/proxychaos/harness/judge"
)

// A resolver that goes on with the old nodes is named; one that is right a moment late is not.
func TestAResolverThatIsBehind(t *testing.T) {
	w := follower()
	if _, found := finding(w.judge(), judge.StaleAnswers); found {
		t.Error("got stale-answers, and each answer was right")
	}
	w.query(5.9, old1, old2) // 0.9 s after the move
	if _, found := finding(w.judge(), judge.StaleAnswers); found {
		t.Error("got stale-answers of an answer from before the name could be known to have moved")
	}
	for at := seconds(6.5); at < 10; at++ {
		w.query(at, old1)
		w.Queries[len(w.Queries)-1].Resolver = netip.MustParseAddrPort("10.0.8.53:53")
	}
	wantText(t, w.judge(), judge.StaleAnswers, "backend.example.com: 4 of 20 DNS queries after the name moved were answered with nodes that it had left, at 10.0.8.53")
}
