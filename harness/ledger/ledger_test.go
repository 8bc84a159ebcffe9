package ledger_test

import (
	"math/rand/v2"
	"net/netip"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/harness/ledger"
	"github.com/proxychaos/proxychaos/harness/recording"
	"github.com/proxychaos/proxychaos/harness/world"
)

func address(n int) netip.Addr { return netip.AddrFrom4([4]byte{198, 18, 0, byte(21 + n)}) }

var (
	a, b    = address(0), address(1) // in the name at the start
	spare   = address(2)
	other   = address(3) // of the second upstream
	yes, no = world.Truth(true), world.Truth(false)
)

func of(steps ...recording.Step) *ledger.Ledger {
	w := world.World{Balancers: []world.Balancer{{Name: "backend", Nodes: 2, Spare: 1}}}
	return ledger.Of(&recording.Recording{Manifest: recording.Manifest{World: w.Place(address)}, Steps: steps})
}

func step(number int, at recording.Seconds, effects ...world.Effect) recording.Step {
	return recording.Step{Number: number, Name: "step", Asked: at - 0.5, InForce: at, Effects: effects}
}

// flap: a zone leaves the name at 5, is silent from 10 to 15, and is back in it at 16;
// then once more from 20 on, without an end of the silence.
func flap() *ledger.Ledger {
	return of(
		step(1, 5, world.Effect{Node: a, Named: no}),
		step(2, 10, world.Effect{Node: a, Serves: no, How: "silence"}),
		step(3, 15, world.Effect{Node: a, Serves: yes}),
		step(4, 16, world.Effect{Node: a, Named: yes}),
		step(5, 20, world.Effect{Node: a, Named: no}),
		step(6, 25, world.Effect{Node: a, Serves: no, How: "silence"}),
	)
}

func TestAnyInstant(t *testing.T) {
	g := NewWithT(t)
	l := flap()
	for at, want := range map[recording.Seconds]struct {
		named, serves bool
		left          recording.Seconds // 0: it is not out
	}{
		-100: {true, true, 0}, 4.99: {true, true, 0}, 5: {false, true, 5}, 9: {false, true, 5}, 10: {false, false, 5},
		15.5: {false, true, 5}, 16: {true, true, 0}, 21: {false, true, 20}, 1000: {false, false, 20},
	} {
		serves, how := l.Serves(a, at)
		left, out := l.Left(a, at)
		g.Expect(l.Named(a, at)).To(Equal(want.named), "at %g", at)
		g.Expect(serves).To(Equal(want.serves), "at %g", at)
		g.Expect(how).To(Equal(map[bool]string{false: "silence"}[want.serves]), "at %g", at)
		g.Expect(out).To(Equal(want.left != 0), "at %g", at)
		if out {
			g.Expect(left).To(Equal(want.left), "at %g", at)
		}
	}
	_, out := l.Left(spare, 8)
	g.Expect(out).To(BeFalse(), "it never was in the name")
	g.Expect(l.Named(b, 8)).To(BeTrue())
}

func TestMoments(t *testing.T) {
	g := NewWithT(t)
	l := flap()
	first, ok := l.First()
	g.Expect(ok).To(BeTrue())
	g.Expect([]recording.Seconds{first.Asked, first.At}).To(Equal([]recording.Seconds{4.5, 5}))
	var losses []recording.Seconds
	for _, loss := range l.Losses() {
		losses = append(losses, loss.At)
	}
	g.Expect(losses).To(Equal([]recording.Seconds{10, 25}))
	moved, ok := l.Moved(1)
	g.Expect(ok).To(BeTrue())
	g.Expect(moved).To(BeEquivalentTo(5))
	_, ok = l.Moved(2)
	g.Expect(ok).To(BeFalse())
	g.Expect(l.Touched()).To(ConsistOf(HaveField("Addr", a)))
	g.Expect(l.Struck(a)).To(BeEmpty(), "it was never silent while the name had it")
}

func TestDiedAndMuted(t *testing.T) {
	g := NewWithT(t)
	l := flap()
	for _, tc := range []struct {
		first, last recording.Seconds
		died        bool
	}{{0, 9.4, false}, {0, 9.6, true}, {12, 13, true}, {14.9, 30, true}, {15.1, 24.4, false}, {15.1, 24.5, true}} {
		_, died := l.Died(a, tc.first, tc.last)
		g.Expect(died).To(Equal(tc.died), "%v", tc)
	}
	for at, want := range map[recording.Seconds]bool{9.4: false, 9.6: true, 14.9: true, 15: false, 26: true} {
		g.Expect(l.Muted(a, at)).To(Equal(want), "at %g", at)
	}
}

// Struck nodes are those that the name has and that do not serve.
func TestStruckAndWhole(t *testing.T) {
	g := NewWithT(t)
	l := of(
		step(1, 5, world.Effect{Node: a, Serves: no, How: "refuse"}),
		step(2, 6, world.Effect{Resolves: no, How: "servfail"}), // overlapping
		step(3, 8, world.Effect{Node: a, Serves: yes}),
		step(4, 9, world.Effect{Resolves: yes}),
	)
	g.Expect(l.Struck(a)).To(Equal([]ledger.Span{{From: 5, To: 8}}))
	g.Expect(l.Unresolved()).To(Equal([]ledger.Span{{From: 6, To: 9}}))
	g.Expect(l.Whole()).To(BeEquivalentTo(9))
	g.Expect([]bool{l.Resolves(5.9), l.Resolves(6), l.Resolves(9)}).To(Equal([]bool{true, false, true}))
	g.Expect(of(step(1, 5, world.Effect{Node: a, Serves: no})).Whole()).To(Equal(ledger.Forever))
}

// What one step does in two instants it does at once: the name moved in it.
func TestOneStepIsOneInstant(t *testing.T) {
	g := NewWithT(t)
	l := of(step(1, 5.001, world.Effect{Node: a, Serves: no, How: "silence"}), step(1, 5.003, world.Effect{Node: a, Named: no}))
	g.Expect(l.Struck(a)).To(BeEmpty())
	g.Expect(l.Losses()).To(HaveLen(1))
	both := of(step(1, 5, world.Effect{Node: a, Named: no}), step(1, 5, world.Effect{Node: a, Serves: no}))
	serves, _ := both.Serves(a, 5)
	g.Expect([]bool{serves, both.Named(a, 5)}).To(Equal([]bool{false, false}))
}

func TestAvailable(t *testing.T) {
	g := NewWithT(t)
	l := of(
		step(1, 5, world.Effect{Node: a, Serves: no}, world.Effect{Node: b, Serves: no}),
		step(2, 8, world.Effect{Node: spare, Named: yes}),
	)
	for _, tc := range []struct {
		first, last recording.Seconds
		want        bool
	}{{0, 1, true}, {4.4, 7, true}, {4.6, 7, false}, {5.1, 7.9, false}, {5.1, 8, true}, {9, 10, true}} {
		g.Expect(l.Available(1, tc.first, tc.last)).To(Equal(tc.want), "%v", tc)
	}
	g.Expect(l.Available(2, 5.1, 7.9)).To(BeTrue(), "the other upstream has nodes of its own")
}

// The agent did not say when: the time at which it was asked stands in, else the plan.
func TestTimesThatAreNotKnown(t *testing.T) {
	g := NewWithT(t)
	l := of(recording.Step{Planned: 4, Asked: 5, Effects: []world.Effect{{Node: a, Serves: no}}})
	g.Expect(l.Losses()[0].At).To(BeEquivalentTo(5))
	l = of(recording.Step{Planned: 4, Effects: []world.Effect{{Node: a, Serves: no}}})
	first, _ := l.First()
	g.Expect([]recording.Seconds{first.Asked, first.At}).To(Equal([]recording.Seconds{4, 4}))
}

// A node that does not serve has nothing left to take away, but one that serves in part has.
func TestWhatIsTakenAwayTwiceIsOneLoss(t *testing.T) {
	g := NewWithT(t)
	silence := world.Effect{Node: a, Serves: no, How: "silence"}
	at := func(steps ...recording.Step) []recording.Seconds {
		var losses []recording.Seconds
		for _, loss := range of(steps...).Losses() {
			losses = append(losses, loss.At)
		}
		return losses
	}
	fails := world.Effect{Resolves: no, How: "servfail"}
	g.Expect(at(step(1, 5, silence), step(2, 8, world.Effect{Node: a, Serves: no, How: "refuse"}))).To(HaveExactElements(BeEquivalentTo(5)))
	g.Expect(at(step(1, 5, silence), step(2, 8, silence, world.Effect{Node: b, Serves: no}))).To(HaveLen(2), "one more node")
	g.Expect(at(step(1, 5, world.Effect{Node: a, Serves: no, Partly: true, How: "error"}), step(2, 8, silence))).To(HaveLen(2))
	g.Expect(at(step(1, 5, silence), step(2, 8, world.Effect{Node: a, Serves: yes}), step(3, 9, silence))).To(HaveLen(2))
	g.Expect(at(step(1, 5, fails), step(2, 8, fails))).To(HaveLen(1))
}

// A change cannot have been asked for after it was in force.
func TestAReversedTime(t *testing.T) {
	l := of(recording.Step{Number: 1, Asked: 7, InForce: 5, Effects: []world.Effect{{Node: a, Serves: no, How: "silence"}}})
	_, died := l.Died(a, 0, 6)
	NewWithT(t).Expect([]bool{died, l.Muted(a, 6)}).To(Equal([]bool{true, true}))
}

// A node that is sent to at the instant at which one silence replaces another is struck.
func TestStruckAtABoundary(t *testing.T) {
	l := of(step(1, 5, world.Effect{Node: a, Serves: no, How: "silence"}), step(2, 8, world.Effect{Node: a, Serves: no, How: "refuse"}))
	NewWithT(t).Expect(l.Struck(a)).To(Equal([]ledger.Span{{From: 5, To: ledger.Forever}}))
}

// A node that serves in part could have served any request.
func TestAvailableInPart(t *testing.T) {
	g := NewWithT(t)
	strike := func(partly bool) *ledger.Ledger {
		return of(step(1, 5, world.Effect{Node: a, Serves: no, Partly: partly}, world.Effect{Node: b, Serves: no}), step(2, 9, world.Effect{Node: a, Serves: no}))
	}
	g.Expect([]bool{strike(true).Available(1, 6, 7), strike(false).Available(1, 6, 7), strike(true).Available(1, 9, 10)}).To(Equal([]bool{true, false, false}))
}

// A name that only gets more nodes does not move: what a proxy knows of it is still true.
func TestScaleOutMovesWhenANodeLeaves(t *testing.T) {
	g := NewWithT(t)
	l := of(step(1, 5, world.Effect{Node: spare, Named: yes}), step(2, 13, world.Effect{Node: a, Named: no}))
	moved, ok := l.Moved(1)
	g.Expect(ok).To(BeTrue())
	g.Expect(moved).To(BeEquivalentTo(13))
	_, ok = of(step(1, 5, world.Effect{Node: spare, Named: yes})).Moved(1)
	g.Expect(ok).To(BeFalse())
	g.Expect(l.Losses()).To(BeEmpty())
}

// To give a name a node that does not serve takes something away.
func TestANameThatMovesToABrokenNode(t *testing.T) {
	g := NewWithT(t)
	l := of(step(1, 5, world.Effect{Node: spare, Serves: no, How: "refuse"}), step(2, 10, world.Effect{Node: a, Named: no}, world.Effect{Node: spare, Named: yes}))
	var losses []recording.Seconds
	for _, loss := range l.Losses() {
		losses = append(losses, loss.At)
	}
	g.Expect(losses).To(Equal([]recording.Seconds{5, 10}))
	g.Expect(l.Struck(spare)).To(Equal([]ledger.Span{{From: 10, To: ledger.Forever}}))
}

// The ledger says at every instant what the states say that the effects make, whatever
// the steps are and in which order their rows stand.
func TestLedgerAgreesWithStates(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	w := world.World{Balancers: []world.Balancer{{Name: "backend", Nodes: 2, Spare: 2}}}
	topology := w.Place(address)
	for round := range 200 {
		state := topology.Start()
		var steps []recording.Step
		states := []world.State{state}
		for i := range 12 {
			var effects []world.Effect
			for range 1 + random.IntN(3) {
				e := world.Effect{Node: topology.Nodes[random.IntN(4)].Addr}
				switch truth := world.Truth(random.IntN(2) == 0); random.IntN(3) {
				case 0:
					e.Named = truth
				case 1:
					e.Serves = truth
				default:
					e = world.Effect{Resolves: truth}
				}
				effects = append(effects, e)
			}
			steps = append(steps, step(i+1, recording.Seconds(i+1), effects...))
			state = state.With(effects...)
			states = append(states, state)
		}
		random.Shuffle(len(steps), func(i, j int) { steps[i], steps[j] = steps[j], steps[i] })
		l := ledger.Of(&recording.Recording{Manifest: recording.Manifest{World: topology}, Steps: steps})
		for i, want := range states {
			at := recording.Seconds(i) + recording.Seconds(random.Float64())
			if l.Resolves(at) != want.Resolves {
				t.Fatalf("round %d: at %g the resolvers answer %t, want %t", round, at, l.Resolves(at), want.Resolves)
			}
			for _, n := range want.Nodes {
				serves, _ := l.Serves(n.Addr, at)
				_, left := l.Left(n.Addr, at)
				if l.Named(n.Addr, at) != n.Named || serves != n.Serves || left != n.Left {
					t.Fatalf("round %d: at %g %s is named %t, serves %t, left %t, want %+v", round, at, n.Addr, l.Named(n.Addr, at), serves, left, n)
				}
			}
		}
	}
}

func TestNamesLeadToUpstreams(t *testing.T) {
	g := NewWithT(t)
	l := flap()
	leads := l.Leads([]recording.Query{
		{Name: "Api.example.com", Answers: []netip.Addr{a, b}, Probe: true},
		{Name: "login.example.com", Answers: []netip.Addr{other}},
		{Name: "api.example.com"},
		{Name: "metrics.example.com", Answers: []netip.Addr{netip.MustParseAddr("203.0.113.1")}},
	})
	g.Expect(leads).To(Equal(map[string]int{"api.example.com": 1, "login.example.com": 2}))
	g.Expect(l.Current(recording.Query{At: 6, Answers: []netip.Addr{b}})).To(BeTrue())
	g.Expect(l.Current(recording.Query{At: 6, Answers: []netip.Addr{a, b}})).To(BeFalse(), "the name had left one of them")
	g.Expect(l.Current(recording.Query{At: 6})).To(BeFalse(), "it is empty")
}

// A recording that broke off has no world, and one of another build may name nodes
// that it does not have.
func TestStrangeRecordings(t *testing.T) {
	g := NewWithT(t)
	empty := ledger.Of(&recording.Recording{Steps: []recording.Step{step(1, 5, world.Effect{Node: a, Serves: no})}})
	serves, _ := empty.Serves(a, 9)
	g.Expect(serves).To(BeTrue())
	_, ok := empty.First()
	g.Expect(ok).To(BeTrue())
	stranger := netip.MustParseAddr("203.0.113.1")
	l := of(step(1, 5, world.Effect{Node: stranger, Named: no}))
	g.Expect(l.Upstream(stranger)).To(BeZero())
	_, out := l.Left(stranger, 9)
	g.Expect(out).To(BeFalse())
	none, ok := of().First()
	g.Expect(ok).To(BeFalse())
	g.Expect(none.At).To(Equal(ledger.Forever))
}

// DNS fails from 5 to 8, and from 12 on.
func TestTells(t *testing.T) {
	g := NewWithT(t)
	l := of(
		step(1, 5, world.Effect{Resolves: no, How: "servfail"}),
		step(2, 8, world.Effect{Resolves: yes}),
		step(3, 12, world.Effect{Resolves: no, How: "servfail"}),
	)
	for at, want := range map[recording.Seconds]recording.Seconds{-3: -3, 4.9: 4.9, 5: 8, 7: 8, 8: 8, 11: 11, 12: ledger.Forever, 99: ledger.Forever} {
		g.Expect(l.Tells(at)).To(Equal(want), "from %g on", at)
	}
}

// A proxy that looks every 2 s knows what the resolvers told for as long without a break. A step
// that changes nothing of it is no break.
func TestTold(t *testing.T) {
	g := NewWithT(t)
	l := of(
		step(1, 3, world.Effect{Resolves: yes}),
		step(2, 5, world.Effect{Resolves: no, How: "servfail"}),
		step(3, 8, world.Effect{Resolves: yes}),
		step(4, 9, world.Effect{Resolves: no, How: "servfail"}),
		step(5, 12, world.Effect{Resolves: yes}),
	)
	for at, want := range map[recording.Seconds]recording.Seconds{-3: -1, 2: 4, 3: 5, 3.1: 14, 7: 14, 12: 14, 20: 22} {
		g.Expect(l.Told(at, 2)).To(Equal(want), "what came at %g", at)
	}
	g.Expect(of(step(1, 5, world.Effect{Resolves: no})).Told(4, 2)).To(Equal(ledger.Forever))
}

// A name that moves while DNS fails is not known to have moved before it is back.
func TestOutdatedFromWhenDNSTells(t *testing.T) {
	l := of(
		step(1, 5, world.Effect{Resolves: no, How: "servfail"}),
		step(2, 6, world.Effect{Node: a, Named: no}),
		step(3, 10, world.Effect{Resolves: yes}),
	)
	NewWithT(t).Expect(l.Outdated(a, 2)).To(Equal([]ledger.Span{{From: 12, To: ledger.Forever}}))
}
