package goproxy

import (
	"net/http"
	"sync"
	"testing"
	"time"
)

func TestBudget(t *testing.T) {
	b := newBudget(25)
	now := b.last
	spent := func() (n int) {
		for b.spend(now) {
			n++
		}
		return n
	}
	if n := spent(); n != budgetMost {
		t.Errorf("%d tokens at the start, want %d", n, budgetMost)
	}
	for range 40 {
		b.earn()
	}
	if n := spent(); n != 10 {
		t.Errorf("40 requests earned %d repeats, want 10 for 25 percent", n)
	}
	now = now.Add(2 * time.Second)
	if n := spent(); n != 2*budgetFloor {
		t.Errorf("2 s earned %d repeats, want %d", n, 2*budgetFloor)
	}
	now = now.Add(time.Hour)
	if n := spent(); n != budgetMost {
		t.Errorf("an hour earned %d repeats, want at most %d", n, budgetMost)
	}
}

// When everything fails, repeats must not multiply the load.
func TestRepeatsStayWithinTheBudget(t *testing.T) {
	backends, p := startMembers(t, 2, func(u *Upstream) {
		u.Retries = Retries{BudgetPercent: 5, Window: Duration(100 * time.Millisecond)}
	})
	for _, b := range backends {
		b.handle(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "5")
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		})
	}
	const n = 600
	start := time.Now()
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			for range n / 20 {
				resp, err := http.Get(p.url)
				if err != nil {
					t.Error(err)
					return
				}
				resp.Body.Close()
			}
		})
	}
	all.Wait()
	got := backends[0].requestsAfter(time.Time{}) + backends[1].requestsAfter(time.Time{})
	most := n + n*5/100 + budgetMost + int(budgetFloor*time.Since(start).Seconds()) + 1
	if got > most || got == n {
		t.Errorf("%d requests became %d, want repeats and at most %d", n, got, most)
	}
}
