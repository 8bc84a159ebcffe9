package harness_test

import (
	"net/netip"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/recording"
)

var (
	graceful = harness.Scenario{
		Name: "graceful", OldEnd: "silence", Proofs: []string{recording.ProofNameMoved},
		Timeline: []harness.Step{{At: harness.AtFlip}, {At: harness.AfterGrace}},
	}
	abrupt = harness.Scenario{
		Name: "abrupt", OldEnd: "silence", Budget: harness.Budget{Recovery: true},
		Timeline: []harness.Step{{At: harness.AtFlip}, {At: harness.AtFlip}},
	}
	subject = harness.Subject{Kind: harness.Nginx, Name: "variable", Role: harness.Fix, Refresh: 3 * time.Second}
)

func plan(t *testing.T, s harness.Scenario, who harness.Subject, set harness.Settings) recording.Plan {
	t.Helper()
	p, err := s.PlanOf(who, set, harness.Pools{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPlanFillsInEveryNumber(t *testing.T) {
	g := NewWithT(t)
	pools := harness.Pools{Old: []netip.Addr{netip.MustParseAddr("198.18.0.21")}, Fresh: []netip.Addr{netip.MustParseAddr("198.18.0.31")}}
	p, err := graceful.PlanOf(subject, harness.DefaultSettings(), pools)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(p.TTL).To(BeEquivalentTo(1))
	g.Expect(p.Refresh).To(BeEquivalentTo(3))
	g.Expect(p.Grace).To(BeEquivalentTo(8))
	g.Expect(p.FlipAt).To(Equal(recording.Of(harness.Timing.Healthy) + p.Phase))
	g.Expect(float64(p.RetireAt)).To(BeNumerically("~", float64(p.FlipAt)+8, 1e-6))
	g.Expect(float64(p.Duration)).To(BeNumerically("~", float64(p.RetireAt)+harness.Timing.After.Seconds(), 0.5))
	g.Expect(p.Rate).To(Equal(100))
	g.Expect(p.Seed).To(BeEquivalentTo(1))
	g.Expect(p.Old).To(Equal(pools.Old))
	g.Expect(p.Fresh).To(Equal(pools.Fresh))
	g.Expect(p.OldEnd).To(Equal("silence"))
	g.Expect(p.Proofs).To(Equal(graceful.Proofs))
	g.Expect(p.Budget).To(Equal(recording.Budget{}), "with a grace nothing may fail")
}

func TestGraceMustOutlastTTLAndRefresh(t *testing.T) {
	g := NewWithT(t)
	set := harness.DefaultSettings()
	set.Grace = 4 * time.Second // TTL 1 s + refresh 3 s
	_, err := graceful.PlanOf(subject, set, harness.Pools{})
	g.Expect(err).To(MatchError(And(ContainSubstring("GRACE=4s"), ContainSubstring("TTL 1s"), ContainSubstring("refresh 3s"), ContainSubstring("raise GRACE"))))
	set.Grace += time.Millisecond
	g.Expect(plan(t, graceful, subject, set).Grace).To(BeEquivalentTo(4.001))
	set.Grace = time.Second
	g.Expect(plan(t, abrupt, subject, set).Grace).To(BeZero(), "an abrupt end has no grace that could be too short")
}

// The reference may lose nothing even where others may.
func TestBudgetOfAnAbruptEnd(t *testing.T) {
	g := NewWithT(t)
	set := harness.DefaultSettings()
	set.TTL = 2 * time.Second
	p := plan(t, abrupt, subject, set)
	g.Expect(p.Budget.RecoverWithin).To(BeEquivalentTo(2 + 3 + 1))
	g.Expect(p.RetireAt).To(Equal(p.FlipAt))
	g.Expect(float64(p.Duration-p.RetireAt)).To(BeNumerically(">=", float64(p.Budget.RecoverWithin)), "the load outlasts what may fail")
	reference := subject
	reference.Role = harness.Reference
	g.Expect(plan(t, abrupt, reference, set).Budget).To(Equal(recording.Budget{}))
}

func TestPhaseIsDrawnFromTheSeed(t *testing.T) {
	g := NewWithT(t)
	slow := subject
	slow.Refresh = 10 * time.Second
	for _, tc := range []struct {
		who   harness.Subject
		below time.Duration
	}{{subject, harness.Timing.Phase}, {slow, slow.Refresh}} {
		drawn := map[recording.Seconds]bool{}
		var least, most recording.Seconds = 1e9, 0
		for seed := range uint64(200) {
			set := harness.DefaultSettings()
			set.Seed, set.Grace = seed, time.Minute
			p := plan(t, graceful, tc.who, set)
			g.Expect(p.Phase).To(BeNumerically(">=", 0))
			g.Expect(p.Phase).To(BeNumerically("<", tc.below.Seconds()))
			g.Expect(plan(t, graceful, tc.who, set)).To(Equal(p), "the same seed gives the same plan")
			drawn[p.Phase] = true
			least, most = min(least, p.Phase), max(most, p.Phase)
		}
		g.Expect(len(drawn)).To(BeNumerically(">", 190), "seeds that differ give phases that differ")
		g.Expect(float64(least)).To(BeNumerically("<", 0.05*tc.below.Seconds()), "from the whole period")
		g.Expect(float64(most)).To(BeNumerically(">", 0.95*tc.below.Seconds()))
	}
	huge := subject
	huge.Refresh = 10 * time.Minute
	set := harness.DefaultSettings()
	set.Grace = 20 * time.Minute
	g.Expect(plan(t, graceful, huge, set).Phase).To(BeNumerically("<", harness.Timing.MaxPhase.Seconds()))
}

func TestPhaseDependsOnWhoIsTested(t *testing.T) {
	g := NewWithT(t)
	set := harness.DefaultSettings()
	other := subject
	other.Name = "static"
	g.Expect(plan(t, graceful, subject, set).Phase).NotTo(Equal(plan(t, graceful, other, set).Phase))
	a, b := subject, other
	a.Role, b.Role = harness.Own, harness.Own
	g.Expect(plan(t, graceful, a, set).Phase).To(Equal(plan(t, graceful, b, set).Phase), "two configs of a user's own are compared in the same phase")
}

func TestSubjectID(t *testing.T) {
	g := NewWithT(t)
	s := harness.Subject{Kind: harness.Nginx, Name: "static"}
	g.Expect(s.ID()).To(Equal("nginx/static"))
	s.Release = harness.Stable
	g.Expect(s.ID()).To(Equal("nginx/static"))
	s.Release = "testing"
	g.Expect(s.ID()).To(Equal("nginx/static@testing"))
}

// Where the name stays the load goes on until what failed has been whole again
// for a while.
func TestAnOutageIsWithinTheLoad(t *testing.T) {
	g := NewWithT(t)
	outage := harness.Scenario{
		Name: "outage", Stays: true,
		Timeline: []harness.Step{{At: harness.AtFlip}, {At: harness.AfterOutage}},
	}
	set := harness.DefaultSettings()
	set.Outage, set.Posts = 30*time.Second, 10
	p := plan(t, outage, subject, set)
	g.Expect(p.Stays).To(BeTrue())
	g.Expect(p.Outage).To(BeEquivalentTo(30))
	g.Expect(p.Posts).To(Equal(10))
	g.Expect(p.RetireAt).To(Equal(p.FlipAt))
	g.Expect(float64(p.Duration)).To(BeNumerically("~", float64(p.FlipAt)+30+harness.Timing.After.Seconds(), 0.5))
	outage.Timeline = outage.Timeline[:1]
	p = plan(t, outage, subject, set)
	g.Expect(p.Outage).To(BeZero(), "what does not heal has no end")
	g.Expect(plan(t, graceful, subject, set).Outage).To(BeZero())
}

func TestSuits(t *testing.T) {
	g := NewWithT(t)
	plain, secure := harness.Scenario{}, harness.Scenario{TLS: true}
	own := harness.Subject{Role: harness.Own, TLS: true}
	g.Expect(plain.Suits(harness.Subject{})).To(BeTrue())
	g.Expect(plain.Suits(harness.Subject{TLS: true})).To(BeFalse(), "the catalogue has these for TLS alone")
	g.Expect(secure.Suits(harness.Subject{TLS: true})).To(BeTrue())
	g.Expect(secure.Suits(harness.Subject{Role: harness.Own})).To(BeFalse(), "no handshake, nothing to show")
	g.Expect([]bool{plain.Suits(own), secure.Suits(own)}).To(Equal([]bool{true, true}), "one's own config is run on all it can show something in")
}
