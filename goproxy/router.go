package goproxy

import (
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
	up *running
}

func newRouter(routes []boundRoute) *router {
	sorted := slices.Clone(routes)
	slices.SortStableFunc(sorted, func(a, b boundRoute) int {
		if d := hostRank(b.Host) - hostRank(a.Host); d != 0 {
			return d
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

// match returns the route for a Host header and a path, or nil.
func (r *router) match(host, path string) *boundRoute {
	host = hostname(host)
	for i := range r.routes {
		if hostMatches(r.routes[i].Host, host) && pathMatches(r.routes[i].Path, path) {
			return &r.routes[i]
		}
	}
	return nil
}

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
