package goproxy

import (
	"context"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/miekg/dns"

	"github.com/proxychaos/proxychaos/goproxy/http1"
)

// awayTransport is an address that refuses connections up to a moment, and then answers
// one request after the other. Its time may be virtual.
type awayTransport struct {
	e       *endpoint
	back    time.Time
	refusal time.Duration // takes so long
	each    time.Duration // an answer takes so long
	turn    chan struct{}
}

// roundTrip implements transport.
func (a *awayTransport) roundTrip(ctx context.Context, x *exchange, at *attempt) error {
	if time.Now().Before(a.back) {
		time.Sleep(a.refusal)
		return &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
	}
	at.sent.Store(true)
	x.req.client.(*awayClient).sent.Add(1)
	select {
	case a.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	time.Sleep(a.each)
	<-a.turn
	a.e.heard()
	a.e.alive()
	at.resp = response{Response: http1.Response{Status: http.StatusOK}, body: &awayBody{attempt: at}}
	return nil
}

func (a *awayTransport) closeIdle() {}
func (a *awayTransport) wake()      {}

// awayBody is an empty body.
type awayBody struct {
	comes
	attempt *attempt
}

// Close implements responseBody.
func (b *awayBody) Close() {
	b.attempt.cancel()
	b.attempt.endpoint.release()
}

// awayClient is a client with so much patience.
type awayClient struct {
	client
	ctx  context.Context
	sent atomic.Int64 // how often its request was
}

func (c *awayClient) watch() context.Context { return c.ctx }

// While every address refuses, no request is lost whose client waits until they are back:
// the first tries come within milliseconds then, and those that have waited longest are
// answered first. No POST is sent twice.
func TestNothingIsLostWhileAllAddressesAreAway(t *testing.T) {
	// The first try after they are back, its answer, and those of the ones that it lets in.
	const soonAfter = 10*time.Millisecond + admitFirst*time.Millisecond
	for name, test := range map[string]struct {
		members, rate           int
		away, patience, refusal time.Duration
	}{
		"within the window":             {members: 2, rate: 100, away: 3 * time.Second, patience: time.Minute},
		"at the end of the window":      {members: 2, rate: 100, away: 9500 * time.Millisecond, patience: time.Minute},
		"clients go":                    {members: 2, rate: 100, away: 5 * time.Second, patience: 4 * time.Second},
		"many clients go":               {members: 2, rate: 500, away: 5 * time.Second, patience: 4 * time.Second},
		"handshakes fail":               {members: 4, rate: 100, away: 5 * time.Second, patience: 4 * time.Second, refusal: 3 * time.Millisecond},
		"one address":                   {members: 1, rate: 100, away: 5 * time.Second, patience: 4 * time.Second},
		"more addresses than tries":     {members: 3 * maxAttempts, rate: 100, away: 5 * time.Second, patience: 4 * time.Second},
		"more, where a refusal is slow": {members: 3 * maxAttempts, rate: 100, away: 3 * time.Second, patience: time.Minute, refusal: 50 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				u := members(t, test.members, nil)
				start := time.Now()
				back := start.Add(test.away)
				for _, e := range u.set.Load().endpoints {
					e.pool, e.transport = nil, &awayTransport{e: e, back: back, refusal: test.refusal, each: time.Millisecond, turn: make(chan struct{}, 1)}
				}
				var all sync.WaitGroup
				var served, hopeless atomic.Int64
				const after = time.Second
				every := time.Second / time.Duration(test.rate)
				for i := range int((test.away + after) / every) {
					all.Go(func() {
						time.Sleep(time.Duration(i) * every)
						ctx, cancel := context.WithTimeout(context.Background(), test.patience)
						defer cancel()
						end := time.Now().Add(test.patience)
						c := &awayClient{ctx: ctx}
						req := &request{client: c, route: &boundRoute{}}
						req.Method = []string{http.MethodGet, http.MethodPost}[i%2]
						resp, err := u.get(req)
						switch {
						case err == nil:
							served.Add(1)
							resp.body.Close()
						case end.Before(back.Add(soonAfter)):
							hopeless.Add(1)
						default:
							t.Errorf("a %s of %v after the start was lost %v after it: %v", req.Method, time.Duration(i)*every, time.Since(start), err)
						}
						if n := c.sent.Load(); n > 1 && req.Method == http.MethodPost {
							t.Errorf("a POST was sent %d times", n)
						}
					})
				}
				all.Wait()
				t.Logf("%d served, %d lost, of which none could be saved; the last one %v after the addresses were back", served.Load(), hopeless.Load(), time.Since(back))
				if n := u.room.inside.Load(); n != 0 {
					t.Errorf("%d requests still wait", n)
				}
			})
		})
	}
}

// A client whose request waits for an address that leaves, with none in its place, gets an
// answer.
func TestAddressThatLeavesWhileItIsDialed(t *testing.T) {
	backends, port := startBackends(t, 1)
	d := startDNS(t, 1)
	d.set(backends...)
	cfg := simpleConfig(port)
	u := cfg.Upstreams["backend"]
	u.DNS.HoldAbsent = Duration(100 * time.Millisecond)
	u.Timeouts.Connect = Duration(20 * time.Second)
	u.Retries.Window = Duration(3 * time.Second)
	cfg.Upstreams["backend"] = u
	p := startProxy(t, cfg, d)
	eventually(t, 5*time.Second, "the address is known", func() bool { return len(p.Endpoints()) == 1 })
	for range 2 { // the first time one connection may have been taken in meanwhile
		backends[0].freeze(t)
	}
	clients := map[string]*rawClient{http.MethodGet: dialPatient(t, p), http.MethodPost: dialPatient(t, p)}
	for method, c := range clients {
		c.send("%s / HTTP/1.1\r\nHost: h\r\n\r\n", method)
	}
	eventually(t, 5*time.Second, "both are waiting", func() bool { return p.Endpoints()[0].Outstanding == 2 })
	d.fail(dns.RcodeNameError)
	for method, c := range clients {
		if head := c.head(); !strings.HasPrefix(head, "HTTP/1.1 503 ") {
			t.Errorf("%s: got %q, want 503", method, head)
		}
	}
}
