package targets

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// Timers and limits towards targets.
const (
	connectTimeout    = 10 * time.Second // 3.1.3 D
	handshakeTimeout  = 10 * time.Second // 3.1.3 D
	maxResponseHeader = 32 << 10         // 2.1.3 D
)

// Pool is one node's view of a target group. Close it when the node goes.
type Pool struct {
	scale     float64 // divides every timer
	idle      time.Duration
	transport *http.Transport

	mu       sync.Mutex
	group    Group
	targets  []*target
	turn     int
	checking sync.WaitGroup
}

// NewPool begins to check the health of the group's targets. The group must have
// passed Check. Idle is the idle timeout, for which a target may be silent; scale
// divides it and every other timer.
func NewPool(g Group, idle time.Duration, scale float64) *Pool {
	p := &Pool{scale: scale, idle: idle}
	p.transport = &http.Transport{
		DialContext:            (&net.Dialer{Timeout: p.scaled(connectTimeout)}).DialContext,
		TLSClientConfig:        anyCertificate(),
		TLSHandshakeTimeout:    p.scaled(handshakeTimeout),
		ResponseHeaderTimeout:  p.scaled(idle),
		IdleConnTimeout:        p.scaled(idle),
		MaxResponseHeaderBytes: maxResponseHeader,
		MaxIdleConnsPerHost:    1024,
		DisableCompression:     true,
	}
	p.Update(g)
	return p
}

// Update puts another group in place of the present one. A target that stays
// keeps its state if the way it is checked stays too; one that goes gets no new
// request, and those under way finish.
func (p *Pool) Update(g Group) {
	p.mu.Lock()
	defer p.mu.Unlock()
	same := g.Protocol == p.group.Protocol && g.Health == p.group.Health
	kept := map[netip.AddrPort]*target{}
	for _, t := range p.targets {
		if same && slices.ContainsFunc(g.Targets, func(now Target) bool { return now.Addr == t.addr }) {
			kept[t.addr] = t
		} else {
			t.stop()
		}
	}
	p.group, p.targets = g, nil
	for _, registered := range g.Targets {
		t := kept[registered.Addr]
		if t == nil {
			t = p.register(registered.Addr, g)
		}
		p.targets = append(p.targets, t)
	}
}

func (p *Pool) register(addr netip.AddrPort, g Group) *target {
	ctx, stop := context.WithCancel(context.Background())
	t := &target{addr: addr, stop: stop, health: Health{Target: addr, State: Initial, Reason: reasonInitial}}
	p.checking.Add(1)
	go p.watch(ctx, t, g)
	return t
}

// Health returns the state of every target.
func (p *Pool) Health() []Health {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := make([]Health, len(p.targets))
	for i, t := range p.targets {
		out[i] = t.health
	}
	return out
}

// Close ends the health checks and closes idle connections.
func (p *Pool) Close() {
	p.Update(Group{})
	p.checking.Wait()
	p.transport.CloseIdleConnections()
}

// pick returns the target of the next request: round robin over the healthy ones,
// over all of them if none is healthy (fail-open, 3.3.1 D), none if none is
// registered (3.3.4 D).
func (p *Pool) pick() (addr netip.AddrPort, protocol string, failedOpen, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.turn++
	n := len(p.targets)
	for i := range n {
		if t := p.targets[(p.turn+i)%n]; t.health.State == Healthy {
			p.turn += i
			return t.addr, p.group.Protocol, false, true
		}
	}
	if n == 0 {
		return addr, "", false, false
	}
	return p.targets[p.turn%n].addr, p.group.Protocol, true, true
}

func (p *Pool) scaled(d time.Duration) time.Duration {
	return time.Duration(float64(d) / p.scale)
}
