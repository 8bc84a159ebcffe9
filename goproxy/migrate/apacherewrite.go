package migrate

import (
	"slices"
	"strings"
)

// rewriteRule is a RewriteRule that sends requests to an upstream.
type rewriteRule struct {
	place
	pattern, origin string
	follows         bool // its target has the path of the request
}

// proxyRule reads a RewriteRule with [P] that does nothing else.
func proxyRule(d directive) (r rewriteRule, is bool) {
	if !strings.EqualFold(d.name, "RewriteRule") || len(d.args) != 3 || hasUndefined(d) {
		return r, false
	}
	flags := strings.Split(strings.ToUpper(strings.Trim(d.args[2], "[]")), ",")
	if !slices.Contains(flags, "P") || slices.ContainsFunc(flags, func(f string) bool {
		return !slices.Contains([]string{"P", "L", "NC", "QSA", "NE"}, f)
	}) {
		return r, false
	}
	r = rewriteRule{place: d.place, pattern: d.args[0], origin: origin(d.args[1]), follows: follows(d.args[0], d.args[1])}
	if slices.Contains(flags, "NC") {
		r.pattern = "(?i)" + r.pattern
	}
	return r, true
}

// follows reports whether a rule sends requests to the path that they ask for, as
// ProxyPass does, as far as can be told: what stands before the first group in the target
// is how the pattern begins.
func follows(pattern, target string) bool {
	_, path, _ := strings.Cut(target, "://")
	if i := strings.IndexAny(path, "/$%"); i >= 0 {
		path = path[i:]
	}
	before, _, hasGroup := strings.Cut(strings.Replace(path, "%{REQUEST_URI}", "$0", 1), "$")
	return hasGroup && strings.HasPrefix(strings.TrimLeft(pattern, "^/?"), strings.Trim(before, "/"))
}

// origin is the server or balancer of a target, "" where it cannot be told.
func origin(target string) string {
	if name, is := strings.CutPrefix(target, "balancer://"); is {
		name, _, _ = strings.Cut(name, "/")
		return "balancer://" + name
	}
	server, _, err := memberURL(strings.NewReplacer("$", "%24", "%{REQUEST_URI}", "/").Replace(target))
	if err != nil {
		return ""
	}
	return server
}

// rewrite closes what a rule sends to a server to which no ProxyPass does: that may
// be the one that lets not everybody in. It also closes what a rule sends to another
// path than the one that was asked for: that may say that it is forbidden. Others, such as
// those for WebSocket, are left out.
func (a *apache) rewrite(r rewriteRule, v *vhost) {
	known := r.origin != "" && r.follows && slices.ContainsFunc(v.passes, func(p pass) bool { return origin(p.target) == r.origin })
	switch {
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
