package goproxy

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"time"
)

// startMembers is a proxy before n members with an address each in their url.
func startMembers(t *testing.T, n int, change func(*Upstream)) ([]*backend, *testProxy) {
	t.Helper()
	backends, port := startBackends(t, n)
	var up Upstream
	for i, b := range backends {
		up.Members = append(up.Members, Member{URL: fmt.Sprintf("http://%v:%d", b.addr, port), Route: fmt.Sprintf("r%d", i)})
	}
	change(&up)
	cfg := Config{Routes: []Route{{Upstream: "app"}}, Upstreams: map[string]Upstream{"app": up}, DrainTimeout: Duration(2 * time.Second)}
	return backends, startProxy(t, cfg, nil)
}

func TestByRequestsFollowsLoadFactor(t *testing.T) {
	backends, p := startMembers(t, 3, func(u *Upstream) {
		u.Balance = byRequests
		u.Members[0].LoadFactor = 3
		u.Members[1].LoadFactor = 2
	})
	for range 60 {
		send(t, p, http.MethodGet, "")
	}
	for i, want := range []int{30, 20, 10} {
		if got := backends[i].requestsAfter(time.Time{}); got != want {
			t.Errorf("member %d got %d of 60 requests, want %d", i, got, want)
		}
	}
}

func TestLoadFactorIsTheMembersWhateverItsAddresses(t *testing.T) {
	u, err := newUpstream("u", Upstream{Balance: byRequests, Members: []Member{{URL: "http://127.0.0.1:1"}, {URL: "http://127.0.0.1:2"}}}, nil, discardLog)
	if err != nil {
		t.Fatal(err)
	}
	u.members[0].replace([]netip.Addr{netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2"), netip.MustParseAddr("10.0.0.3")})
	got := map[string]int{}
	for range 60 {
		got[u.pick(wish{}).addr.String()]++
	}
	if got["127.0.0.1:2"] != 30 || got["10.0.0.1:1"] != 10 || got["10.0.0.3:1"] != 10 {
		t.Errorf("got %v, want 30 for the member with one address and 10 for each of three", got)
	}
}

func TestLeastConnPrefersTheLessBusy(t *testing.T) {
	u, err := newUpstream("u", Upstream{Members: []Member{{URL: "http://127.0.0.1:1"}, {URL: "http://127.0.0.1:2", LoadFactor: 4}}}, nil, discardLog)
	if err != nil {
		t.Fatal(err)
	}
	for range 100 {
		u.pick(wish{}).acquire()
	}
	one, four := u.set.Load().endpoints[0].outstanding.Load(), u.set.Load().endpoints[1].outstanding.Load()
	if one < 15 || one > 25 || one+four != 100 {
		t.Errorf("outstanding %d and %d of 100, want about 20 and 80", one, four)
	}
}

func TestStickySession(t *testing.T) {
	backends, p := startMembers(t, 3, func(u *Upstream) {
		u.StickySession = "JSESSIONID|jsessionid"
		u.SetRouteCookie = true
	})
	for i, b := range backends {
		for range 10 {
			if _, body := send(t, p, http.MethodGet, "", "Cookie", fmt.Sprintf("JSESSIONID=s.r%d", i)); !strings.Contains(body, b.addr.String()) {
				t.Fatalf("the session of route r%d was %s", i, body)
			}
		}
	}
	for range 10 {
		// The path counts before the cookie.
		resp := rawRequest(t, p, "GET /a;jsessionid=x.r2?q HTTP/1.1\r\nHost: h\r\nCookie: JSESSIONID=s.r0\r\n\r\n")
		if got := body(t, resp); !strings.Contains(got, backends[2].addr.String()) {
			t.Fatalf("the session in the path was %s", got)
		}
	}
	first := rawRequest(t, p, "GET / HTTP/1.1\r\nHost: h\r\nCookie: JSESSIONID=s.unknown\r\n\r\n")
	cookie := first.Header.Get("Set-Cookie")
	if !regexp.MustCompile(`^JSESSIONID=[A-Z0-9]{16}\.r[0-2]; Path=/`).MatchString(cookie) {
		t.Errorf("Set-Cookie %q, want a session and the route", cookie)
	}
	again := rawRequest(t, p, "GET / HTTP/1.1\r\nHost: h\r\nCookie: JSESSIONID=s.r1\r\n\r\n")
	if got := again.Header.Get("Set-Cookie"); got != "" {
		t.Errorf("Set-Cookie %q for a session that is where it belongs", got)
	}
}

func TestStickySessionFailsOver(t *testing.T) {
	for _, nofailover := range []bool{false, true} {
		t.Run(fmt.Sprintf("nofailover=%v", nofailover), func(t *testing.T) {
			backends, p := startMembers(t, 2, func(u *Upstream) {
				u.StickySession = "S"
				u.SetRouteCookie = true
				u.NoFailover = nofailover
				u.Retries.Window = Duration(300 * time.Millisecond)
			})
			backends[0].refuse()
			resp := rawRequest(t, p, "GET / HTTP/1.1\r\nHost: h\r\nCookie: S=.r0\r\n\r\n")
			if nofailover && (resp.StatusCode != http.StatusBadGateway || backends[1].requestsAfter(time.Time{}) != 0) {
				t.Errorf("status %d, want 502 and nothing on the other member", resp.StatusCode)
			}
			if !nofailover && (resp.StatusCode != http.StatusOK || !strings.Contains(resp.Header.Get("Set-Cookie"), ".r1;")) {
				t.Errorf("status %d, Set-Cookie %q, want the other member and its route", resp.StatusCode, resp.Header.Get("Set-Cookie"))
			}
		})
	}
}

func TestFailOnStatus(t *testing.T) {
	backends, p := startMembers(t, 2, func(u *Upstream) { u.FailOnStatus = []int{500} })
	backends[0].handle(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) })
	for i := range 50 {
		if status, _ := send(t, p, http.MethodGet, ""); status != http.StatusOK {
			t.Fatalf("request %d: status %d", i, status)
		}
	}
	if n := backends[0].requestsAfter(time.Time{}); n == 0 || n > 5 {
		t.Errorf("the failing member got %d of 50 requests, want at least 1 and then none for a second", n)
	}
	// With both failing the status is the answer, and a POST is sent once.
	backends[1].handle(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) })
	if status, _ := send(t, p, http.MethodGet, ""); status != http.StatusInternalServerError {
		t.Errorf("status %d, want the upstream's 500", status)
	}
	start := time.Now()
	if status, _ := send(t, p, http.MethodPost, "x"); status != http.StatusInternalServerError {
		t.Errorf("status %d, want the upstream's 500", status)
	}
	if n := backends[0].requestsAfter(start) + backends[1].requestsAfter(start); n != 1 {
		t.Errorf("the POST was sent %d times", n)
	}
}

func TestEjectedAddressComesBack(t *testing.T) {
	backends, p := startMembers(t, 2, func(u *Upstream) { u.FailOnStatus = []int{503} })
	sick := true
	backends[0].handle(func(w http.ResponseWriter, _ *http.Request) {
		if sick {
			sick = false
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		io.WriteString(w, "well")
	})
	eventually(t, 5*time.Second, "the member was left out and served again", func() bool {
		status, body := send(t, p, http.MethodGet, "")
		if status != http.StatusOK {
			t.Fatalf("status %d", status)
		}
		return body == "well"
	})
}

func TestPOSTsAloneBringAnAddressBack(t *testing.T) {
	backends, p := startMembers(t, 2, func(*Upstream) {})
	address := backends[0].Addr().String()
	backends[0].refuse()
	eventually(t, 3*time.Second, "the member that refuses is left out", func() bool {
		if status, _ := send(t, p, http.MethodPost, "x"); status != http.StatusOK {
			t.Fatalf("status %d", status)
		}
		return p.Endpoints()[0].State == "ejected"
	})
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "back") })}
	go server.Serve(l)
	t.Cleanup(func() { server.Close() })
	eventually(t, 10*time.Second, "it serves again", func() bool {
		status, body := send(t, p, http.MethodPost, "x")
		if status != http.StatusOK {
			t.Fatalf("status %d", status)
		}
		return body == "back"
	})
}
