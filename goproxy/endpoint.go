package goproxy

import (
	"context"
	"crypto/tls"
	"net"
	"net/netip"
	"reflect"
	"sync/atomic"
	"time"

	"github.com/proxychaos/proxychaos/goproxy/wire"
)

// endpoint is one address of an upstream with its own pool of connections and
// what is known about its health.
type endpoint struct {
	member    *member
	addr      netip.AddrPort
	transport transport
	pool      *pool       // the transport, where it is HTTP/1
	tls       *tls.Config // nil for plain HTTP

	weight      atomic.Int64 // share of the member's load factor
	warmSince   atomic.Int64 // unix ns; the slow start began
	traffic     atomic.Int64 // bytes passed on, each counted for the share it was sent under
	identity    uint64       // of the address, for the consistent hash
	credit      int64        // guarded by the upstream's rngMu
	disabled    atomic.Bool  // taken out by hand
	outstanding atomic.Int64 // attempts without a finished response
	departed    atomic.Bool  // left the DNS answer
	health      health       // what its health checks say
	gone        context.Context
	leave       context.CancelFunc // cancels gone, and so every dial

	lastByte     atomic.Int64 // unix ns of the last response header
	unheard      atomic.Int32 // requests in a row to which it was silent
	suspectUntil atomic.Int64 // unix ns; of the last of them
	failures     atomic.Int32 // in a row
	ejectedUntil atomic.Int64 // unix ns; 0 when healthy
	probing      atomic.Bool  // one request is trying an ejected endpoint
	doubted      atomic.Bool  // a connection is being tried, because a request of a session waits
	logged       atomic.Int64 // unix ns of the last log line about an ejection
}

func newEndpoint(m *member, addr netip.AddrPort) *endpoint {
	cfg := m.up.cfg
	e := &endpoint{member: m, addr: addr, identity: hashOf(addr.String())}
	e.warm(time.Now())
	e.gone, e.leave = context.WithCancel(context.Background())
	tlsConfig := m.tls.Clone()
	// A session can be resumed at its own address only, not at another node of
	// the same load balancer.
	tlsConfig.ClientSessionCache = tls.NewLRUClientSessionCache(1)
	if m.url.Scheme != "https" {
		tlsConfig = nil
	}
	e.tls = tlsConfig
	if cfg.Protocol == protocolHTTP1 {
		e.pool = newPool(e, tlsConfig)
		e.transport = e.pool
	} else {
		e.transport = newH2Transport(e, tlsConfig)
	}
	return e
}

// dialTCP connects. No SYN may go to an address that has left.
func (e *endpoint) dialTCP(ctx context.Context, dialer *net.Dialer) (net.Conn, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(e.gone, cancel)() //nolint:contextcheck // ends with the endpoint too
	return dialer.DialContext(ctx, "tcp", e.addr.String())
}

// connect makes a connection and introduces it. req is the request that it is
// for, if it is for one; the introduction may take so long.
func (e *endpoint) connect(ctx context.Context, dialer *net.Dialer, req *request, introduction time.Duration) (*wire.Conn, error) {
	dialed, err := e.dialTCP(ctx, dialer)
	if err != nil {
		return nil, err
	}
	conn, err := wire.New(dialed.(*net.TCPConn))
	if err == nil {
		err = e.introduce(conn, req, introduction)
	}
	if err != nil {
		_ = dialed.Close() // the first error says more
		return nil, err
	}
	return conn, nil
}

// inherit takes over what was said of the same address under an older config. What
// requests have shown is learnt again: the config may have changed because of it.
func (e *endpoint) inherit(from *endpoint) {
	e.disabled.Store(from.disabled.Load())
	if check := e.member.up.cfg.HealthCheck; check != nil && reflect.DeepEqual(check, from.member.up.cfg.HealthCheck) {
		e.health.sick.Store(from.health.sick.Load())
	}
}

// depart takes the endpoint out of use: dials end now, idle connections close
// now, running requests may finish.
func (e *endpoint) depart() {
	e.departed.Store(true)
	e.leave()
	e.transport.closeIdle()
	e.transport.wake()
}

// acquire counts an attempt in; release counts it out.
func (e *endpoint) acquire() { e.outstanding.Add(1) }

func (e *endpoint) release() {
	e.outstanding.Add(-1)
	if e.departed.Load() || e.member.up.retired.Load() {
		// The connection just went back to the pool.
		e.transport.closeIdle()
	}
}

// heard notes that a response came, whatever it says.
func (e *endpoint) heard() {
	e.lastByte.Store(time.Now().UnixNano())
	if e.unheard.Load() != 0 {
		e.unheard.Store(0)
	}
	e.member.up.room.open()
}

// alive notes a good response: an ejection is over.
func (e *endpoint) alive() {
	if e.failures.Load() != 0 || e.ejectedUntil.Load() != 0 {
		e.failures.Store(0)
		e.ejectedUntil.Store(0)
		e.probing.Store(false)
		e.warm(time.Now())
	}
}

// silentSince reports whether not one response came from the address after t.
func (e *endpoint) silentSince(t time.Time) bool {
	return e.lastByte.Load() < t.UnixNano()
}

// suspected reports whether the endpoint was silent to a request just now, and has
// answered none since.
func (e *endpoint) suspected(now time.Time) bool {
	return e.unheard.Load() > 0 && e.suspectUntil.Load() > now.UnixNano()
}

// eject leaves the endpoint out for a while. It reports whether that is news:
// one failure is told by many requests at once.
func (e *endpoint) eject(now time.Time) bool {
	if e.ejected(now) && !e.probing.CompareAndSwap(true, false) {
		return false
	}
	cfg := e.member.up.cfg.Ejection
	doublings := min(e.failures.Add(1)-1, 10)
	out := min(cfg.Retry<<doublings, cfg.RetryMax)
	e.ejectedUntil.Store(now.Add(time.Duration(out)).UnixNano())
	return true
}

// mayLog allows one log line a second.
func (e *endpoint) mayLog(now time.Time) bool {
	last := e.logged.Load()
	return now.UnixNano()-last >= int64(time.Second) && e.logged.CompareAndSwap(last, now.UnixNano())
}

func (e *endpoint) ejected(now time.Time) bool {
	return e.ejectedUntil.Load() > now.UnixNano()
}

// leftOut reports whether requests go elsewhere, because of failures or of the
// health checks.
func (e *endpoint) leftOut(now time.Time) bool { return e.health.sick.Load() || e.ejected(now) }

// probe reports whether the caller's request shall be the one that tries an
// ejected endpoint whose time is over. A request of which no copy can be sent is
// not risked: a bare connection is tried in its place.
func (e *endpoint) probe(now time.Time, mayCopy bool) bool {
	until := e.ejectedUntil.Load()
	if until == 0 || until > now.UnixNano() {
		return false
	}
	if !e.ejectedUntil.CompareAndSwap(until, now.Add(time.Duration(e.member.up.cfg.Ejection.Retry)).UnixNano()) {
		return false
	}
	e.probing.Store(true)
	if !mayCopy {
		go e.knock()
	}
	return mayCopy
}

// knock ends an ejection when a connection can be made, and prolongs it when
// not.
func (e *endpoint) knock() {
	err := e.reach()
	switch {
	case err == nil:
		e.alive()
	case culpritOf(err) == theProxy:
		e.unproved()
	default:
		e.eject(time.Now())
	}
}

// reach makes a connection on which nothing is sent.
func (e *endpoint) reach() error {
	conn, err := e.dialTCP(e.gone, &net.Dialer{Timeout: time.Duration(e.member.up.cfg.Timeouts.Connect)})
	if err == nil {
		_ = conn.Close() // it carried nothing
	}
	return err
}

// unproved lets another request try an ejected endpoint, if one did and says
// nothing about it.
func (e *endpoint) unproved() {
	if e.probing.CompareAndSwap(true, false) {
		e.ejectedUntil.Store(time.Now().UnixNano())
	}
}
