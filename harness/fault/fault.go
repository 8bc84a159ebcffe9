// Package fault holds the things a scenario does to the world around a proxy: a
// name's answers change, nodes go silent, refuse, or refuse TLS, targets fail,
// resolvers fail.
//
// A fault is small: it says its name, says as data what it will change, applies
// itself through the control APIs of the fakes, and proves from the proxy's own
// place in the network that it took hold. It never sees a test handle.
// docs/adding-a-fault.md walks through writing one more.
package fault

import (
	"context"
	"sync"
	"time"

	"github.com/proxychaos/proxychaos/harness/world"
)

// Fault is one thing done to the world. Its exported fields are its JSON.
type Fault interface {
	// Name is the legend entry of the fault: "name moves to new nodes".
	Name() string
	// Effects are what is true once it is in force on a world in this state. It
	// changes nothing.
	Effects(world.State) []world.Effect
	// Apply returns once the fault is in force, with the time at which the
	// agent put it in force.
	Apply(context.Context, *Live) (time.Time, error)
	// Prove looks from the proxy's place whether the fault took hold: one proof
	// for each thing that was looked at, at least one.
	Prove(context.Context, *Live) []Proof
}

// Preparer is a Fault that has to set something up shortly before it applies,
// for its proof.
type Preparer interface {
	Prepare(context.Context, *Live) error
}

// Checker is a Fault whose fields can be wrong.
type Checker interface {
	Check() error
}

// Picker is a Fault that is about nodes that it picks.
type Picker interface {
	Picks() world.Pick
}

// OverTLS is a Fault that shows nothing on a proxy that speaks plain HTTP to its
// upstream.
type OverTLS interface {
	OverTLS() bool
}

// Proof is one observation, with the wall-clock time it was made.
type Proof struct {
	OK     bool
	At     time.Time
	Detail string
}

// prove makes one Proof of an observation.
func prove(ok bool, detail string) Proof {
	return Proof{OK: ok, At: time.Now(), Detail: detail}
}

// proveEach looks at all nodes at the same time.
func proveEach(nodes []world.NodeState, look func(world.NodeState) Proof) []Proof {
	if len(nodes) == 0 {
		return []Proof{prove(false, "there is no such node at this time: nothing was done")}
	}
	proofs := make([]Proof, len(nodes))
	var wg sync.WaitGroup
	for i, node := range nodes {
		wg.Go(func() { proofs[i] = look(node) })
	}
	wg.Wait()
	return proofs
}
