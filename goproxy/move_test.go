package goproxy

import (
	"fmt"
	"net/http"
	"testing"
	"time"
)

// The four ways for a name to move. A, B are the old addresses, C, D the new.
// moveRate is a quarter of what the scenarios of this project send: here proxy,
// client and backends share one process, often with the race detector on.
const moveRate = 50

type move struct {
	dns        *dnsServer
	a, b, c, d *backend
	proxy      *testProxy
}

func newMove(t *testing.T, ttl uint32) *move {
	t.Helper()
	backends, port := startBackends(t, 4)
	m := &move{dns: startDNS(t, ttl), a: backends[0], b: backends[1], c: backends[2], d: backends[3]}
	m.dns.set(m.a, m.b)
	m.proxy = startProxy(t, simpleConfig(port), m.dns)
	return m
}

// warm waits until both old addresses serve.
func (m *move) warm(t *testing.T) {
	t.Helper()
	eventually(t, 3*time.Second, "A and B both served 20 requests", func() bool {
		return m.a.requestsAfter(time.Time{}) >= 20 && m.b.requestsAfter(time.Time{}) >= 20
	})
}

// left waits until the proxy holds no connection to A and B and uses C and D,
// and returns that moment.
func (m *move) left(t *testing.T) time.Time {
	t.Helper()
	eventually(t, 3*time.Second, "no open connection to A and B", func() bool {
		return m.a.openConns() == 0 && m.b.openConns() == 0
	})
	now := time.Now()
	eventually(t, 3*time.Second, "C and D both serve", func() bool {
		return m.c.requestsAfter(now) > 10 && m.d.requestsAfter(now) > 10
	})
	return now
}

func (m *move) requireNothingOnOld(t *testing.T, since time.Time) {
	t.Helper()
	for _, old := range []*backend{m.a, m.b} {
		if r, s := old.requestsAfter(since), old.acceptsAfter(since); r != 0 || s != 0 {
			t.Errorf("after it left DNS %v got %d requests and %d connections, want none", old.addr, r, s)
		}
	}
}

func TestMoveThenOldGoSilent(t *testing.T) {
	m := newMove(t, 1)
	results := load(m.proxy, moveRate, 5*time.Second)
	m.warm(t)
	m.dns.set(m.c, m.d)
	flip := time.Now()
	since := m.left(t)
	if took := since.Sub(flip); took > 1500*time.Millisecond {
		t.Errorf("the old addresses were left %v after DNS moved, want within TTL 1s and a half", took)
	}
	time.Sleep(time.Second) // the grace is the condition
	m.requireNothingOnOld(t, since)
	m.a.freeze(t)
	m.b.freeze(t)
	requireNoFailure(t, <-results, 5*moveRate)
}

func TestMoveThenOldRefuse(t *testing.T) {
	m := newMove(t, 1)
	results := load(m.proxy, moveRate, 5*time.Second)
	m.warm(t)
	m.dns.set(m.c, m.d)
	since := m.left(t)
	time.Sleep(time.Second) // the grace is the condition
	m.a.refuse()
	m.b.refuse()
	requireNoFailure(t, <-results, 5*moveRate)
	m.requireNothingOnOld(t, since)
}

func TestMoveThenOldAnswer503(t *testing.T) {
	m := newMove(t, 1)
	results := load(m.proxy, moveRate, 5*time.Second)
	m.warm(t)
	m.dns.set(m.c, m.d)
	since := m.left(t)
	time.Sleep(time.Second) // the grace is the condition
	for _, old := range []*backend{m.a, m.b} {
		old.handle(func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "no targets", http.StatusServiceUnavailable)
		})
	}
	requireNoFailure(t, <-results, 5*moveRate)
	m.requireNothingOnOld(t, since)
}

func TestMoveAndOldGoSilentAtOnce(t *testing.T) {
	for _, ttl := range []uint32{1, 60} {
		t.Run(fmt.Sprintf("ttl=%d", ttl), func(t *testing.T) {
			m := newMove(t, ttl)
			results := load(m.proxy, moveRate, 5*time.Second)
			m.warm(t)
			m.dns.set(m.c, m.d)
			m.a.freeze(t)
			m.b.freeze(t)
			frozen := time.Now()
			requireNoFailure(t, <-results, 5*moveRate)
			if n := m.c.requestsAfter(frozen) + m.d.requestsAfter(frozen); n < 3*moveRate {
				t.Errorf("the new addresses served %d requests, want at least %d", n, 3*moveRate)
			}
		})
	}
}

func TestMoveAndOldRefuseAtOnce(t *testing.T) {
	m := newMove(t, 1)
	results := load(m.proxy, moveRate, 4*time.Second)
	m.warm(t)
	m.a.refuse()
	m.b.refuse()
	time.Sleep(500 * time.Millisecond) // a gap in which no address works is the condition
	m.dns.set(m.c, m.d)
	requireNoFailure(t, <-results, 4*moveRate)
}

// Without hedging only the departure of their address saves the requests that
// are stuck on it.
func TestDepartureSavesStuckRequests(t *testing.T) {
	backends, port := startBackends(t, 4)
	m := &move{dns: startDNS(t, 1), a: backends[0], b: backends[1], c: backends[2], d: backends[3]}
	m.dns.set(m.a, m.b)
	cfg := simpleConfig(port)
	cfg.Upstreams["backend"] = Upstream{URL: cfg.Upstreams["backend"].URL, Retries: Retries{HedgeAfter: Off}}
	m.proxy = startProxy(t, cfg, m.dns)
	results := load(m.proxy, moveRate, 4*time.Second)
	m.warm(t)
	m.dns.set(m.c, m.d)
	m.a.freeze(t)
	m.b.freeze(t)
	requireNoFailure(t, <-results, 4*moveRate)
}
