package goproxy

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/proxychaos/proxychaos/goproxy/http1"
)

// sticky finds and sets the route of a session, in the form that Apache's
// mod_proxy_balancer and Tomcat's jvmRoute use: "session.route".
type sticky struct {
	cookie string
	param  string // path parameter, as in /a;jsessionid=x.route
	set    bool
	routes map[string]bool
}

func newSticky(name string, set bool, members []*member) *sticky {
	if name == "" {
		return nil
	}
	s := &sticky{set: set, routes: map[string]bool{}}
	s.cookie, s.param, _ = strings.Cut(name, "|")
	for _, m := range members {
		if m.route != "" {
			s.routes[m.route] = true
		}
	}
	return s
}

// routeOf returns the known route that req asks for, or "". The path counts
// before the cookie, because only it can differ between two tabs.
func (s *sticky) routeOf(req *request) string {
	if s == nil {
		return ""
	}
	if s.param != "" {
		if route := s.known(pathParam(req.path.raw, s.param)); route != "" {
			return route
		}
	}
	for line := range req.Header.Values("Cookie") {
		for pair := range strings.SplitSeq(line, ";") {
			name, value, _ := strings.Cut(strings.TrimSpace(pair), "=")
			if name != s.cookie {
				continue
			}
			if route := s.known(strings.Trim(value, `"`)); route != "" {
				return route
			}
		}
	}
	return ""
}

// known returns what stands after the first dot, where it is a route.
func (s *sticky) known(session string) string {
	if _, route, ok := strings.Cut(session, "."); ok && s.routes[route] {
		return route
	}
	return ""
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

// mark sets the route cookie on a response from a member that the request had
// not asked for.
func (s *sticky) mark(header *http1.Header, req *request) {
	if s == nil || !s.set {
		return
	}
	route := req.served.member.route
	if route == "" || s.routeOf(req) == route {
		return
	}
	cookie := http.Cookie{ //nolint:gosec // Secure where the client came by HTTPS
		Name: s.cookie, Value: "." + route, Path: "/",
		HttpOnly: true, Secure: req.scheme() == "https", SameSite: http.SameSiteLaxMode,
	}
	header.Add("Set-Cookie", cookie.String())
}
