package judge_test

import (
	"strings"
	"testing"

	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
)

// forwarded is a follower whose nodes see who the client of each request is, after those hops that
// come before it, but for those given.
func forwarded(without ...uint64) *world {
	w := follower()
	w.Manifest.Plan.Budget.Client = true
	for i := range w.Attempts {
		w.Attempts[i].ForwardedFor = recording.Client(w.Attempts[i].Seq).String() + ", 198.18.1.3"
	}
	for _, seq := range without {
		w.Attempts[seq-1].ForwardedFor = "198.18.1.3"
	}
	return w
}

func TestClientsThatAreLost(t *testing.T) {
	v := forwarded(3, 9).judge()
	wantResult(t, v, judge.Fail, "2 requests reached nodes without the address of their client; 0 of 1,000 requests failed")
	wantText(t, v, judge.ClientLost, "2 requests reached nodes without the address of the client in X-Forwarded-For, such as 198.18.1.3 in place of 203.0.113.4: no status shows it")
	wantFindings(t, v, judge.ClientLost, judge.FollowedDNS)
	if v.ClientsLost != 2 {
		t.Errorf("got %d, want 2", v.ClientsLost)
	}
	none := forwarded(3)
	none.Attempts[2].ForwardedFor = ""
	wantText(t, none.judge(), judge.ClientLost, "1 request reached nodes without the address of the client in X-Forwarded-For, such as nothing in place of 203.0.113.4: no status shows it")
}

func TestClientsThatAreKept(t *testing.T) {
	wantFindings(t, forwarded().judge(), judge.FollowedDNS)
	tight := forwarded()
	for i := range tight.Attempts {
		tight.Attempts[i].ForwardedFor = strings.ReplaceAll(tight.Attempts[i].ForwardedFor, ", ", ",")
	}
	wantFindings(t, tight.judge(), judge.FollowedDNS)
	other := forwarded(3)
	other.Manifest.Plan.Budget.Client = false
	wantFindings(t, other.judge(), judge.FollowedDNS)
	given := forwarded(3) // HEADERS= says who the client is
	given.Manifest.Way.Headers = map[string]string{recording.ForwardedFor: "192.0.2.1"}
	wantFindings(t, given.judge(), judge.FollowedDNS)
}
