package harness_test

import (
	"encoding/json"
	"net/netip"
	"path/filepath"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/fakedns"
	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/fault"
	"github.com/proxychaos/proxychaos/harness/kind"
	"github.com/proxychaos/proxychaos/harness/recording"
	"github.com/proxychaos/proxychaos/harness/world"
)

var (
	replaced = world.World{Balancers: []world.Balancer{{Name: "backend", Nodes: 2, Spare: 2, Targets: 2}}}
	moves    = fault.ChangeDNS{To: world.Spare}
	dies     = fault.StrikeNodes{Kind: fakealb.FaultSilence, Nodes: world.Left}

	graceful = harness.Scenario{Name: "graceful", World: replaced, Timeline: []harness.Step{harness.Do(moves), harness.After("grace", dies)}}
	sudden   = harness.Scenario{Name: "sudden", World: replaced, Timeline: []harness.Step{harness.Do(moves, dies)}, Budget: harness.Budget{Recovery: true}}
	subject  = harness.Subject{Kind: kind.Nginx, Name: "variable", Role: harness.Fix, Refresh: 3 * time.Second}
)

func address(n int) netip.Addr { return netip.AddrFrom4([4]byte{198, 18, 0, byte(21 + n)}) }

func planOf(s harness.Scenario, who harness.Subject, set harness.Settings) (recording.Plan, error) {
	return s.PlanOf(who, set, s.World.Place(address))
}

func plan(t *testing.T, s harness.Scenario, who harness.Subject, set harness.Settings) recording.Plan {
	t.Helper()
	p, err := planOf(s, who, set)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPlanFillsInEveryNumber(t *testing.T) {
	g := NewWithT(t)
	p := plan(t, graceful, subject, harness.DefaultSettings())
	g.Expect(p.TTL).To(BeEquivalentTo(1))
	g.Expect(p.Refresh).To(BeEquivalentTo(3))
	g.Expect(p.Steps).To(HaveLen(2))
	g.Expect(p.Steps[0].At).To(Equal(recording.Of(harness.Timings[harness.Scaled].Healthy) + p.Phase))
	g.Expect(p.Steps[1].Wait).To(BeEquivalentTo(8))
	g.Expect(float64(p.Steps[1].At)).To(BeNumerically("~", float64(p.Steps[0].At)+8, 1e-6))
	g.Expect(p.Steps[1].Faults).To(HaveLen(1))
	g.Expect(p.Steps[1].Faults[0].Name).To(Equal("old nodes go silent"))
	g.Expect(p.Steps[1].Faults[0].Fault).To(MatchJSON(`{"fault":"strike-nodes","kind":"silence","nodes":"left"}`))
	g.Expect(float64(p.Duration)).To(BeNumerically("~", float64(p.Steps[1].At)+harness.Timings[harness.Scaled].After.Seconds(), 0.5))
	g.Expect(p.Rate).To(Equal(100))
	g.Expect(p.Seed).To(BeEquivalentTo(1))
	g.Expect(p.Budget).To(Equal(recording.Budget{}), "with a grace nothing may fail")
}

func TestGraceMustOutlastTTLAndRefresh(t *testing.T) {
	g := NewWithT(t)
	set := harness.DefaultSettings()
	set.Grace = 4 * time.Second // TTL 1 s + refresh 3 s
	_, err := planOf(graceful, subject, set)
	g.Expect(err).To(MatchError(And(ContainSubstring("GRACE=4s"), ContainSubstring("TTL 1s"), ContainSubstring("refresh 3s"), ContainSubstring("raise GRACE"))))
	set.Grace += time.Millisecond
	g.Expect(plan(t, graceful, subject, set).Steps[1].Wait).To(BeEquivalentTo(4.001))
	mine := subject
	mine.Role, set.Grace = harness.Own, time.Second
	g.Expect(plan(t, graceful, mine, set).Steps[1].Wait).To(BeEquivalentTo(1), "the run lengthens it, once it knows more")
	g.Expect(plan(t, sudden, subject, set).Steps).To(HaveLen(1), "no grace that could be too short")
}

// What DNS no longer has may be kept for longer than until the next look.
func TestAnAddressThatIsKept(t *testing.T) {
	g := NewWithT(t)
	keeps := subject
	keeps.Keeps = 10 * time.Second
	_, err := planOf(graceful, keeps, harness.DefaultSettings())
	g.Expect(err).To(MatchError(ContainSubstring("refresh 13s")))
	set := harness.DefaultSettings()
	set.Grace = 20 * time.Second
	g.Expect(plan(t, graceful, keeps, set).Refresh).To(BeEquivalentTo(13))
}

// The reference may lose nothing even if others may.
func TestBudgetWithoutAGrace(t *testing.T) {
	g := NewWithT(t)
	set := harness.DefaultSettings()
	set.TTL = 2 * time.Second
	p := plan(t, sudden, subject, set)
	g.Expect(p.Budget.RecoverWithin).To(BeEquivalentTo(2 + 3 + 1))
	g.Expect(p.Steps[0].Faults).To(HaveLen(2))
	g.Expect(float64(p.Duration)).To(BeNumerically("~", float64(p.Steps[0].At)+8+2+3, 0.5), "the load outlasts what may fail")
	reference := subject
	reference.Role = harness.Reference
	g.Expect(plan(t, sudden, reference, set).Budget).To(Equal(recording.Budget{}))
}

// A config that keeps no address is watched for as long as another that it is compared with.
func TestConfigsThatAreComparedAreWatchedForAsLong(t *testing.T) {
	g := NewWithT(t)
	set := harness.DefaultSettings()
	asks, keeps := subject, subject
	asks.Role, asks.Refresh = harness.Own, 0
	keeps.Role, keeps.Refresh = harness.Own, 25*time.Second
	watched := func(s harness.Scenario, who harness.Subject) float64 {
		p := plan(t, s, who, set)
		return float64(p.Duration - p.Steps[len(p.Steps)-1].At)
	}
	g.Expect(watched(sudden, asks)).To(BeNumerically("~", 9, 1))
	set.Watch = keeps.MayKeep()
	g.Expect(watched(sudden, asks)).To(BeNumerically("~", watched(sudden, keeps), 1))
	g.Expect(watched(sudden, keeps)).To(BeNumerically("~", 8+1+25, 1))
	g.Expect(watched(graceful, asks)).To(BeNumerically("~", 8, 1), "it had its time before the loss")
}

// What is said of a config of one's own takes the place of the scenario's budget, and the
// load goes on for long enough to see it broken.
func TestABudgetOfOnesOwn(t *testing.T) {
	g := NewWithT(t)
	set, mine := harness.DefaultSettings(), subject
	mine.Role = harness.Own
	usual := plan(t, graceful, mine, set)
	set.MaxFailed, set.RecoverWithin = 5, 2*time.Second
	own := plan(t, graceful, mine, set)
	g.Expect(own.Budget).To(Equal(recording.Budget{MaxFailed: 5, RecoverWithin: 2}))
	g.Expect(own.Duration).To(Equal(usual.Duration + 2))
	g.Expect(plan(t, graceful, subject, set).Budget).To(Equal(recording.Budget{}), "a catalogued config has what the scenario allows")
}

// A client is as patient as the scenario says, or else as the clock does.
func TestPatience(t *testing.T) {
	g := NewWithT(t)
	set, s := harness.DefaultSettings(), graceful
	g.Expect(plan(t, s, subject, set).ClientTimeout).To(Equal(recording.Seconds(4)))
	s.Load.Patience = "21s"
	g.Expect(plan(t, s, subject, set).ClientTimeout).To(Equal(recording.Seconds(21)))
}

// A scenario that cannot be played is refused before anything is started.
func TestScenariosThatCannotBePlayed(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*harness.Scenario)
		want   string
	}{
		"no balancer": {func(s *harness.Scenario) { s.World = world.World{} }, "without a load balancer"},
		"no front": {
			func(s *harness.Scenario) {
				s.Timeline = []harness.Step{harness.Do(fault.StrikeNodes{Kind: fakealb.FaultSilence, Nodes: world.Fronts})}
			}, "would change nothing",
		},
		"DNS of several proxies": {
			func(s *harness.Scenario) { s.World.Front = &world.Front{Nodes: 1, Proxies: 2} }, "which reaches the first of 2 proxies only",
		},
		"no such patience": {func(s *harness.Scenario) { s.Load.Patience = "long" }, `the wait "long"`},
		"no step":          {func(s *harness.Scenario) { s.Timeline = nil }, "no step"},
		"no fault":         {func(s *harness.Scenario) { s.Timeline = []harness.Step{{}} }, "step 1: got no fault"},
		"no such wait":     {func(s *harness.Scenario) { s.Timeline = []harness.Step{harness.After("soon", moves)} }, `the wait "soon"`},
		"no such kind": {
			func(s *harness.Scenario) {
				s.Timeline = []harness.Step{harness.Do(fault.StrikeNodes{Kind: "explode", Nodes: world.Left})}
			}, `the kind "explode"`,
		},
		"an error without a status": {
			func(s *harness.Scenario) {
				s.Timeline = []harness.Step{harness.Do(fault.StrikeNodes{Kind: fakealb.FaultError, Nodes: world.Named})}
			}, "status 0",
		},
		"no such way to fail": {
			func(s *harness.Scenario) { s.Timeline = []harness.Step{harness.Do(fault.FailDNS{Kind: "explode"})} }, `"explode"`,
		},
		"nothing to do": {
			func(s *harness.Scenario) { s.Timeline = []harness.Step{harness.Do(dies, moves)} }, `step 1: "old nodes go silent" would change nothing`,
		},
		"the same twice": {
			func(s *harness.Scenario) {
				s.Timeline = []harness.Step{harness.Do(moves), harness.Do(fault.ChangeDNS{To: world.Named})}
			},
			"step 2: \"name has all nodes\" would change nothing",
		},
		"no such balancer": {
			func(s *harness.Scenario) { s.Timeline = []harness.Step{harness.Do(fault.SwitchAlias{To: "other"})} }, "without a node",
		},
		"no such number": {
			func(s *harness.Scenario) {
				s.Timeline = []harness.Step{harness.Do(fault.ChangeDNS{To: world.Numbers(5)})}
			}, "without a node",
		},
		"not all of these numbers": {
			func(s *harness.Scenario) {
				s.Timeline = []harness.Step{harness.Do(fault.StrikeNodes{Kind: fakealb.FaultSilence, Nodes: world.Numbers(1, 9)})}
			}, "step 1: \"nodes 1 and 9 go silent\": no current load balancer has a node 9 then",
		},
		"no such nodes": {
			func(s *harness.Scenario) { s.Timeline = []harness.Step{harness.Do(fault.ChangeDNS{To: "first"})} }, `the nodes "first"`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := graceful
			tc.change(&s)
			_, err := planOf(s, subject, harness.DefaultSettings())
			NewWithT(t).Expect(err).To(MatchError(And(ContainSubstring("scenario graceful"), ContainSubstring(tc.want))))
		})
	}
}

func TestSpan(t *testing.T) {
	set := harness.Settings{TTL: 2 * time.Second, Grace: 8 * time.Second, Outage: 10 * time.Second}
	for span, want := range map[harness.Span]time.Duration{
		"": 0, "1.5s": 1500 * time.Millisecond, "250ms": 250 * time.Millisecond,
		"grace": 8 * time.Second, "0.5 grace": 4 * time.Second, "outage": 10 * time.Second, "3 ttl": 6 * time.Second, "0 ttl": 0,
	} {
		got, err := span.Of(set)
		NewWithT(t).Expect(got, err).To(Equal(want), "%q", span)
	}
	for _, span := range []harness.Span{"soon", "grace grace", "-1 grace", "-1s", "2", "2 nodes", " ", "NaN ttl", "+Inf ttl", "1000000h"} {
		_, err := span.Of(set)
		NewWithT(t).Expect(err).To(MatchError(ContainSubstring("0.5 grace")), "%q", span)
	}
}

func TestPhaseIsDrawnFromTheSeed(t *testing.T) {
	g := NewWithT(t)
	slow := subject
	slow.Refresh = 10 * time.Second
	for _, tc := range []struct {
		who   harness.Subject
		below time.Duration
	}{{subject, harness.Timings[harness.Scaled].Phase}, {slow, slow.Refresh}} {
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
	g.Expect(plan(t, graceful, huge, set).Phase).To(BeNumerically("<", harness.Timings[harness.Scaled].MaxPhase.Seconds()))
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
	s := harness.Subject{Kind: kind.Nginx, Name: "static"}
	g.Expect(s.ID()).To(Equal("nginx/static"))
	s.Release = harness.Stable
	g.Expect(s.ID()).To(Equal("nginx/static"))
	s.Release = "testing"
	g.Expect(s.ID()).To(Equal("nginx/static@testing"))
}

// The load goes on until what failed has been back for a while.
func TestAnOutageIsWithinTheLoad(t *testing.T) {
	g := NewWithT(t)
	outage := harness.Scenario{
		Name: "outage", World: replaced,
		Timeline: []harness.Step{harness.Do(fault.FailDNS{Kind: fakedns.KindServFail}), harness.After("outage", fault.HealDNS{})},
	}
	set := harness.DefaultSettings()
	set.Outage, set.Posts = 30*time.Second, 10
	p := plan(t, outage, subject, set)
	g.Expect(p.Steps[1].Wait).To(BeEquivalentTo(30))
	g.Expect(p.Posts).To(Equal(10))
	g.Expect(float64(p.Duration)).To(BeNumerically("~", float64(p.Steps[0].At)+30+harness.Timings[harness.Scaled].After.Seconds(), 0.5))
}

// The quiet part of a load begins when the last step is in force, and makes the load as
// much longer.
func TestAQuietPartOfTheLoad(t *testing.T) {
	g := NewWithT(t)
	quiet := graceful
	quiet.Load = harness.Load{Quiet: "58s"}
	p, without := plan(t, quiet, subject, harness.DefaultSettings()), plan(t, graceful, subject, harness.DefaultSettings())
	g.Expect(float64(p.Quiet.From)).To(BeNumerically("~", float64(p.Steps[1].At)+1, 1e-6))
	g.Expect(p.Quiet.For).To(BeEquivalentTo(58))
	g.Expect(p.Duration).To(Equal(without.Duration + 58))
	g.Expect(without.Quiet).To(BeZero())
	quiet.Load.QuietAfter = "5s"
	p = plan(t, quiet, subject, harness.DefaultSettings())
	g.Expect(float64(p.Quiet.From)).To(BeNumerically("~", float64(p.Steps[1].At)+5, 1e-6))
	g.Expect(p.Duration).To(Equal(without.Duration + 58))
	quiet.Load.Quiet = "soon"
	_, err := planOf(quiet, subject, harness.DefaultSettings())
	g.Expect(err).To(MatchError(ContainSubstring(`the wait "soon"`)))
}

// A scenario says what is POSTed unless the settings do, and that queries have to arrive.
func TestPlanOfLoadAndQuery(t *testing.T) {
	g := NewWithT(t)
	s := graceful
	s.Load.Posts, s.Load.Sessions, s.Budget.Query, s.Budget.Sessions = 50, true, true, true
	s.Budget.Client = true
	set := harness.DefaultSettings()
	p, err := planOf(s, subject, set)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect([]any{p.Posts, p.Sessions, p.Budget.Query, p.Budget.Sessions}).To(Equal([]any{50, true, true, true}))
	g.Expect(p.Budget.Client).To(BeTrue())
	g.Expect(p.Clients%2).To(Equal(1), "two members that take turns meet each client in turn")
	set.Posts = 10
	p, err = planOf(s, subject, set)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(p.Posts).To(Equal(10))
	s.Load.Posts = 101
	g.Expect(s.Check()).To(MatchError(ContainSubstring("got 101 posts")))
}

// A scenario can set the rate, how long the load goes on after the last step, and what the
// nodes are to get of it.
func TestPlanOfRateAndShares(t *testing.T) {
	g := NewWithT(t)
	s := graceful
	s.Load.Rate, s.Load.After, s.Load.Sockets = 1, "30s", 10
	s.Budget.Shares, s.Budget.Sockets = []float64{0.6, 0.4}, true
	p, without := plan(t, s, subject, harness.DefaultSettings()), plan(t, graceful, subject, harness.DefaultSettings())
	g.Expect([]any{p.Rate, p.Sockets, p.Budget.Sockets, p.Budget.Shares}).To(Equal([]any{1, 10, true, []float64{0.6, 0.4}}))
	g.Expect(float64(p.Duration - without.Duration)).To(BeNumerically("~", 30-harness.Timings[harness.Scaled].After.Seconds(), 1e-6))
	for words, spoil := range map[string]func(*harness.Scenario){
		"got -1 requests per second":           func(s *harness.Scenario) { s.Load.Rate = -1 },
		`the wait "later"`:                     func(s *harness.Scenario) { s.Load.After = "later" },
		"got 1001 clients with WebSockets":     func(s *harness.Scenario) { s.Load.Sockets = 1001 },
		"no client holds one":                  func(s *harness.Scenario) { s.Load.Sockets = 0 },
		"which add up to 0.8, want 1":          func(s *harness.Scenario) { s.Budget.Shares = []float64{0.4, 0.4} },
		"the largest first":                    func(s *harness.Scenario) { s.Budget.Shares = []float64{0.4, 0.6} },
		"want more than 0 for each, the large": func(s *harness.Scenario) { s.Budget.Shares = []float64{1, 0} },
	} {
		spoilt := s
		spoil(&spoilt)
		g.Expect(spoilt.Check()).To(MatchError(ContainSubstring(words)))
	}
}

func TestSuits(t *testing.T) {
	g := NewWithT(t)
	secure := harness.Scenario{Timeline: []harness.Step{harness.Do(fault.StrikeNodes{Kind: fakealb.FaultTLSAlert, Nodes: world.Half})}}
	for _, tc := range []struct {
		scenario harness.Scenario
		subject  harness.Subject
		want     bool
	}{
		{graceful, harness.Subject{}, false}, // it names none
		{graceful, harness.Subject{Scenarios: []string{"another", graceful.Name}}, true},
		{graceful, harness.Subject{Scenarios: []string{"another"}}, false},
		{graceful, harness.Subject{Role: harness.Own}, true},
		{secure, harness.Subject{Role: harness.Own}, false}, // no handshake, nothing to show
		{secure, harness.Subject{Role: harness.Own, TLS: true}, true},
	} {
		g.Expect(tc.scenario.Suits(tc.subject)).To(Equal(tc.want), "%s on %+v", tc.scenario.Name, tc.subject)
	}
}

// A timeline of every fault there is can be written down, read back, and is then the same.
func TestTimelinesAreData(t *testing.T) {
	g := NewWithT(t)
	s := harness.Scenario{Name: "everything", World: replaced, Budget: harness.Budget{Recovery: true}, Timeline: []harness.Step{
		harness.Do(moves, dies), harness.After("0.5 grace", fault.SwitchAlias{To: "other"}),
		harness.After("1s", fault.LoseTargets{Nodes: world.Left}, fault.FailTargets{Nodes: world.Numbers(1, 3), Unhealthy: 1, Of: 2}),
		harness.After("3 ttl", fault.FailDNS{Kind: fakedns.KindDelay, Delay: fakealb.Duration(time.Second)}),
		harness.After("outage", fault.HealDNS{}, fault.RestartProxy{}, fault.BringBack{Nodes: world.Struck}),
		harness.After("1s", fault.ReloadProxy{}),
		harness.After("1s", fault.ForgetIdle{Seconds: 60}),
		harness.After("1s", fault.Deregister{Proxy: 2}, fault.StopProxy{Proxy: 2, AtOnce: true}),
		harness.After("1s", fault.StartProxy{Proxy: 2}, fault.Register{Proxy: 2}),
	}}
	text, err := json.Marshal(s)
	g.Expect(err).NotTo(HaveOccurred())
	for _, word := range fault.Words() {
		g.Expect(string(text)).To(ContainSubstring(`"fault":"` + word + `"`))
	}
	var back harness.Scenario
	g.Expect(json.Unmarshal(text, &back)).To(Succeed())
	g.Expect(back).To(Equal(s), "%s", text)
	for text, want := range map[string]string{
		`{"timeline":[{"do":[{"fault":"explode"}]}]}`: "explode", `{"timeline":[{"wait":1}]}`: "wait",
		`{"timeline":[{"do":[{"fault":"heal-dns","now":true}]}]}`:  "now",
		`{"timeline":[{"wiat":"3s","do":[{"fault":"heal-dns"}]}]}`: "wiat",
	} {
		g.Expect(json.Unmarshal([]byte(text), &back)).To(MatchError(ContainSubstring(want)))
	}
	g.Expect(json.Marshal(harness.Do(stranger{}))).Error().To(MatchError(ContainSubstring("registry.go")))
}

// stranger is a fault that is not registered.
type stranger struct{ fault.HealDNS }

// Plans are those that version 1 made, so that runs of before can be compared: the same
// seed gives the same phase, and the same length of the load.
func TestPlansAreThoseOfVersion1(t *testing.T) {
	expired := fault.StrikeNodes{Kind: fakealb.FaultTLSExpired, Nodes: world.Half}
	blink := fault.StrikeNodes{Kind: fakealb.FaultSilence, Nodes: world.Half}
	for name, timeline := range map[string][]harness.Step{
		"alb-ip-rotate":  {harness.Do(moves), harness.After("grace", dies)},
		"alias-switch":   {harness.Do(fault.SwitchAlias{To: "other"}), harness.After("grace", fault.LoseTargets{Nodes: world.Left})},
		"dns-servfail":   {harness.Do(fault.FailDNS{Kind: fakedns.KindServFail}), harness.After("outage", fault.HealDNS{})},
		"alb-node-blink": {harness.Do(blink), harness.After("outage", fault.BringBack{Nodes: world.Struck})},
		"tls-expired":    {harness.Do(expired)},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			old, err := recording.Open(filepath.Join("recording", "testdata", "version1", name))
			g.Expect(err).NotTo(HaveOccurred())
			was := old.Manifest.Plan
			set := harness.DefaultSettings()
			set.Seed = was.Seed
			who := harness.Subject{
				Kind: kind.Name(old.Manifest.Subject.Kind), Name: old.Manifest.Subject.Name, Role: harness.Role(old.Manifest.Subject.Role),
				Refresh: was.Refresh.Duration(),
			}
			w := world.World{Balancers: []world.Balancer{{Name: "backend", Nodes: 2, Spare: 2, Targets: 2}, {Name: "other", Nodes: 2, Targets: 2}}}
			now := plan(t, harness.Scenario{Name: name, World: w, Timeline: timeline, Budget: harness.Budget{Recovery: was.Budget.RecoverWithin != 0}}, who, set)
			for _, p := range []*recording.Plan{&was, &now} {
				for i := range p.Steps {
					p.Steps[i].Faults = nil
					p.Steps[i].At, p.Steps[i].Wait = milliseconds(p.Steps[i].At), milliseconds(p.Steps[i].Wait)
				}
			}
			g.Expect(now).To(Equal(was))
		})
	}
}

func milliseconds(s recording.Seconds) recording.Seconds {
	return recording.Of(s.Duration().Round(time.Millisecond))
}

// The end of the load is counted from the last step, and if something is taken away at
// once also from the first: TTL and refresh are how long a proxy cannot know.
func TestDurations(t *testing.T) {
	at := fault.StrikeNodes{Kind: fakealb.FaultSilence, Nodes: world.Half}
	for name, tc := range map[string]struct {
		timeline []harness.Step
		refresh  time.Duration
		after    time.Duration // the first step
	}{
		"rotation":      {graceful.Timeline, 3 * time.Second, 8*time.Second + 8*time.Second},
		"at once":       {sudden.Timeline, 3 * time.Second, 8*time.Second + time.Second + 3*time.Second},
		"blink":         {[]harness.Step{harness.Do(at), harness.After("outage", fault.BringBack{Nodes: world.Struck})}, 0, 10*time.Second + 8*time.Second},
		"slow to know":  {[]harness.Step{harness.Do(at), harness.After("1s", fault.BringBack{Nodes: world.Struck})}, 5 * time.Second, 8*time.Second + time.Second + 5*time.Second},
		"a late strike": {[]harness.Step{harness.Do(moves), harness.After("1s", dies)}, 5 * time.Second, time.Second + 8*time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			who := subject
			who.Refresh = tc.refresh
			p := plan(t, harness.Scenario{Name: "graceful", World: replaced, Timeline: tc.timeline}, who, harness.DefaultSettings())
			g.Expect(p.Duration).To(Equal(recording.Of((p.Steps[0].At.Duration() + tc.after).Round(time.Second))))
		})
	}
}
