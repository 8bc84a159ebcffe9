package fault

import (
	"context"
	"errors"
	"net/http/httptest"
	"net/netip"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/fakedns"
	"github.com/proxychaos/proxychaos/harness/recording"
)

var (
	a21, a22 = netip.MustParseAddr("198.18.0.21"), netip.MustParseAddr("198.18.0.22")
	a31, a32 = netip.MustParseAddr("198.18.0.31"), netip.MustParseAddr("198.18.0.32")
	vpc, own = netip.MustParseAddrPort("169.254.169.253:53"), netip.MustParseAddrPort("10.0.0.2:53")
)

// prober sees what a test says.
type prober struct {
	mu      sync.Mutex
	answers map[netip.AddrPort][]netip.Addr
	connect map[netip.Addr]string
	ask     string
	status  int
	server  string
	hands   string
	err     error
	held    []netip.AddrPort
}

func (p *prober) Lookup(_ context.Context, resolver netip.AddrPort, _ string) ([]netip.Addr, error) {
	return p.answers[resolver], p.err
}

func (p *prober) Connect(_ context.Context, to netip.AddrPort, _ time.Duration) (string, error) {
	return p.connect[to.Addr()], p.err
}

func (p *prober) Hold(_ context.Context, to netip.AddrPort) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.held = append(p.held, to)
	return p.err
}

func (p *prober) Ask(context.Context, netip.AddrPort, time.Duration) (string, error) {
	return p.ask, p.err
}

func (p *prober) Get(context.Context, netip.AddrPort, time.Duration) (int, string, error) {
	return p.status, p.server, p.err
}

func (p *prober) Handshake(context.Context, netip.AddrPort, string, []byte, time.Duration) (string, error) {
	return p.hands, p.err
}

func world(p *prober) *World {
	return &World{
		Probe: p, Resolvers: []netip.AddrPort{vpc, own}, TTL: time.Second, Port: 80,
		Old: []netip.Addr{a21, a22}, Fresh: []netip.Addr{a31, a32}, OldLB: "first", FreshLB: "first",
	}
}

func TestNames(t *testing.T) {
	g := NewWithT(t)
	w := world(nil)
	g.Expect(Names(w)).To(Equal([]fakedns.Name{
		{Name: "*", Alias: firstALB},
		{Name: firstALB, A: w.Old, TTL: time.Second},
	}), "the fresh nodes have no name before the flip")
	w.FreshLB = "second"
	g.Expect(Names(w)).To(Equal([]fakedns.Name{
		{Name: "*", Alias: firstALB},
		{Name: firstALB, A: w.Old, TTL: time.Second},
		{Name: secondALB, A: w.Fresh, TTL: time.Second},
	}), "another ALB has a name of its own")
	w.FreshLB, w.Stays = "first", true
	g.Expect(Names(w)).To(Equal([]fakedns.Name{
		{Name: "*", Alias: firstALB},
		{Name: firstALB, A: []netip.Addr{a21, a22, a31, a32}, TTL: time.Second},
	}), "a name that stays has all nodes")
}

func TestOnlyOf(t *testing.T) {
	for name, tc := range map[string]struct {
		got  []netip.Addr
		want bool
	}{
		"nothing":         {nil, false},
		"one of them":     {[]netip.Addr{a31}, true},
		"all, turned":     {[]netip.Addr{a32, a31}, true},
		"the old ones":    {[]netip.Addr{a21, a22}, false},
		"an old one, too": {[]netip.Addr{a31, a21}, false},
	} {
		t.Run(name, func(t *testing.T) {
			NewWithT(t).Expect(onlyOf(tc.got, []netip.Addr{a31, a32})).To(Equal(tc.want))
		})
	}
}

// A name has moved only when every resolver that the config can ask says so.
func TestProofThatTheNameMoved(t *testing.T) {
	for name, tc := range map[string]struct {
		prober *prober
		want   []bool
	}{
		"both moved":      {&prober{answers: map[netip.AddrPort][]netip.Addr{vpc: {a31, a32}, own: {a32}}}, []bool{true, true}},
		"one did not":     {&prober{answers: map[netip.AddrPort][]netip.Addr{vpc: {a31, a32}, own: {a21}}}, []bool{true, false}},
		"none answers":    {&prober{err: errors.New("timeout")}, []bool{false, false}},
		"an empty answer": {&prober{}, []bool{false, false}},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			for _, f := range []Fault{Rotate{}, SwitchAlias{}} {
				var got []bool
				for _, p := range f.Prove(t.Context(), world(tc.prober)) {
					g.Expect(p.Kind).To(Equal(recording.ProofNameMoved))
					g.Expect(p.Detail).NotTo(BeEmpty())
					g.Expect(p.At).NotTo(BeZero())
					got = append(got, p.OK)
				}
				g.Expect(got).To(Equal(tc.want))
			}
		})
	}
}

// Silence, refusal and 503 are three different ends: each proof accepts its
// own and none of the others.
func TestProofOfTheEnd(t *testing.T) {
	both := func(seen string) map[netip.Addr]string { return map[netip.Addr]string{a21: seen, a22: seen} }
	for name, tc := range map[string]struct {
		how    string
		prober *prober
		want   bool
	}{
		"silent":                           {EndSilence, &prober{connect: both("timeout"), ask: "silence"}, true},
		"silent to new connections only":   {EndSilence, &prober{connect: both("timeout"), ask: "answered"}, false},
		"silent on open connections only":  {EndSilence, &prober{connect: both("connected"), ask: "silence"}, false},
		"refused, want silence":            {EndSilence, &prober{connect: both("refused"), ask: "reset"}, false},
		"refused":                          {EndRefuse, &prober{connect: both("refused"), ask: "reset"}, true},
		"refused, the open one was closed": {EndRefuse, &prober{connect: both("refused"), ask: "closed"}, true},
		"refused, the open one answers":    {EndRefuse, &prober{connect: both("refused"), ask: "answered"}, false},
		"silent, want refusal":             {EndRefuse, &prober{connect: both("timeout"), ask: "silence"}, false},
		"no targets":                       {EndNoTargets, &prober{status: 503, server: "awselb/2.0"}, true},
		"503 of somebody else":             {EndNoTargets, &prober{status: 503, server: "nginx"}, false},
		"still serves":                     {EndNoTargets, &prober{status: 200, server: "awselb/2.0"}, false},
		"the probe failed":                 {EndSilence, &prober{err: errors.New("pod is gone")}, false},
		"the probe failed, no targets":     {EndNoTargets, &prober{err: errors.New("pod is gone")}, false},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			proofs := EndOld{How: tc.how}.Prove(t.Context(), world(tc.prober))
			g.Expect(proofs).To(HaveLen(2), "each old node is looked at")
			for _, p := range proofs {
				g.Expect(p.Kind).To(Equal(ProofOf[tc.how]))
				g.Expect(p.OK).To(Equal(tc.want), "%s", p.Detail)
				g.Expect(p.Detail).To(ContainSubstring("198.18.0.2"))
			}
		})
	}
}

func TestOneNodeThatLivesIsNoProof(t *testing.T) {
	g := NewWithT(t)
	p := &prober{connect: map[netip.Addr]string{a21: "timeout", a22: "connected"}, ask: "silence"}
	proofs := EndOld{How: EndSilence}.Prove(t.Context(), world(p))
	g.Expect([]bool{proofs[0].OK, proofs[1].OK}).To(Equal([]bool{true, false}))
}

func TestPrepareHoldsAConnectionToEachOldNode(t *testing.T) {
	g := NewWithT(t)
	for how, want := range map[string]int{EndSilence: 2, EndRefuse: 2, EndNoTargets: 0} {
		p := &prober{}
		g.Expect(EndOld{How: how}.Prepare(t.Context(), world(p))).To(Succeed())
		g.Expect(p.held).To(HaveLen(want), how)
	}
	p := &prober{err: errors.New("refused")}
	g.Expect(EndOld{How: EndSilence}.Prepare(t.Context(), world(p))).To(MatchError(ContainSubstring("198.18.0.21")))
}

func TestAnEndThatIsNotKnown(t *testing.T) {
	g := NewWithT(t)
	_, err := EndOld{How: "explode"}.Apply(t.Context(), world(nil))
	g.Expect(err).To(MatchError(And(ContainSubstring("explode"), ContainSubstring(EndSilence), ContainSubstring(EndRefuse), ContainSubstring(EndNoTargets))))
}

func TestNamesOfFaultsTellThemApart(t *testing.T) {
	g := NewWithT(t)
	seen := map[string]bool{}
	for _, f := range []Fault{Rotate{}, SwitchAlias{}, EndOld{How: EndSilence}, EndOld{How: EndRefuse}, EndOld{How: EndNoTargets}} {
		g.Expect(seen[f.Name()]).To(BeFalse(), f.Name())
		seen[f.Name()] = true
	}
}

// The faults against the fakes themselves, in this process.
func TestApplyMovesTheName(t *testing.T) {
	for _, tc := range []struct {
		fault   Fault
		freshLB string
	}{{Rotate{}, "first"}, {SwitchAlias{}, "second"}} {
		g := NewWithT(t)
		loopback := netip.MustParseAddrPort("127.0.0.1:0")
		server, err := fakedns.New(fakedns.Config{Listen: []netip.AddrPort{loopback}, Control: loopback, Seed: 1})
		g.Expect(err).NotTo(HaveOccurred())
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- server.Run(ctx) }()
		w := world(nil)
		w.FreshLB = tc.freshLB
		w.DNS = fakedns.NewClient(server.ControlURL(), nil)
		_, err = w.DNS.PutNames(ctx, Names(w)...)
		g.Expect(err).NotTo(HaveOccurred())
		before := time.Now()
		at, err := tc.fault.Apply(ctx, w)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(at).To(BeTemporally("~", before, time.Second))
		names, err := w.DNS.Names(ctx)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(follow(names)).To(Equal(w.Fresh), tc.fault.Name())
		cancel()
		g.Expect(<-ended).To(Succeed())
	}
}

// follow is what any name is answered with.
func follow(names []fakedns.Name) []netip.Addr {
	by := map[string]fakedns.Name{}
	for _, n := range names {
		by[n.Name] = n
	}
	return by[by["*"].Alias].A
}

// A control API that cannot be reached is an error, and no fault in force.
func TestApplyWithoutTheFakes(t *testing.T) {
	g := NewWithT(t)
	gone := httptest.NewServer(nil)
	gone.Close()
	w := world(nil)
	w.DNS, w.ALB = fakedns.NewClient(gone.URL, nil), fakealb.NewClient(gone.URL, nil)
	for _, f := range []Fault{Rotate{}, SwitchAlias{}, EndOld{How: EndSilence}, EndOld{How: EndRefuse}, EndOld{How: EndNoTargets}} {
		_, err := f.Apply(t.Context(), w)
		g.Expect(err).To(HaveOccurred(), f.Name())
	}
}
