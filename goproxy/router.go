package goproxy

import (
	"errors"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// router chooses the route of a request.
type router struct {
	routes []boundRoute // most exact first
}

// boundRoute is a route with its upstream in place of the name.
type boundRoute struct {
	Route
	up       *running
	regex    *regexp.Regexp // nil for a route by Path
	request  headerEdits
	response headerEdits
}

func newBoundRoute(r Route, up *running) (boundRoute, error) {
	r.Host = unrooted(r.Host)
	b := boundRoute{Route: r, up: up}
	var errs [3]error
	switch {
	case r.PathRegex == "":
	case r.Status != 0:
		b.regex, errs[0] = regexp.Compile("(?s)" + r.PathRegex) // an encoded line's end does not lead around it
	default:
		b.regex, errs[0] = regexp.Compile(r.PathRegex)
	}
	b.request, errs[1] = newHeaderEdits(r.Headers.Request, requestVariables)
	b.response, errs[2] = newHeaderEdits(r.Headers.Response, responseVariables)
	return b, errors.Join(errs[:]...)
}

func newRouter(routes []boundRoute) *router {
	sorted := slices.Clone(routes)
	slices.SortStableFunc(sorted, func(a, b boundRoute) int {
		if d := hostRank(b.Host) - hostRank(a.Host); d != 0 {
			return d
		}
		if (a.regex != nil) != (b.regex != nil) {
			if a.regex != nil {
				return -1
			}
			return 1
		}
		return len(b.Path) - len(a.Path)
	})
	return &router{routes: sorted}
}

// hostRank orders an exact host before a wildcard, a longer wildcard before a
// shorter one, and no host last.
func hostRank(host string) int {
	switch {
	case host == "":
		return 0
	case strings.HasPrefix(host, "*."):
		return len(host)
	default:
		return 1 << 16
	}
}

// match returns the route for a Host header and a path, or nil. Of two routes
// for the same host those with a regular expression come first, in their order,
// as in nginx.
func (r *router) match(host string, path pathForms) *boundRoute {
	host = unrooted(hostname(host))
	forRegex := ""
	for i := range r.routes {
		route := &r.routes[i]
		switch {
		case !hostMatches(route.Host, host):
		case route.regex == nil:
			if pathMatches(route.Path, path.clean) {
				return route
			}
		default:
			if forRegex == "" {
				forRegex, _ = path.forRegex()
			}
			if route.regex.MatchString(forRegex) || route.Status != 0 && route.closes(path) {
				return route
			}
		}
	}
	return nil
}

// closes reports whether the expression matches the path decoded, as routes see it
// or with its parameters and slashes. A "$" matches before a line's end too, as it
// does in most programs that may read the path later.
func (r *boundRoute) closes(path pathForms) bool {
	matches := func(p string) bool {
		return r.regex.MatchString(p) || strings.HasSuffix(p, "\n") && r.regex.MatchString(p[:len(p)-1])
	}
	if matches(path.clean) {
		return true
	}
	decoded, err := url.PathUnescape(path.raw)
	return err == nil && decoded != path.clean && matches(decoded)
}

// unrooted is a name without the dots at its end: with them it is the same host's.
func unrooted(host string) string { return strings.TrimRight(host, ".") }

func hostMatches(pattern, host string) bool {
	if suffix, ok := strings.CutPrefix(pattern, "*"); ok {
		return len(host) > len(suffix) && strings.EqualFold(host[len(host)-len(suffix):], suffix)
	}
	return pattern == "" || strings.EqualFold(pattern, host)
}

func pathMatches(prefix, path string) bool {
	rest, ok := strings.CutPrefix(path, prefix)
	return ok && (rest == "" || prefix == "" || strings.HasSuffix(prefix, "/") || rest[0] == '/')
}
