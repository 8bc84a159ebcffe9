package migrate

import (
	"slices"
	"strings"
)

// rewriteRule is a RewriteRule that sends requests to an upstream.
type rewriteRule struct {
	place
	pattern, target string
}

// proxyRule reads a RewriteRule with [P] that does nothing else.
func proxyRule(d directive) (r rewriteRule, is bool) {
	if !strings.EqualFold(d.name, "RewriteRule") || len(d.args) != 3 || hasUndefined(d) {
		return r, false
	}
	r = rewriteRule{place: d.place, pattern: d.args[0], target: d.args[1]}
	for flag := range strings.SplitSeq(strings.ToUpper(strings.Trim(d.args[2], "[]")), ",") {
		switch flag {
		case "P", "PROXY":
			is = true
		case "NC", "NOCASE":
			r.pattern = "(?i)" + d.args[0]
		case "L", "LAST", "QSA", "QSAPPEND", "NE", "NOESCAPE":
		default:
			return r, false
		}
	}
	return r, is
}

// follows reports whether a rule sends requests to the path that they ask for, as
// ProxyPass does, as far as can be told: what stands before the first group in the target
// is how the pattern begins.
func follows(pattern, target string) bool {
	before, _, hasGroup := strings.Cut(strings.Replace(pathOf(target), "%{REQUEST_URI}", "$0", 1), "$")
	return hasGroup && strings.HasPrefix(strings.TrimLeft(pattern, "^/?"), strings.Trim(before, "/"))
}

// origin is the server or balancer of a target, "" where it cannot be told.
func origin(target string) string {
	if name := balancerOf(target); name != "" {
		return "balancer://" + name
	}
	server, _, err := memberURL(strings.NewReplacer("$", "%24", "%{REQUEST_URI}", "/", "?%{QUERY_STRING}", "").Replace(target))
	if err != nil {
		return ""
	}
	return server
}

// rewrite leaves out what a rule sends where ProxyPass does, such as WebSocket. It closes
// what a rule sends to a server to which no ProxyPass does: that may be the one that lets
// not everybody in. It also closes what a rule sends to another path than the one that was
// asked for: that may say that it is forbidden.
func (a *apache) rewrite(r rewriteRule, v *vhost, passes []pass) {
	known := follows(r.pattern, r.target) && slices.ContainsFunc(passes, func(p pass) bool { return a.sameServer(r.target, p.target) })
	switch {
	case a.sameWay(r, passes):
		a.note(r.place, "goproxy needs no rule for it: ProxyPass leads to the same place, for WebSocket too")
	case known:
		a.close(r.place, "its requests go where ProxyPass says: mod_rewrite is not read")
	case strings.HasPrefix(strings.TrimPrefix(r.pattern, "(?i)"), "!"):
		v.barred = true
		a.close(r.place, "the whole virtual host answers 403 in this draft: mod_rewrite is not read")
	default:
		v.closePath(r.pattern, true)
		a.close(r.place, "%s answers 403 in this draft: mod_rewrite is not read, and no ProxyPass leads where it does", r.pattern)
	}
}
