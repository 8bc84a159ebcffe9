package targets

import (
	"cmp"
	"context"
	"crypto/tls"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Env is what the pools of a server have in common.
type Env struct {
	Scale float64 // divides every timer; 1 is real time
	// HealthLog gets each health check. Nil for none.
	HealthLog func(CheckEntry)
	// Changed is called when the health of a target changed, by no lock held. Nil
	// for nothing.
	Changed func()
}

// Node is what a pool knows of its node.
type Node struct {
	Addr netip.Addr
	// LoadBalancer is the name of the one that it belongs to.
	LoadBalancer string
	Zone         string
	// Port is of the listener, for the Host of health checks of a network load
	// balancer (4.4 D).
	Port uint16
	// ShiftedZone is the zone that traffic is shifted away from (1.16 D), or empty.
	ShiftedZone string
	// Idle is the idle timeout, for which a target may be silent, before scaling.
	Idle time.Duration
	// Kept is how long a connection to a target may lie idle, before scaling; 0 stands
	// for Idle.
	Kept time.Duration
	// Whole is how long a whole response may take, before scaling; 0 means any time.
	Whole time.Duration
	// Lag is how long a change of the group takes to reach the node, before scaling
	// (3.4.2 O).
	Lag time.Duration
	// TLS has the versions, suites and curves of connections to HTTPS targets; nil
	// for those that Go has by default.
	TLS *tls.Config
	// Connected is called with 1 when a connection for requests has been made and
	// with -1 when it has ended. Nil for nothing.
	Connected func(change int)
	// Unused says that no rule forwards to the group: it is not checked.
	Unused bool
}

// Pool is one node's view of a target group. Close it when the node goes.
type Pool struct {
	env  Env
	hold atomic.Bool // see HoldFINs

	mu      sync.Mutex
	group   Group
	node    Node
	targets []*target // registered
	leaving []*target // draining
	// routable are those that new requests may go to, as refresh found them;
	// failedOpen says that they are taken regardless of their health.
	routable   []*target
	failedOpen bool
	turn       int
	random     *rand.Rand
	window     time.Time // when the present window of the anomaly detection began
	pending    []*lagging
	closed     bool
	checking   sync.WaitGroup
}

// target is one registered or draining target of a pool.
type target struct {
	id      string
	addr    netip.AddrPort
	zone    string
	builtIn *builtIn // nil for a real server
	stop    context.CancelFunc
	// gone ends, with ErrDeregistered as its cause, when the target has been drained.
	gone    context.Context
	end     context.CancelCauseFunc
	drained *time.Timer

	// guarded by Pool.mu
	http        transport // with connections of its own; nil for a built-in one
	now         condition
	streak      int // checks in a row that spoke against the state
	outstanding int
	first       bool      // registered to an empty group, and never healthy yet
	rampFrom    time.Time // when its slow start began; zero without
	credit      float64   // of the weighted round robin of slow start
	anomaly     anomaly
	flows       flows
}

// NewPool begins to check the health of the group's targets. The group must have
// passed Check.
func NewPool(g Group, n Node, env Env) *Pool {
	seed := n.Addr.As16()
	p := &Pool{env: env, window: time.Now(), random: rand.New(rand.NewPCG(uint64(seed[15])|uint64(seed[14])<<8, uint64(len(g.Name))))}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.apply(g, n)
	return p
}

// Update puts another group in place of the present one, or tells of changes of
// the node: at once, or when its lag is over. A target of both groups keeps its
// state unless the protocol is another now; one that is left out is drained.
func (p *Pool) Update(g Group, n Node) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n.Lag == 0 {
		p.learned(len(p.pending))
		p.apply(g, n)
		return
	}
	p.apply(p.group, n)
	if !reflect.DeepEqual(g, p.latest()) {
		p.later(g, n.Lag)
	}
}

// apply is Update without the lag. mu is held.
func (p *Pool) apply(g Group, n Node) {
	if p.closed {
		return
	}
	was, wasNode := p.group, p.node
	p.group, p.node = g, n
	anew := g.Protocol != was.Protocol || g.ProtocolVersion != was.ProtocolVersion
	recheck := anew || g.Health != was.Health || n.Unused != wasNode.Unused
	present := p.targets
	p.targets = nil
	first := len(present) == 0
	for _, registered := range g.Targets {
		i := slices.IndexFunc(present, func(t *target) bool { return t.is(registered) })
		if i < 0 || anew {
			p.targets = append(p.targets, p.register(registered, first))
			continue
		}
		t := present[i]
		t.zone = registered.Zone
		if t.builtIn != nil {
			t.builtIn.is.Store(registered.BuiltIn)
		}
		if n.Idle != wasNode.Idle || n.Kept != wasNode.Kept || n.TLS != wasNode.TLS {
			p.connect(t)
		}
		if recheck {
			t.stop()
			p.begin(t)
		}
		p.targets = append(p.targets, t)
	}
	for _, t := range present {
		if !slices.Contains(p.targets, t) {
			p.drain(t)
		}
	}
	p.refresh()
}

// is reports whether t is the target that is configured so.
func (t *target) is(c Target) bool {
	return t.id == c.ID() && (t.builtIn == nil) == (c.BuiltIn == nil)
}

// register makes a target of the pool. The first ones of an empty group have no
// slow start (3.4.3 D).
func (p *Pool) register(c Target, first bool) *target {
	t := &target{id: c.ID(), addr: c.Addr, zone: c.Zone, first: first, anomaly: anomaly{weight: 1}}
	if c.BuiltIn != nil {
		t.builtIn = &builtIn{}
		t.builtIn.is.Store(c.BuiltIn)
	}
	t.gone, t.end = context.WithCancelCause(context.Background())
	p.undrain(t.id)
	p.connect(t)
	p.begin(t)
	return t
}

// begin starts the health checks of a target, if its group is in use.
func (p *Pool) begin(t *target) {
	if p.node.Unused {
		t.now, t.stop = because(Unused, reasonNotInUse), func() {}
		return
	}
	if t.now.state == "" || t.now.state == Unused {
		t.now = because(Initial, reasonInitial)
	}
	var ctx context.Context
	ctx, t.stop = context.WithCancel(context.Background())
	p.checking.Add(1)
	go p.watch(ctx, t, p.group)
}

// Health returns the state of every target: the registered ones as in the group,
// then the draining ones. What the node has not learned of yet (its lag) is shown
// as the control plane has it.
func (p *Pool) Health() []Health {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.advance(time.Now())
	group := p.latest()
	out := []Health{}
	for _, c := range group.Targets {
		h := Health{Target: c.ID(), Zone: c.Zone, Anomaly: AnomalyNormal, Override: OverrideNone}
		now := because(Initial, reasonRegistering)
		if i := slices.IndexFunc(p.targets, func(t *target) bool { return t.is(c) }); i >= 0 {
			h, now = p.health(p.targets[i]), p.targets[i].now
		}
		h.State, h.Reason, h.Description = now.state, now.reason, now.description
		out = append(out, h)
	}
	going := slices.Clone(p.leaving)
	for _, t := range p.targets {
		if !slices.ContainsFunc(group.Targets, t.is) {
			going = append(going, t)
		}
	}
	for _, t := range going {
		h, now := p.health(t), because(Draining, reasonDeregistering)
		h.State, h.Reason, h.Description = now.state, now.reason, now.description
		out = append(out, h)
	}
	return out
}

// health is what Health says of a target beside its state.
func (p *Pool) health(t *target) Health {
	h := Health{
		Target: t.id, Zone: t.zone, Anomaly: AnomalyNormal, Override: OverrideNone,
		Mitigation: p.mitigates() && t.anomaly.weight < 1, Outstanding: t.outstanding,
	}
	if t.anomaly.found {
		h.Anomaly = AnomalyAnomalous
	}
	if p.shifted(t) {
		h.Override = OverrideZonalShift
	}
	return h
}

// Close ends the health checks and closes idle connections. Requests that have
// begun finish, also those that have not got to Forward yet.
func (p *Pool) Close() {
	p.mu.Lock()
	p.closed = true
	for _, t := range p.targets {
		t.stop()
	}
	for _, t := range p.leaving {
		t.drained.Stop()
	}
	p.learned(len(p.pending))
	all := slices.Concat(p.targets, p.leaving)
	p.leaving = nil
	for _, t := range all {
		t.disconnect()
	}
	p.mu.Unlock()
	p.checking.Wait()
}

// kept is how long a connection to a target may lie idle. mu is held.
func (p *Pool) kept() time.Duration { return p.scaled(cmp.Or(p.node.Kept, p.node.Idle)) }

func (p *Pool) scaled(d time.Duration) time.Duration {
	return time.Duration(float64(d) / p.env.Scale)
}

// age is how long ago t was, in the ALB's time.
func (p *Pool) age(t time.Time) time.Duration {
	return time.Duration(float64(time.Since(t)) * p.env.Scale)
}
