package goproxy

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// startPinned is two members for sessions, or one name with two addresses for keys,
// and a request that belongs to the first one: what its Cookie is.
func startPinned(t *testing.T, kind string) (own, other *backend, p *testProxy, cookie string) {
	t.Helper()
	backends, p := startMembers(t, 2, func(u *Upstream) {
		u.Retries.HedgeAfter = Duration(50 * time.Millisecond)
		u.Timeouts.Connect = Duration(200 * time.Millisecond)
		if kind == "session" {
			u.StickySession = "S"
		} else {
			u.Balance, u.HashKey = byHash, "%{cookie:S}"
		}
	})
	for i := range 100 {
		cookie = "S=x.r0"
		if kind == "key" {
			cookie = fmt.Sprint("S=", i)
		}
		if _, body := send(t, p, http.MethodGet, "", "Cookie", cookie); strings.Contains(body, backends[0].addr.String()) {
			return backends[0], backends[1], p, cookie
		}
	}
	t.Fatal("no key belongs to the first address")
	return nil, nil, nil, ""
}

// A request that is slow remains with its session: another member would answer at once,
// and the user would be logged out.
func TestSlowRequestStaysWithItsSession(t *testing.T) {
	for _, kind := range []string{"session", "key"} {
		own, other, p, cookie := startPinned(t, kind)
		own.handle(func(w http.ResponseWriter, _ *http.Request) {
			time.Sleep(400 * time.Millisecond) // its slowness is the condition: eight times HedgeAfter
			fmt.Fprint(w, "of the session")
		})
		since := time.Now()
		if status, body := send(t, p, http.MethodGet, "", "Cookie", cookie); status != http.StatusOK || body != "of the session" {
			t.Errorf("%s: status %d, %q", kind, status, body)
		}
		if n := other.requestsAfter(since); n > 0 {
			t.Errorf("%s: the other address got %d copies", kind, n)
		}
	}
}

// A connection that the upstream closes just as a request comes moves no session.
func TestKeepAliveRaceMovesNoSession(t *testing.T) {
	own := startRaw(t, func(conn net.Conn, r *bufio.Reader) {
		defer conn.Close()
		if _, err := http.ReadRequest(r); err == nil {
			io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nown")
			http.ReadRequest(r) // and it is not answered
		}
	})
	other := startRaw(t, answer("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nother"))
	p := startRawProxy(t, own, func(c *Config) {
		c.Upstreams["raw"] = Upstream{
			Members:       []Member{{URL: "http://" + own.Addr().String(), Route: "r0"}, {URL: "http://" + other.Addr().String(), Route: "r1"}},
			StickySession: "S",
		}
	})
	for i := range 3 {
		if status, body := send(t, p, http.MethodGet, "", "Cookie", "S=x.r0"); status != http.StatusOK || body != "own" {
			t.Errorf("request %d: status %d, %q", i, status, body)
		}
	}
	if n := other.accepted(); n > 0 {
		t.Errorf("the other member got %d connections", n)
	}
}

// A session whose address is gone without a word moves, with the request that waits.
func TestSilentAddressLosesItsSessions(t *testing.T) {
	for _, kind := range []string{"session", "key"} {
		own, other, p, cookie := startPinned(t, kind)
		own.freeze(t)
		if status, body := send(t, p, http.MethodGet, "", "Cookie", cookie); status != http.StatusOK || !strings.Contains(body, other.addr.String()) {
			t.Errorf("%s: status %d, %q, want an answer of the other address", kind, status, body)
		}
	}
}

// A member with several addresses has its sessions at each of them.
func TestSlowRequestIsCopiedWithinItsMember(t *testing.T) {
	backends, port := startBackends(t, 3)
	d := startDNS(t, 1)
	d.set(backends[0], backends[1])
	cfg := simpleConfig(port)
	cfg.Upstreams["backend"] = Upstream{
		Members: []Member{
			{URL: cfg.Upstreams["backend"].URL, Route: "r0"},
			{URL: fmt.Sprintf("http://%v:%d", backends[2].addr, port), Route: "r1"},
		},
		StickySession: "S",
		Retries:       Retries{HedgeAfter: Duration(50 * time.Millisecond)},
	}
	p := startProxy(t, cfg, d)
	eventually(t, 5*time.Second, "the addresses of the name", func() bool { return len(p.Endpoints()) == 3 })
	entered := make(chan struct{}, 10)
	slow := func(w http.ResponseWriter, r *http.Request) {
		entered <- struct{}{}
		if len(entered) == 1 {
			<-r.Context().Done() // the copy wins
			return
		}
		fmt.Fprint(w, "the copy")
	}
	backends[0].handle(slow)
	backends[1].handle(slow)
	if status, body := send(t, p, http.MethodGet, "", "Cookie", "S=x.r0"); status != http.StatusOK || body != "the copy" {
		t.Errorf("status %d, %q, want the answer of the member's other address", status, body)
	}
	if n := backends[2].requestsAfter(time.Time{}); n > 0 {
		t.Errorf("the other member got %d", n)
	}
}
