package goproxy

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// room is where the requests of an upstream wait while none of its addresses can be
// reached. Each tries now and then, all together so often that a dead upstream gets no more
// connects however many wait. The first answer lets some of them in, and each further
// answer two more, those that have waited longest first: their clients' patience ends
// soonest, and what lets in others later does not take from them what answers them now.
type room struct {
	inside atomic.Int64

	mu      sync.Mutex
	tickets int64
	queue   []*place // that answers let in, by their tickets
	letIn   int      // that were let in and are still there
}

// place is a request's in a room.
type place struct {
	ticket int64
	door   chan struct{} // closed when it is let in; nil while it is not in the queue
	in     bool          // it was let in, and is still there
}

const (
	// tryEvery is the time between two tries of all requests that wait.
	tryEvery = 500 * time.Microsecond
	// admitFirst is how many the first answer lets in, admitEach how many each further one.
	admitFirst, admitEach = 16, 2
	// admitWithin spaces the tries of one that was let in and failed, while others are
	// answered.
	admitWithin = 10 * time.Millisecond
)

// enter takes one request in and reports whether there was room, with its place.
func (r *room) enter(most int) (p *place, ok bool) {
	if r.inside.Add(1) > int64(most) {
		r.inside.Add(-1)
		return nil, false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tickets++
	return &place{ticket: r.tickets}, true
}

// leave gives a place back.
func (r *room) leave(p *place) {
	r.inside.Add(-1)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.outside(p)
	if i, found := r.find(p); found {
		r.queue = slices.Delete(r.queue, i, i+1)
	}
}

// watch puts p into the queue and returns what is closed when it is let in.
func (r *room) watch(p *place) <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.outside(p)
	if i, found := r.find(p); !found {
		p.door = make(chan struct{})
		r.queue = slices.Insert(r.queue, i, p)
	}
	return p.door
}

// outside notes that p is not among those that were let in. The caller holds mu.
func (r *room) outside(p *place) {
	if p.in {
		p.in = false
		r.letIn--
	}
}

// find returns where p is in the queue, or would be. The caller holds mu.
func (r *room) find(p *place) (int, bool) {
	return slices.BinarySearchFunc(r.queue, p.ticket, func(other *place, ticket int64) int { return cmp.Compare(other.ticket, ticket) })
}

// open lets some in, after an address has answered or new ones are known.
func (r *room) open() {
	if r.inside.Load() == 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	n := admitEach
	if r.letIn == 0 {
		n = admitFirst
	}
	n = min(n, len(r.queue))
	for _, p := range r.queue[:n] {
		p.in = true
		close(p.door)
		p.door = nil
	}
	r.letIn += n
	r.queue = slices.Delete(r.queue, 0, n)
}

// pace is how long one that waits pauses, at least d.
func (r *room) pace(d time.Duration) time.Duration {
	return max(d, time.Duration(r.inside.Load())*tryEvery)
}

// goIn has a request that was let in try, at once if it was not before.
func (x *exchange) goIn(again *time.Timer) {
	delay := time.Duration(0)
	if x.wasLetIn {
		delay = rand.N(admitWithin)
	}
	x.wasLetIn = true
	again.Reset(delay)
}

// await has the request wait for better times. It reports whether there is room for it.
func (x *exchange) await(again *time.Timer) bool {
	room := &x.up.room
	if x.place == nil {
		var ok bool
		if x.place, ok = room.enter(x.up.cfg.Retries.MaxWaiting); !ok {
			return false
		}
	}
	if x.route == "" || !x.up.cfg.NoFailover { // else another member's answer says nothing
		x.door = room.watch(x.place)
	}
	again.Reset(room.pace(x.pause()))
	return true
}

// forget drops the tries that never reached an address: whatever their number, the
// request has not been sent.
func (x *exchange) forget() {
	x.attempts = slices.DeleteFunc(x.attempts, func(a *attempt) bool { return a.finished && !a.sent.Load() })
}
