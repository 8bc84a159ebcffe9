package goproxy

import (
	"sync"
	"time"
)

// budget bounds repeats as a share of the requests, so that an overloaded
// upstream is not loaded further. A floor per second keeps a quiet proxy able
// to repeat at all.
type budget struct {
	share float64 // tokens a request earns
	mu    sync.Mutex
	have  float64
	last  time.Time
}

const (
	budgetFloor = 10  // tokens earned each second
	budgetMost  = 100 // tokens saved at most
)

func newBudget(percent int) *budget {
	return &budget{share: float64(percent) / 100, have: budgetMost, last: time.Now()}
}

// earn counts a request.
func (b *budget) earn() {
	b.mu.Lock()
	b.have = min(b.have+b.share, budgetMost)
	b.mu.Unlock()
}

// spend takes a token if there is one.
func (b *budget) spend(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if elapsed := now.Sub(b.last); elapsed > 0 {
		b.have = min(b.have+budgetFloor*elapsed.Seconds(), budgetMost)
		b.last = now
	}
	if b.have < 1 {
		return false
	}
	b.have--
	return true
}
