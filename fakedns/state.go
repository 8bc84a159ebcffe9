package fakedns

import (
	"cmp"
	"reflect"
	"slices"
	"time"

	"github.com/proxychaos/proxychaos/harness/control"
)

// state is everything that decides an answer, at one moment. It is replaced as a
// whole, so that no query ever sees half a change.
type state struct {
	table    *table
	faults   []*activeFault // in the order of their first PUT
	revision uint64
}

// Change is one entry of the history.
type Change struct {
	// Revision is the state the change made; a [Query] names the one it was answered from.
	Revision uint64 `json:"revision"`
	Action   Action `json:"action"`
	// InForceAt is when the change took effect, or will: when a fault with After begins,
	// when a name with Propagation changes or goes. A query received then or later sees it.
	InForceAt time.Time `json:"in_force_at"`
	// Names that were put, as they were stored.
	Names []Name `json:"names,omitempty"`
	// Fault that was put, as it was stored.
	Fault *Fault `json:"fault,omitempty"`
	// Deleted is the name or the fault id that was deleted.
	Deleted string `json:"deleted,omitempty"`
}

// Action is the kind of a [Change].
type Action string

// The actions.
const (
	ActionPutNames    Action = "names.put"
	ActionDeleteName  Action = "names.delete"
	ActionPutFault    Action = "faults.put"
	ActionDeleteFault Action = "faults.delete"
	ActionReset       Action = "reset"
)

// swap puts the next state in force and notes the change. The caller holds s.mu.
func (s *Server) swap(next state, c Change) time.Time {
	next.revision = s.state.Load().revision + 1
	s.state.Store(&next)
	c.Revision = next.revision
	if c.InForceAt.IsZero() {
		c.InForceAt = time.Now()
	}
	s.history = append(s.history, c)
	s.log.wake()
	return c.InForceAt
}

// PutNames sets or replaces these names in one step and returns when that took
// effect, or when it will for the last of those with Propagation; other names stay
// as they are. Errors are *Error, and then nothing changed.
func (s *Server) PutNames(names ...Name) (time.Time, error) {
	if len(names) == 0 {
		return time.Time{}, invalid("names", "empty, want at least one name")
	}
	checked, err := normalizeNames(names)
	if err != nil {
		return time.Time{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.state.Load()
	next, from, err := now.table.with(checked, time.Now())
	if err != nil {
		return time.Time{}, err
	}
	c := Change{Action: ActionPutNames, Names: checked, InForceAt: from}
	return s.swap(state{table: next, faults: now.faults}, c), nil
}

// DeleteName forgets a name and returns when that took effect, or when it will:
// propagation later, until which it is answered as before. 0 is at once; Route 53
// takes up to 60 s (aws-facts 1.11, 5.10).
func (s *Server) DeleteName(name string, propagation time.Duration) (time.Time, error) {
	key, err := hostname("name", name)
	if err != nil {
		return time.Time{}, err
	}
	if err := checkPropagation(propagation); err != nil {
		return time.Time{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.state.Load()
	if now.table.set(key) == nil {
		return time.Time{}, control.NotFound("name", "no name %q is set", key)
	}
	next, from, err := now.table.without(key, propagation, time.Now())
	if err != nil {
		return time.Time{}, err
	}
	c := Change{Action: ActionDeleteName, Deleted: key, InForceAt: from}
	return s.swap(state{table: next, faults: now.faults}, c), nil
}

// Names returns the names that are set, sorted. A change on its way is in it already.
func (s *Server) Names() []Name { return s.state.Load().table.names() }

// PutFault sets the fault with this id and returns when it takes effect. Putting
// the same fault again changes nothing and returns the first time: to start its
// count or window anew, delete it first. A different one replaces it in its place.
func (s *Server) PutFault(f Fault) (time.Time, error) {
	f, err := f.normalize()
	if err != nil {
		return time.Time{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.state.Load()
	at := slices.IndexFunc(now.faults, func(a *activeFault) bool { return a.ID == f.ID })
	if at >= 0 && reflect.DeepEqual(now.faults[at].Fault, f) {
		return now.faults[at].inForceAt, nil
	}
	active := activate(f, now, &s.cfg, time.Now())
	faults := slices.Clone(now.faults)
	if at >= 0 {
		faults[at] = active
	} else {
		faults = append(faults, active)
	}
	c := Change{Action: ActionPutFault, Fault: &f}
	if f.After > 0 {
		c.InForceAt = active.from
	}
	active.inForceAt = s.swap(state{table: now.table, faults: faults}, c)
	return active.inForceAt, nil
}

// DeleteFault ends a fault and returns when that took effect.
func (s *Server) DeleteFault(id string) (time.Time, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.state.Load()
	at := slices.IndexFunc(now.faults, func(a *activeFault) bool { return a.ID == id })
	if at < 0 {
		return time.Time{}, control.NotFound("id", "no fault %q is set", id)
	}
	faults := slices.Delete(slices.Clone(now.faults), at, at+1)
	return s.swap(state{table: now.table, faults: faults}, Change{Action: ActionDeleteFault, Deleted: id}), nil
}

// Faults returns every fault that was put and not deleted, in the order they apply.
func (s *Server) Faults() []FaultStatus {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	list := []FaultStatus{}
	for _, f := range s.state.Load().faults {
		list = append(list, f.status(now))
	}
	return list
}

// Reset goes back to Config.Names and no fault, empties the query log (Seq goes on
// rising) and the history, of which only the reset remains.
func (s *Server) Reset() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.history = nil
	// New has checked these names.
	initial, _, _ := newTable().with(s.cfg.Names, time.Now())
	at := s.swap(state{table: initial}, Change{Action: ActionReset})
	s.log.clear()
	return at
}

// History returns every change since the start or the last reset, oldest first.
func (s *Server) History() []Change {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.history)
}

// changesAfter returns the changes with a higher revision. They are not copied: no
// entry of the history is ever written twice.
func (s *Server) changesAfter(revision uint64) []Change {
	s.mu.Lock()
	defer s.mu.Unlock()
	unseen, _ := slices.BinarySearchFunc(s.history, revision+1, func(c Change, r uint64) int {
		return cmp.Compare(c.Revision, r)
	})
	return s.history[unseen:]
}
