package migrate

import (
	"regexp"
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
// ProxyPass does: with the groups of the pattern put in, the target is the pattern. If the
// pattern does not say where the path begins, that is so of paths which begin with it.
func follows(pattern, target string) bool {
	target, _ = strings.CutSuffix(pathOf(target), "?%{QUERY_STRING}")
	if strings.TrimPrefix(target, "/") == "%{REQUEST_URI}" {
		return true
	}
	body, groups, ok := shapeOf(pattern)
	if !ok {
		return false
	}
	matched := append([]string{body}, groups...)
	out := groupNumber.ReplaceAllStringFunc(target, func(number string) string {
		if n := int(number[1] - '0'); n < len(matched) {
			return matched[n]
		}
		return number
	})
	begins := strings.HasPrefix(out, "/") || strings.HasPrefix(body, "(") // else it goes on behind the server's name
	return begins && strings.TrimLeft(out, "/") == strings.TrimLeft(body, "/")
}

var (
	groupNumber = regexp.MustCompile(`\$[0-9]`)
	// shape is a pattern that is plain text with groups in it, and group one of these.
	shape = regexp.MustCompile(`^(?:[\w/~-]|\\[./_-]|\([^()?][^()]*\))*(?:\.\*)?$`)
	group = regexp.MustCompile(`\([^()]*\)`)
)

// shapeOf returns what a pattern matches, without the signs for its ends, and the groups
// in it, if there is only plain text around them and it takes paths to their end.
func shapeOf(pattern string) (body string, groups []string, ok bool) {
	body = strings.TrimPrefix(pattern, "^")
	if rest, found := strings.CutPrefix(body, "/?"); found {
		body = "/" + rest // every path has it
	}
	body, ended := strings.CutSuffix(body, "$")
	ended = ended || strings.HasSuffix(body, ".*)") || strings.HasSuffix(body, ".+)") || strings.HasSuffix(body, ".*")
	if !ended || !shape.MatchString(body) {
		return "", nil, false
	}
	body = strings.ReplaceAll(body, `\`, "")
	return body, group.FindAllString(body, -1), true
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
