package goproxy

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/proxychaos/proxychaos/goproxy/http1"
)

// setMember sets a member to a state, as the admin API does.
func setMember(t *testing.T, p *testProxy, id, state string) {
	t.Helper()
	p.table.Load().upstreams["app"].member(id).set(MemberChange{State: &state})
}

// servedBy requires that each of some requests is answered by a backend. A request is
// what its target and its Cookie line are.
func servedBy(t *testing.T, p *testProxy, b *backend, requests ...[2]string) {
	t.Helper()
	for _, r := range requests {
		for range 5 { // who has a choice would choose another one now and then
			got := body(t, rawRequest(t, p, fmt.Sprintf("GET %s HTTP/1.1\r\nHost: h\r\n%s\r\n", r[0], r[1])))
			if !strings.Contains(got, b.addr.String()) {
				t.Errorf("%q was %s, want %v", r, got, b.addr)
			}
		}
	}
}

// cookieOf is what a client sends that has taken the cookie of a response.
func cookieOf(resp *http.Response) string {
	pair, _, _ := strings.Cut(resp.Header.Get("Set-Cookie"), ";")
	return "Cookie: " + pair + "\r\n"
}

// anHour is the session_idle of these tests.
const anHour = Duration(time.Hour)

// A member that drains serves the sessions that it has. A cookie that is forged, or older
// than the session that it names, brings it none.
func TestDrainedMemberServesOnlyItsSessions(t *testing.T) {
	for name, nofailover := range map[string]bool{"failover": false, "nofailover": true} {
		t.Run(name, func(t *testing.T) {
			backends, p := startMembers(t, 2, func(u *Upstream) { u.StickySession, u.SessionIdle, u.NoFailover = "S|sid", anHour, nofailover })
			known := [][2]string{{"/", "Cookie: S=known.r0\r\n"}, {"/a;sid=param.r0", ""}}
			servedBy(t, p, backends[0], known...)
			setMember(t, p, "r0", "drain")
			servedBy(t, p, backends[0], known...)
			servedBy(t, p, backends[0], [2]string{"/", "Cookie: S=forged.r0; S=known.r0\r\n"})
			servedBy(t, p, backends[1],
				[2]string{"/", "Cookie: S=forged.r0\r\n"}, [2]string{"/", "Cookie: S=.r0\r\n"}, [2]string{"/a;sid=forged.r0", ""},
				[2]string{"/", "Cookie: S=known.r1\r\n"}, [2]string{"/", "Cookie: S=forged.r0; S=other.r1\r\n"})
			setMember(t, p, "r0", "enabled")
			servedBy(t, p, backends[0], [2]string{"/", "Cookie: S=forged.r0\r\n"})
		})
	}
}

// A session of a member that drains may get another name, as when its user logs in.
func TestSessionOfADrainedMemberIsRenamed(t *testing.T) {
	backends, p := startMembers(t, 2, func(u *Upstream) { u.StickySession, u.SessionIdle = "S|sid", anHour })
	servedBy(t, p, backends[0], [2]string{"/", "Cookie: S=before.r0\r\n"})
	setMember(t, p, "r0", "drain")
	backends[0].handle(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "/in;sid=param.r0?x#y")
		w.Header().Add("Set-Cookie", "S=other.r1; Path=/") // not its own
		w.Header().Add("Set-Cookie", `S="after.r0"; Path=/`)
		fmt.Fprintf(w, "served by %v\n", backends[0].addr)
	})
	servedBy(t, p, backends[0], [2]string{"/", "Cookie: S=before.r0\r\n"}, [2]string{"/", "Cookie: S=after.r0\r\n"}, [2]string{"/in;sid=param.r0", ""})
	if p.table.Load().upstreams["app"].sticky.seen.has("other.r1") {
		t.Error("a member began a session of another one")
	}
}

// The proxy's own cookie tells clients apart, so that one cannot be made of another's.
func TestRouteCookieIsOneClients(t *testing.T) {
	backends, p := startMembers(t, 2, func(u *Upstream) { u.StickySession, u.SessionIdle, u.SetRouteCookie = "S", anHour, true })
	setMember(t, p, "r1", "disabled")
	first, second := cookieOf(rawRequest(t, p, plainGET)), cookieOf(rawRequest(t, p, plainGET))
	if first == second {
		t.Errorf("two clients got %q", first)
	}
	// What an earlier release has set, or Apache, is the same for every client.
	renamed := cookieOf(rawRequest(t, p, "GET / HTTP/1.1\r\nHost: h\r\nCookie: S=.r0\r\n\r\n"))
	setMember(t, p, "r1", "enabled")
	setMember(t, p, "r0", "drain")
	servedBy(t, p, backends[0], [2]string{"/", first}, [2]string{"/", second}, [2]string{"/", renamed})
	servedBy(t, p, backends[1], [2]string{"/", "Cookie: S=.r0\r\n"}, [2]string{"/", strings.Replace(first, "=", "=X", 1)})
	moved := rawRequest(t, p, "GET / HTTP/1.1\r\nHost: h\r\nCookie: S=forged.r0\r\n\r\n")
	if got := cookieOf(moved); !strings.HasSuffix(got, ".r1\r\n") {
		t.Errorf("a session that was moved got %q", got)
	}
}

// A spare that is not needed gets the sessions that it has begun, and no others.
func TestSpareServesOnlyItsSessions(t *testing.T) {
	backends, p := startMembers(t, 2, func(u *Upstream) { u.StickySession, u.SessionIdle, u.Members[1].Backup = "S", anHour, true })
	servedBy(t, p, backends[0], [2]string{"/", "Cookie: S=forged.r1\r\n"})
	setMember(t, p, "r0", "disabled")
	servedBy(t, p, backends[1], [2]string{"/", "Cookie: S=known.r1\r\n"})
	setMember(t, p, "r0", "enabled")
	servedBy(t, p, backends[1], [2]string{"/", "Cookie: S=known.r1\r\n"})
	servedBy(t, p, backends[0], [2]string{"/", "Cookie: S=forged.r1\r\n"})
}

// Unless it is told how long a session is a member's, the proxy believes what names a member:
// another proxy may have begun the session.
func TestRouteIsBelievedByDefault(t *testing.T) {
	for name, idle := range map[string]Duration{"nothing said": 0, "off": Off} {
		t.Run(name, func(t *testing.T) {
			backends, p := startMembers(t, 2, func(u *Upstream) { u.StickySession, u.SessionIdle = "S", idle })
			setMember(t, p, "r0", "drain")
			servedBy(t, p, backends[0], [2]string{"/", "Cookie: S=unknown.r0\r\n"})
		})
	}
}

// A reload that changes an upstream forgets no session.
func TestReloadKeepsSessions(t *testing.T) {
	backends, p := startMembers(t, 2, func(u *Upstream) { u.StickySession, u.SessionIdle = "S", anHour })
	servedBy(t, p, backends[0], [2]string{"/", "Cookie: S=known.r0\r\n"})
	cfg := p.table.Load().cfg
	up := cfg.Upstreams["app"]
	up.Balance = byRequests
	cfg.Upstreams = map[string]Upstream{"app": up}
	if err := p.Reload(cfg); err != nil {
		t.Fatal(err)
	}
	setMember(t, p, "r0", "drain")
	servedBy(t, p, backends[0], [2]string{"/", "Cookie: S=known.r0\r\n"})
	servedBy(t, p, backends[1], [2]string{"/", "Cookie: S=forged.r0\r\n"})
}

func TestSessionsAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSessions(time.Hour)
		s.note("kept.a")
		s.note("old.a")
		for range 10 {
			time.Sleep(time.Hour - time.Second)
			if !s.has("kept.a") {
				t.Fatal("a session in use is forgotten")
			}
			s.note("kept.a")
		}
		if s.has("old.a") || s.has("forged.a") {
			t.Error("an old session, or one that was never there, is known")
		}
		time.Sleep(2 * time.Hour)
		if s.has("kept.a") {
			t.Error("a session is known two hours after its last request")
		}
	})
}

// What does not find room may be a session all the same, for as long as one is kept.
func TestTooManySessions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSessions(time.Hour)
		s.most = 3
		for i := range 3 {
			s.note(fmt.Sprint(i, ".a"))
		}
		s.note("0.a")
		if s.has("3.a") {
			t.Error("a session that was never there is known")
		}
		s.note("3.a")
		time.Sleep(time.Hour)
		if !s.has("3.a") || len(s.past.seen) != 3 {
			t.Errorf("a session that found no room is not believed, or %d are remembered", len(s.past.seen))
		}
		time.Sleep(time.Hour)
		if s.has("3.a") {
			t.Error("believed for ever")
		}
	})
}

// A request with many cookies of the name costs no look at each.
func TestOnlySomeCookiesAreLookedAt(t *testing.T) {
	u := members(t, 2, func(u *Upstream) { u.StickySession, u.Members[0].Route = "S", "a" })
	for n, want := range map[int]string{0: "a", mostCookies - 1: "a", mostCookies: "", 10 * mostCookies: ""} {
		req := &request{}
		req.Header = http1.Header{{Name: "Cookie", Value: strings.Repeat("S=x.none; ", n) + "S=x.a"}}
		if _, route := u.sticky.sessionOf(req); route != want {
			t.Errorf("behind %d others: route %q, want %q", n, route, want)
		}
	}
}
