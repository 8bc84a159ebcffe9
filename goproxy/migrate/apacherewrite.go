package migrate

import (
	"slices"
	"strings"
)

// rewriteRule is a RewriteRule that sends requests to an upstream.
type rewriteRule struct {
	place
	pattern, origin string
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
	r = rewriteRule{place: d.place, pattern: d.args[0], origin: origin(d.args[1])}
	if slices.Contains(flags, "NC") {
		r.pattern = "(?i)" + r.pattern
	}
	return r, true
}

// origin is the server or balancer of a target, "" where it cannot be told.
func origin(target string) string {
	if name, is := strings.CutPrefix(target, "balancer://"); is {
		name, _, _ = strings.Cut(name, "/")
		return "balancer://" + name
	}
	server, _, err := memberURL(strings.ReplaceAll(target, "$", "%24"))
	if err != nil {
		return ""
	}
	return server
}

// rewrite closes what a rule sends to a server to which no ProxyPass does: that may
// be the one that lets not everybody in. Others, such as those for WebSocket, are
// left out.
func (a *apache) rewrite(r rewriteRule, v *vhost) {
	known := r.origin != "" && slices.ContainsFunc(v.passes, func(p pass) bool { return origin(p.target) == r.origin })
	switch {
	case known:
		a.close(r.place, "its requests go where ProxyPass says: mod_rewrite is not read")
	case strings.HasPrefix(strings.TrimPrefix(r.pattern, "(?i)"), "!"):
		v.barred = true
		a.close(r.place, "the whole virtual host answers 403 in this draft: mod_rewrite is not read")
	default:
		v.closePath(r.pattern, true)
		a.close(r.place, "%s answers 403 in this draft: mod_rewrite is not read, and no ProxyPass leads to this server", r.pattern)
	}
}
