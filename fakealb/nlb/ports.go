package nlb

import (
	"sync"
	"time"
)

// ports counts the source ports that are in use towards each target. A target,
// as ip:port, can be reached from 55,000 of them, and each is in use for a minute at
// least: 55,000 connections at a time, or a minute (4.7 D).
type ports struct {
	mu  sync.Mutex
	use map[string]int
}

// take reserves a port towards a target, and reports false if limit are in use.
// The function returned gives it back, not before the time to hold it is over.
func (p *ports) take(target string, limit int, hold time.Duration) (release func(), ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.use[target] >= limit {
		return nil, false
	}
	if p.use == nil {
		p.use = map[string]int{}
	}
	p.use[target]++
	free := time.Now().Add(hold)
	return func() { time.AfterFunc(time.Until(free), func() { p.free(target) }) }, true
}

func (p *ports) free(target string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.use[target]--; p.use[target] == 0 {
		delete(p.use, target)
	}
}
