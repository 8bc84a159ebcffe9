package goproxy

import (
	"crypto/rand"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/proxychaos/proxychaos/goproxy/http1"
)

// sticky finds and sets the route of a session, in the form that Apache's
// mod_proxy_balancer and Tomcat's jvmRoute use: "session.route".
type sticky struct {
	cookie  string
	param   string // path parameter, as in /a;jsessionid=x.route
	set     bool
	members map[string]*member // by route
	seen    *sessions          // nil if whatever names a member counts as its session
}

func newSticky(cfg Upstream, members []*member) *sticky {
	if cfg.StickySession == "" {
		return nil
	}
	s := &sticky{set: cfg.SetRouteCookie, members: map[string]*member{}}
	s.cookie, s.param, _ = strings.Cut(cfg.StickySession, "|")
	for _, m := range members {
		if m.route != "" {
			s.members[m.route] = m
		}
	}
	if idle := time.Duration(cfg.SessionIdle); idle > 0 {
		s.seen = newSessions(idle)
	}
	return s
}

// inherit takes over what is known of the sessions of an older config.
func (s *sticky) inherit(from *sticky) {
	if s != nil && from != nil && s.cookie == from.cookie && s.seen != nil && from.seen != nil && s.seen.idle == from.seen.idle {
		s.seen = from.seen
	}
}

// sessionOf returns the session that req asks for and the route in it, or "". The path
// counts before the cookie, because only it can differ between two tabs.
func (s *sticky) sessionOf(req *request) (session, route string) {
	if s == nil {
		return "", ""
	}
	if s.param != "" {
		session := pathParam(req.path.raw, s.param)
		if route := s.known(session); route != "" {
			return session, route
		}
	}
	n := 0
	for line := range req.Header.Values("Cookie") {
		for pair := range strings.SplitSeq(line, ";") {
			name, value, _ := strings.Cut(strings.TrimSpace(pair), "=")
			if name != s.cookie {
				continue
			}
			if n++; n > mostCookies {
				return "", ""
			}
			session := strings.Trim(value, `"`)
			if route := s.known(session); route != "" {
				return session, route
			}
		}
	}
	return "", ""
}

// mostCookies is how many of the name are looked at. Browsers have one for each path and
// domain, and a client can write 10,000.
const mostCookies = 16

// known returns what stands after the first dot, if it is the route of a member that
// takes the session. A member that takes no others has to have answered it.
func (s *sticky) known(session string) string {
	_, route, ok := strings.Cut(session, ".")
	m := s.members[route]
	if !ok || m == nil || s.seen != nil && m.keepsToSessions() && !s.seen.has(session) {
		return ""
	}
	return route
}

// keepsToSessions reports whether the member gets no request but those of sessions that
// it has: it drains, or is a spare that is not needed.
func (m *member) keepsToSessions() bool {
	return memberMode(m.mode.Load()) == memberDrains || m.backup && !m.up.needsSpares(m.up.set.Load().endpoints)
}

func pathParam(path, name string) string {
	for part := range strings.SplitSeq(path, ";") {
		if value, ok := strings.CutPrefix(part, name+"="); ok {
			value, _, _ = strings.Cut(value, "/")
			if plain, err := url.PathUnescape(value); err == nil {
				return plain
			}
		}
	}
	return ""
}

// answered notes the sessions of a response: the one that the request asked for, if the
// member that holds it has served it, and what the member calls it from now on. It sets
// the route cookie if the request had none of that member.
func (s *sticky) answered(header *http1.Header, req *request) {
	if s == nil {
		return
	}
	route, session := req.served.member.route, req.exchange.session
	if route == "" {
		return
	}
	if req.exchange.route == route {
		s.note(session, route)
	}
	for _, f := range *header {
		switch {
		case http1.EqualFold(f.Name, "Set-Cookie"):
			pair, _, _ := strings.Cut(f.Value, ";")
			if name, value, _ := strings.Cut(strings.TrimSpace(pair), "="); name == s.cookie {
				s.note(strings.Trim(value, `"`), route)
			}
		case s.param != "" && http1.EqualFold(f.Name, "Location"):
			target, _, _ := strings.Cut(f.Value, "?")
			target, _, _ = strings.Cut(target, "#")
			s.note(pathParam(target, s.param), route)
		}
	}
	// A cookie without a session of its own, as Apache sets it, is the same for every
	// client: none could be told from a forged one.
	if s.set && (req.exchange.route != route || strings.HasPrefix(session, ".")) {
		s.mark(header, req, route)
	}
}

// note notes a session if its route is the one that has answered it. What every client
// has, and gets another cookie for, is none.
func (s *sticky) note(session, route string) {
	id, of, ok := strings.Cut(session, ".")
	if ok && of == route && s.seen != nil && !(s.set && id == "") {
		s.seen.note(session)
	}
}

// mark sets the route cookie.
func (s *sticky) mark(header *http1.Header, req *request, route string) {
	session := rand.Text()[:16] + "." + route // 80 bits
	s.note(session, route)
	cookie := http.Cookie{ //nolint:gosec // Secure where the client came by HTTPS
		Name: s.cookie, Value: session, Path: "/",
		HttpOnly: true, Secure: req.scheme() == "https", SameSite: http.SameSiteLaxMode,
	}
	header.Add("Set-Cookie", cookie.String())
}
