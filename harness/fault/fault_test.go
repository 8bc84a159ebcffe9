package fault

import (
	"context"
	"encoding/json"
	"errors"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/fakedns"
	"github.com/proxychaos/proxychaos/harness/world"
)

func address(n int) netip.Addr { return netip.AddrFrom4([4]byte{198, 18, 0, byte(21 + n)}) }

var (
	a21, a22 = address(0), address(1) // in the name at the start
	a23, a24 = address(2), address(3) // spare
	vpc, own = netip.MustParseAddrPort("169.254.169.253:53"), netip.MustParseAddrPort("10.0.0.2:53")
	replaced = world.World{Balancers: []world.Balancer{{Name: "backend", Nodes: 2, Spare: 2, Targets: 2}}}
	switched = world.World{Balancers: []world.Balancer{{Name: "backend", Nodes: 2, Targets: 2}, {Name: "other", Nodes: 2, Targets: 2}}}
)

// prober sees what a test says.
type prober struct {
	mu      sync.Mutex
	answers map[netip.AddrPort][]netip.Addr
	connect map[netip.Addr]Result
	ask     Result
	answer  Answer
	hands   Handshake
	err     error
	held    []netip.AddrPort
}

func (p *prober) Lookup(_ context.Context, resolver netip.AddrPort, _, _ string) ([]netip.Addr, error) {
	return p.answers[resolver], p.err
}

func (p *prober) Connect(_ context.Context, to netip.AddrPort, _ time.Duration) (Result, error) {
	return p.connect[to.Addr()], p.err
}

func (p *prober) Hold(_ context.Context, to netip.AddrPort) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.held = append(p.held, to)
	return p.err
}

func (p *prober) Ask(context.Context, netip.AddrPort, time.Duration) (Result, error) {
	return p.ask, p.err
}

func (p *prober) Get(context.Context, netip.AddrPort, time.Duration) (Answer, error) {
	return p.answer, p.err
}

func (p *prober) Handshake(context.Context, netip.AddrPort, string, []byte, time.Duration) (Handshake, error) {
	return p.hands, p.err
}

// live is a world in use by one name, at its start.
func live(w world.World, p *prober) *Live {
	t := w.Place(address)
	return &Live{
		Probe: p, Resolvers: []netip.AddrPort{vpc, own}, TTL: time.Second, Port: 80,
		Topology: t, State: t.Start(), Upstreams: map[int]string{1: "api.example.com"},
	}
}

// moved is a world whose name has left its first two nodes.
func moved(p *prober) *Live {
	w := live(replaced, p)
	w.State = w.State.With(ChangeDNS{To: world.Spare}.Effects(w.State)...)
	return w
}

func TestNames(t *testing.T) {
	g := NewWithT(t)
	names := Names(switched.Place(address), time.Second)
	g.Expect(names).To(HaveLen(2 + 2*world.Literal + len(switched.Place(address).Nodes)))
	g.Expect(names[0].Name).To(Equal("*"))
	g.Expect(names[0].Aliases).To(HaveLen(world.Names))
	g.Expect(names[1].Alias).To(Equal(dnsName("backend", world.Literal)), "no name that a proxy asks for leads to the nodes of literal addresses")
	names = names[1:]
	first := dnsName("backend", 1)
	g.Expect(names[1]).To(Equal(fakedns.Name{Name: first, A: []netip.Addr{a21, a22}, TTL: time.Second, SRV: []fakedns.SRV{
		{Priority: 1, Weight: 1, Port: 8080, Target: "node-1." + first}, {Priority: 1, Weight: 1, Port: 8080, Target: "node-2." + first},
	}}), "who asks for a service gets the same nodes")
	g.Expect(names).To(ContainElement(fakedns.Name{Name: "node-1." + first, A: []netip.Addr{a21}, TTL: time.Second}))
	g.Expect(names[1].Name).To(Equal("internal-backend-1111111111.ap-northeast-1.elb.amazonaws.com"))
	g.Expect(names[1+world.Literal].A).To(Equal([]netip.Addr{a23, a24}), "the other balancer has a name of its own")
	g.Expect(Names(replaced.Place(address), time.Second)).To(HaveLen(2+world.Literal+len(replaced.Place(address).Nodes)), "spare nodes have no name but their own")
}

// A strike that leaves some requests alone excuses nobody who gives up.
func TestStrikesThatServeInPart(t *testing.T) {
	for _, tc := range []struct {
		strike         StrikeNodes
		serves, partly bool
	}{
		{StrikeNodes{Kind: fakealb.FaultSilence}, false, false},
		{StrikeNodes{Kind: fakealb.FaultSilenceNew}, false, true},
		{StrikeNodes{Kind: fakealb.FaultRefuseNew}, false, true},
		{StrikeNodes{Kind: fakealb.FaultKeepAliveRace}, false, true},
		{StrikeNodes{Kind: fakealb.FaultTargetKeepAliveRace}, false, true},
		{StrikeNodes{Kind: fakealb.FaultError, Status: 502}, false, false},
		{StrikeNodes{Kind: fakealb.FaultError, Status: 502, Share: 1}, false, false},
		{StrikeNodes{Kind: fakealb.FaultError, Status: 502, Share: 0.5}, false, true},
		{StrikeNodes{Kind: fakealb.FaultSlowResponse, Delay: 1, Share: 0.5}, true, false},
	} {
		tc.strike.Nodes = world.Numbers(1)
		NewWithT(t).Expect(tc.strike.Effects(live(replaced, nil).State)).To(ContainElement(world.Effect{
			Node: a21, Serves: world.Truth(tc.serves), Partly: tc.partly, How: string(tc.strike.Kind),
		}))
	}
}

func TestEffectsOfNames(t *testing.T) {
	g := NewWithT(t)
	named := func(w *Live, f Fault) []netip.Addr {
		var list []netip.Addr
		for _, n := range w.State.With(f.Effects(w.State)...).Nodes {
			if n.Upstream == 1 && n.Named {
				list = append(list, n.Addr)
			}
		}
		return list
	}
	g.Expect(named(live(replaced, nil), ChangeDNS{To: world.Spare})).To(Equal([]netip.Addr{a23, a24}))
	g.Expect(named(live(replaced, nil), ChangeDNS{To: world.Numbers(2, 3)})).To(Equal([]netip.Addr{a22, a23}))
	g.Expect(named(live(replaced, nil), ChangeDNS{To: world.Named})).To(Equal([]netip.Addr{a21, a22}))
	g.Expect(named(live(switched, nil), SwitchAlias{To: "other"})).To(Equal([]netip.Addr{a23, a24}))
}

// Nodes in front are those of clients: no fault of the proxy's names is about them, and
// one that is about them is proved though the proxy never asked for them.
func TestFaultsInFront(t *testing.T) {
	g := NewWithT(t)
	fronted := replaced
	fronted.Front = &world.Front{Nodes: 2}
	w := live(fronted, nil)
	first, second := w.Topology.Nodes[0].Addr, w.Topology.Nodes[1].Addr
	for _, f := range []Fault{ChangeDNS{To: world.Spare}, SwitchAlias{To: "other"}} {
		g.Expect(f.Effects(w.State)).NotTo(ContainElement(HaveField("Node", Or(Equal(first), Equal(second)))), f.Name())
	}
	for _, name := range Names(w.Topology, time.Second) {
		g.Expect(name.A).NotTo(ContainElement(first), name.Name)
	}
	late := StrikeNodes{Kind: fakealb.FaultTargetKeepAliveRace, Nodes: world.Fronts}
	g.Expect(late.Name()).To(Equal("nodes in front see too late that targets close kept connections"))
	g.Expect(late.Effects(w.State)).To(HaveExactElements(HaveField("Node", first), HaveField("Node", second)))
	w.Upstreams = nil
	g.Expect(w.used(world.Fronts.Of(w.State))).To(HaveLen(2))
	g.Expect(FailTargets{Nodes: world.Left, Of: 2}.Name()).To(Equal("the targets of old nodes pass their health checks"))
	g.Expect(FailTargets{Nodes: world.Fronts, Unhealthy: 1, Of: 1}.Check()).To(MatchError(ContainSubstring("whose target is the proxy")))
}

// One node does what several do, in the singular.
func TestNamesOfFaultsAgreeWithTheirNodes(t *testing.T) {
	g := NewWithT(t)
	for want, f := range map[string]Fault{
		"node 1 refuses":                       StrikeNodes{Kind: fakealb.FaultRefuse, Nodes: world.Numbers(1)},
		"nodes 1 and 2 refuse":                 StrikeNodes{Kind: fakealb.FaultRefuse, Nodes: world.Numbers(1, 2)},
		"node 2 goes silent":                   StrikeNodes{Kind: fakealb.FaultSilence, Nodes: world.Numbers(2)},
		"node 2 is silent to new connections":  StrikeNodes{Kind: fakealb.FaultSilenceNew, Nodes: world.Numbers(2)},
		"node 1 never answers a TLS handshake": StrikeNodes{Kind: fakealb.FaultTLSHang, Nodes: world.Numbers(1)},
		"half of the nodes go silent":          StrikeNodes{Kind: fakealb.FaultSilence, Nodes: world.Half},
		"node 3 is back":                       BringBack{Nodes: world.Numbers(3)},
		"nodes 1 and 3 are back":               BringBack{Nodes: world.Numbers(1, 3)},
		"name has node 2":                      ChangeDNS{To: world.Numbers(2)},
	} {
		g.Expect(f.Name()).To(Equal(want))
	}
}

// A name has moved only when every resolver that the config can ask says so.
func TestProofThatTheNameMoved(t *testing.T) {
	for name, tc := range map[string]struct {
		prober *prober
		want   []bool
	}{
		"both moved":      {&prober{answers: map[netip.AddrPort][]netip.Addr{vpc: {a23, a24}, own: {a24}}}, []bool{true, true}},
		"one did not":     {&prober{answers: map[netip.AddrPort][]netip.Addr{vpc: {a23, a24}, own: {a21}}}, []bool{true, false}},
		"an old one too":  {&prober{answers: map[netip.AddrPort][]netip.Addr{vpc: {a23, a21}, own: {a24}}}, []bool{false, true}},
		"none answers":    {&prober{err: errors.New("timeout")}, []bool{false, false}},
		"an empty answer": {&prober{}, []bool{false, false}},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			for _, w := range []struct {
				fault Fault
				live  *Live
			}{{ChangeDNS{To: world.Spare}, live(replaced, tc.prober)}, {SwitchAlias{To: "other"}, live(switched, tc.prober)}} {
				var got []bool
				for _, p := range w.fault.Prove(t.Context(), w.live) {
					g.Expect(p.Detail).To(ContainSubstring("api.example.com"))
					g.Expect(p.At).NotTo(BeZero())
					got = append(got, p.OK)
				}
				g.Expect(got).To(Equal(tc.want))
			}
		})
	}
}

// A resolver that is excepted has to go on with the old nodes, and the others must not.
func TestProofThatTheViewIsSplit(t *testing.T) {
	split := ChangeDNS{To: world.Spare, Except: own.Addr()}
	for name, tc := range map[string]struct {
		answers map[netip.AddrPort][]netip.Addr
		want    []bool
	}{
		"split":           {map[netip.AddrPort][]netip.Addr{vpc: {a23, a24}, own: {a21, a22}}, []bool{true, true}},
		"both moved":      {map[netip.AddrPort][]netip.Addr{vpc: {a23, a24}, own: {a23, a24}}, []bool{true, false}},
		"the wrong one":   {map[netip.AddrPort][]netip.Addr{vpc: {a21}, own: {a24}}, []bool{false, false}},
		"it has not said": {map[netip.AddrPort][]netip.Addr{vpc: {a23}}, []bool{true, false}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []bool
			for _, p := range split.Prove(t.Context(), live(replaced, &prober{answers: tc.answers})) {
				got = append(got, p.OK)
			}
			NewWithT(t).Expect(got).To(Equal(tc.want))
		})
	}
	view := split.former([]netip.Addr{a21, netip.MustParseAddr("2001:2::21")})
	NewWithT(t).Expect(view).To(Equal(fakedns.View{Resolvers: []netip.Addr{own.Addr()}, A: []netip.Addr{a21}, AAAA: []netip.Addr{netip.MustParseAddr("2001:2::21")}}))
}

// Silence, refusal and 503 are three different ends: each proof accepts its
// own and none of the others.
func TestProofOfTheEnd(t *testing.T) {
	both := func(seen Result) map[netip.Addr]Result { return map[netip.Addr]Result{a21: seen, a22: seen} }
	silence := StrikeNodes{Kind: fakealb.FaultSilence, Nodes: world.Left}
	silenceNew := StrikeNodes{Kind: fakealb.FaultSilenceNew, Nodes: world.Left}
	refuse := StrikeNodes{Kind: fakealb.FaultRefuse, Nodes: world.Left}
	refuseNew := StrikeNodes{Kind: fakealb.FaultRefuseNew, Nodes: world.Left}
	none := LoseTargets{Nodes: world.Left}
	answered := func(status int, server string) *prober {
		return &prober{answer: Answer{Result: Answered, Status: status, Server: server}}
	}
	for name, tc := range map[string]struct {
		fault  Fault
		prober *prober
		want   bool
	}{
		"silent":                           {silence, &prober{connect: both(TimedOut), ask: Silent}, true},
		"silent to new connections only":   {silence, &prober{connect: both(TimedOut), ask: Answered}, false},
		"wanted so":                        {silenceNew, &prober{connect: both(TimedOut), ask: Answered}, true},
		"silent on open connections only":  {silence, &prober{connect: both(Connected), ask: Silent}, false},
		"refused, want silence":            {silence, &prober{connect: both(Refused), ask: Reset}, false},
		"refused":                          {refuse, &prober{connect: both(Refused), ask: Reset}, true},
		"refused, the open one was closed": {refuse, &prober{connect: both(Refused), ask: Closed}, true},
		"refused, the open one answers":    {refuse, &prober{connect: both(Refused), ask: Answered}, false},
		"refused, wanted for new ones":     {refuseNew, &prober{connect: both(Refused), ask: Answered}, true},
		"refused, the open one ended":      {refuseNew, &prober{connect: both(Refused), ask: Reset}, false},
		"silent to new ones, want refusal": {refuseNew, &prober{connect: both(TimedOut), ask: Answered}, false},
		"silent, want refusal":             {refuse, &prober{connect: both(TimedOut), ask: Silent}, false},
		"no targets":                       {none, answered(503, "awselb/2.0"), true},
		"503 of somebody else":             {none, answered(503, "nginx"), false},
		"still serves":                     {none, answered(200, "awselb/2.0"), false},
		"the probe failed":                 {silence, &prober{err: errors.New("pod is gone")}, false},
		"the probe failed, no targets":     {none, &prober{err: errors.New("pod is gone")}, false},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			proofs := tc.fault.Prove(t.Context(), moved(tc.prober))
			g.Expect(proofs).To(HaveLen(2), "each node is looked at, of the upstream in use")
			for _, p := range proofs {
				g.Expect(p.OK).To(Equal(tc.want), "%s", p.Detail)
				g.Expect(p.Detail).To(ContainSubstring("198.18.0.2"))
			}
		})
	}
}

func TestOneNodeThatLivesIsNoProof(t *testing.T) {
	g := NewWithT(t)
	p := &prober{connect: map[netip.Addr]Result{a21: TimedOut, a22: Connected}, ask: Silent}
	proofs := StrikeNodes{Kind: fakealb.FaultSilence, Nodes: world.Left}.Prove(t.Context(), moved(p))
	g.Expect([]bool{proofs[0].OK, proofs[1].OK}).To(Equal([]bool{true, false}))
}

// A fault that finds no node did nothing, and says so.
func TestNoNodeIsNoProof(t *testing.T) {
	for _, f := range []Fault{
		StrikeNodes{Kind: fakealb.FaultSilence, Nodes: world.Left},
		LoseTargets{Nodes: world.Left},
		BringBack{Nodes: world.Struck},
		FailTargets{Nodes: world.Left, Of: 1, Unhealthy: 1},
	} {
		w := live(replaced, &prober{})
		w.ALB = fakealb.NewClient("http://127.0.0.1:1", nil) // not asked
		_, err := f.Apply(t.Context(), w)
		NewWithT(t).Expect(err).NotTo(HaveOccurred(), f.Name())
		NewWithT(t).Expect(f.Prove(t.Context(), w)).To(ConsistOf(HaveField("OK", false)), f.Name())
	}
}

func TestPrepareHoldsAConnectionToEachNode(t *testing.T) {
	g := NewWithT(t)
	for kind, want := range map[fakealb.FaultKind]int{fakealb.FaultSilence: 2, fakealb.FaultRefuse: 2, fakealb.FaultError: 0} {
		p := &prober{}
		g.Expect(StrikeNodes{Kind: kind, Nodes: world.Left}.Prepare(t.Context(), moved(p))).To(Succeed())
		g.Expect(p.held).To(HaveLen(want), string(kind))
	}
	p := &prober{err: errors.New("refused")}
	g.Expect(StrikeNodes{Kind: fakealb.FaultSilence, Nodes: world.Left}.Prepare(t.Context(), moved(p))).To(MatchError(ContainSubstring("198.18.0.21")))
	w := moved(p)
	w.State = w.State.With(StrikeNodes{Kind: fakealb.FaultRefuseNew, Nodes: world.Left}.Effects(w.State)...)
	g.Expect(StrikeNodes{Kind: fakealb.FaultSilence, Nodes: world.Left}.Prepare(t.Context(), w)).To(Succeed(), "what takes no new connection has one that is held already")
}

// Every fault of a node that fakealb knows can be a step, and so can every way in
// which fakedns fails.
func TestEveryFaultOfTheFakesCanBeAStep(t *testing.T) {
	g := NewWithT(t)
	for _, kind := range fakealb.FaultKinds() {
		if kind != fakealb.FaultNone {
			g.Expect(Strikes()).To(ContainElement(kind))
		}
	}
	g.Expect(Check(StrikeNodes{Kind: "explode", Nodes: world.Left})).To(MatchError(And(ContainSubstring("explode"), ContainSubstring("silence"))))
}

// The ledger tells by the effects alone which nodes refuse TLS, and which are silent.
func TestEffectsSayWhoRefusesTLS(t *testing.T) {
	g := NewWithT(t)
	for _, kind := range Strikes() {
		strike := StrikeNodes{Kind: kind, Nodes: world.Named}
		for _, e := range strike.Effects(replaced.Place(address).Start()) {
			g.Expect(e.RefusesTLS()).To(Equal(strike.OverTLS()), string(kind))
			if kind == fakealb.FaultSilence {
				g.Expect(e.How).To(Equal(world.Silence))
			} else {
				g.Expect(e.How).NotTo(Equal(world.Silence), string(kind))
			}
		}
	}
}

// samples are one fault of each word, and every kind of node fault.
func samples() []Fault {
	all := []Fault{
		ChangeDNS{To: world.Spare},
		ChangeDNS{To: world.Numbers(1, 3)},
		ChangeDNS{To: world.Spare, Except: own.Addr()},
		SwitchAlias{To: "other"},
		LoseTargets{Nodes: world.Left},
		FailTargets{Nodes: world.Named, Unhealthy: 1, Of: 2},
		BringBack{Nodes: world.Struck},
		HealDNS{},
		RestartProxy{},
		ReloadProxy{},
		ForgetIdle{Seconds: 60},
		Deregister{Proxy: 2},
		Register{Proxy: 2},
		StartProxy{Proxy: 2},
		StopProxy{Proxy: 2},
		StopProxy{Proxy: 2, AtOnce: true},
		FailDNS{Kind: fakedns.KindServFail},
		FailDNS{Kind: fakedns.KindServFail, Type: "AAAA"},
		FailDNS{Kind: fakedns.KindDelay, Delay: fakealb.Duration(time.Second)},
		FailDNS{Kind: fakedns.KindThrottle, PerSecond: 20},
	}
	for _, kind := range Strikes() {
		s := StrikeNodes{Kind: kind, Nodes: world.Half}
		if kind == fakealb.FaultError {
			s.Status = 502
		}
		if kind == fakealb.FaultSlowAccept || kind == fakealb.FaultSlowResponse || kind == fakealb.FaultSlowBody {
			s.Delay = fakealb.Duration(time.Second)
		}
		all = append(all, s)
	}
	return all
}

func TestFaultsAreData(t *testing.T) {
	g := NewWithT(t)
	seen, written := map[string]bool{}, map[string]bool{}
	for _, f := range samples() {
		g.Expect(seen[f.Name()]).To(BeFalse(), "%s: names tell faults apart", f.Name())
		seen[f.Name()] = true
		text, err := Encode(f)
		g.Expect(err).NotTo(HaveOccurred())
		back, err := Decode(text)
		g.Expect(err).NotTo(HaveOccurred(), "%s", text)
		g.Expect(back).To(Equal(f))
		var word struct{ Fault string }
		g.Expect(json.Unmarshal(text, &word)).To(Succeed())
		written[word.Fault] = true
	}
	for _, word := range Words() {
		g.Expect(written[word]).To(BeTrue(), "%s has no sample", word)
	}
	_, err := Encode(nil)
	g.Expect(err).To(MatchError(ContainSubstring("registry.go")))
}

func TestFaultsThatCannotBeRead(t *testing.T) {
	for text, want := range map[string]string{
		`[]`: "read a fault", `{}`: `no "fault"`, `{"fault":"explode"}`: `no fault "explode"; there are bring-back`,
		`{"fault":"change-dns","to":"spare","when":1}`: "when", `{"fault":"change-dns","to":"first"}`: `the nodes "first"`,
		`{"fault":"strike-nodes","kind":"none","nodes":"left"}`:   `the kind "none"`,
		`{"fault":"strike-nodes","kind":"error","nodes":"left"}`:  "status 0",
		`{"fault":"fail-dns","kind":"explode"}`:                   `got "explode"`,
		`{"fault":"fail-dns","kind":"delay"}`:                     "delay",
		`{"fault":"fail-dns","kind":"servfail","type":"MX"}`:      `got the type "MX", want A, AAAA or none`,
		`{"fault":"deregister"}`:                                  "got the proxy 0, want its number, from 1",
		`{"fault":"register","proxy":-1}`:                         "got the proxy -1, want its number, from 1",
		`{"fault":"start-proxy"}`:                                 "got the proxy 0, want its number, from 1",
		`{"fault":"stop-proxy","proxy":-1}`:                       "got the proxy -1, want its number, from 1",
		`{"fault":"forget-idle","seconds":59}`:                    "got 59 s, want 60 to 6000",
		`{"fault":"fail-targets","nodes":"left","unhealthy":2}`:   "2 unhealthy of 0 targets",
		`{"fault":"fail-dns","kind":"servfail","delay":"gibber"}`: "fail-dns",
	} {
		_, err := Decode([]byte(text))
		NewWithT(t).Expect(err).To(MatchError(ContainSubstring(want)), text)
		NewWithT(t).Expect(strings.Contains(err.Error(), "\n")).To(BeFalse())
	}
}

func FuzzDecode(f *testing.F) {
	for _, s := range samples() {
		text, err := Encode(s)
		if err != nil {
			f.Fatal(err)
		}
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		fault, err := Decode(text)
		if err != nil {
			return
		}
		again, err := Encode(fault)
		if err != nil {
			t.Fatal(err)
		}
		back, err := Decode(again)
		if err != nil || back.Name() != fault.Name() {
			t.Errorf("%s became %s: %v", text, again, err)
		}
		fault.Effects(replaced.Place(address).Start())
	})
}

// The faults against the fakes themselves, in this process.
func TestApplyMovesTheName(t *testing.T) {
	for _, tc := range []struct {
		fault Fault
		world world.World
	}{{ChangeDNS{To: world.Spare}, replaced}, {SwitchAlias{To: "other"}, switched}} {
		g := NewWithT(t)
		loopback := netip.MustParseAddrPort("127.0.0.1:0")
		server, err := fakedns.New(fakedns.Config{Listen: []netip.AddrPort{loopback}, Control: loopback, Seed: 1})
		g.Expect(err).NotTo(HaveOccurred())
		run(t, server.Run)
		w := live(tc.world, nil)
		w.Probe, w.Resolvers, w.DNS = &client{}, server.Addrs()[:1], fakedns.NewClient(server.ControlURL(), nil)
		_, err = w.DNS.PutNames(t.Context(), Names(w.Topology, w.TTL)...)
		g.Expect(err).NotTo(HaveOccurred())
		first, err := w.Probe.Lookup(t.Context(), w.Resolvers[0], "api.example.com", ipv4)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(first).To(ConsistOf(a21, a22))
		w.Upstreams = map[int]string{1: "api.example.com", world.Literal: LiteralNames[world.Literal]}
		g.Expect(tc.fault.Prove(t.Context(), w)).To(HaveEach(HaveField("OK", false)), "before it is applied")
		before := time.Now()
		at, err := tc.fault.Apply(t.Context(), w)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(at).To(BeTemporally("~", before, time.Second))
		g.Expect(tc.fault.Prove(t.Context(), w)).To(ConsistOf(HaveField("OK", true), HaveField("OK", true)), "also of literal addresses")
		second, err := w.Probe.Lookup(t.Context(), w.Resolvers[0], "login.example.com", ipv4)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(second).NotTo(ContainElements(a23, a24), "another name has nodes of its own")
	}
}

// A control API that cannot be reached is an error, and no fault in force.
func TestApplyWithoutTheFakes(t *testing.T) {
	g := NewWithT(t)
	gone := httptest.NewServer(nil)
	gone.Close()
	for _, f := range samples() {
		w := live(switched, nil)
		w.State = w.State.With(world.Effect{Node: a21, Serves: world.Truth(false)}, world.Effect{Node: a22, Named: world.Truth(false)})
		w.DNS, w.ALB = fakedns.NewClient(gone.URL, nil), fakealb.NewClient(gone.URL, nil)
		w.Proxy = &program{err: errors.New("no engine")}
		_, err := f.Apply(t.Context(), w)
		g.Expect(err).To(HaveOccurred(), f.Name())
	}
}

// A load balancer that loses its targets loses them for all its nodes.
func TestTargetsAreThoseOfTheWholeBalancer(t *testing.T) {
	g := NewWithT(t)
	w := world.World{Balancers: []world.Balancer{{Name: "backend", Nodes: 2, Spare: 1}, {Name: "other", Nodes: 1}}}
	state := w.Place(address).Start()
	after := state.With(LoseTargets{Nodes: world.Half}.Effects(state)...)
	for _, n := range after.Nodes {
		g.Expect(n.Serves).To(Equal(n.Balancer == "other"), "%+v", n)
	}
}
