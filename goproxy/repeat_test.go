package goproxy

import (
	"errors"
	"testing"
	"time"
)

// When it is too late to try again, a request that another address still has, if only one
// that has left, is not given up: that may answer.
func TestNotGivenUpWhileAnAnswerMayCome(t *testing.T) {
	u := members(t, 2, func(u *Upstream) { u.Retries.Window = Duration(time.Second) })
	req := &request{client: &slowTaker{ctx: t.Context()}, route: &boundRoute{}}
	x := &req.exchange
	x.up, x.req, x.start, x.set, x.repeatable, x.mayCopy = u, req, time.Now().Add(-2*time.Second), u.set.Load(), true, true
	x.share()
	first, second := &attempt{endpoint: u.at(1), start: x.start, cancel: nothing}, &attempt{endpoint: u.at(2), start: x.start, cancel: nothing}
	for why, a := range map[reason]*attempt{firstTry: first, rescue: second} {
		a.sent.Store(true)
		x.begin(a, why)
	}
	u.at(1).departed.Store(true)
	second.finished = true
	if got := x.afterFailure(result{second, errors.New("failed")}); got != keepWaiting {
		t.Errorf("got %v while the first address may answer, want %v", got, keepWaiting)
	}
	first.finished = true
	if got := x.afterFailure(result{first, errors.New("failed")}); got != giveUp {
		t.Errorf("got %v when nobody may answer, want %v", got, giveUp)
	}
}
