package goproxy

import (
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// room is where the requests of an upstream wait while none of its addresses can be
// reached. Those that wait try by turns, so that however many there are, a dead upstream
// gets no more connects, and the first answer lets in all of them.
type room struct {
	inside  atomic.Int64
	tickets atomic.Int64 // how many have entered so far

	mu   sync.Mutex
	door chan struct{} // closed by the next answer; nil while nobody watches it
}

const (
	// tryEvery is the time between two tries of all requests that wait.
	tryEvery = 500 * time.Microsecond
	// admitEvery is the time between two that are let in.
	admitEvery = 250 * time.Microsecond
	// admitWithin spaces the tries of one that was let in and failed, while others are
	// answered.
	admitWithin = 10 * time.Millisecond
)

// enter takes one request in and reports whether there was room, with its ticket.
func (r *room) enter(most int) (ticket int64, ok bool) {
	if r.inside.Add(1) > int64(most) {
		r.inside.Add(-1)
		return 0, false
	}
	return r.tickets.Add(1), true
}

func (r *room) leave() { r.inside.Add(-1) }

// watch returns what the next answer closes.
func (r *room) watch() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.door == nil {
		r.door = make(chan struct{})
	}
	return r.door
}

// open tells those that wait that an address has answered.
func (r *room) open() {
	if r.inside.Load() == 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.door != nil {
		close(r.door)
		r.door = nil
	}
}

// pace is how long one that waits pauses, at least d.
func (r *room) pace(d time.Duration) time.Duration {
	return max(d, time.Duration(r.inside.Load())*tryEvery)
}

// turn is when one that waits is let in, after the door was opened, and again if it was
// before. Who has waited longest is first, and at once: its client's patience ends soonest.
func (r *room) turn(ticket int64, again bool) time.Duration {
	before := max(0, ticket-(r.tickets.Load()-r.inside.Load())-1)
	turn := time.Duration(before) * admitEvery
	if again {
		turn += rand.N(admitWithin)
	}
	return turn
}

// letIn has a request that waits try again when it is its turn.
func (x *exchange) letIn(again *time.Timer) {
	again.Reset(x.up.room.turn(x.ticket, x.wasLetIn))
	x.wasLetIn = true
}

// await has the request wait for better times. It reports whether there is room for it.
func (x *exchange) await(again *time.Timer) bool {
	room := &x.up.room
	if !x.inRoom {
		if x.ticket, x.inRoom = room.enter(x.up.cfg.Retries.MaxWaiting); !x.inRoom {
			return false
		}
	}
	if x.route == "" || !x.up.cfg.NoFailover { // else another member's answer says nothing
		x.door = room.watch()
	}
	again.Reset(room.pace(x.pause()))
	return true
}

// forget drops the tries that never reached an address: whatever their number, the
// request has not been sent.
func (x *exchange) forget() {
	x.attempts = slices.DeleteFunc(x.attempts, func(a *attempt) bool { return a.finished && !a.sent.Load() })
}
