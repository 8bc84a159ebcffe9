package migrate

import (
	"reflect"
	"regexp"
	"strings"
)

// way is where a rule sends paths: those that begin with from go to the path to, and what
// follows from is put behind it.
type way struct{ from, to string }

var (
	// wholePath is a pattern that matches every path, or those that begin with a text, and
	// has what follows in a group or not.
	wholePath = regexp.MustCompile(`^\^?((?:[\w/~-]|\\[.-])*)(/\?)?(\(\.\*\)|\.\*)?\$?$`)
	// ownPath is a target that ends in the path, or the rest of it, that was asked for.
	ownPath = regexp.MustCompile(`^([^$%]*)(\$0|\$1|%\{REQUEST_URI\})(\?%\{QUERY_STRING\})?$`)
)

// wayOf reads the pattern of a RewriteRule and the path of its target, as far as it can
// be told what becomes of each path.
func wayOf(pattern, target string) (w way, ok bool) {
	p, t := wholePath.FindStringSubmatch(pattern), ownPath.FindStringSubmatch(target)
	if p == nil || t == nil || p[3] == "" {
		return w, false
	}
	from, mayHaveSlash := strings.ReplaceAll(p[1], `\`, ""), p[2] != ""
	w = way{from, t[1]}
	switch atTop := strings.Trim(from, "/") == ""; {
	case !atTop && !strings.HasPrefix(pattern, "^/"):
		return w, false // it matches in the middle of a path too
	case !atTop && mayHaveSlash:
		return w, false // "^/ws/?(.*)" makes the same of /wsx as of /ws/x
	case atTop && mayHaveSlash:
		w.from += "/" // every path has it
	}
	switch {
	case t[2] == "$1" && p[3] != "(.*)":
		return w, false
	case t[2] != "$1":
		w.to += w.from
	}
	if w.from == "" { // the group has the first slash too
		w = way{"/", w.to + "/"}
	}
	return w, true
}

// sameWay reports whether ProxyPass sends all that a rule sends to an upstream to the same
// server and path, so that the rule, whatever its conditions, changes nothing. ProxyPass
// takes whole segments, and a rule what begins with its text: "^/ws(.*)" takes /wsx too,
// which another ProxyPass has to send the same way.
func (a *apache) sameWay(r rewriteRule, passes []pass) bool {
	pattern, anyCase := strings.CutPrefix(r.pattern, "(?i)")
	w, ok := wayOf(pattern, pathOf(r.target))
	if !ok || anyCase && strings.ToUpper(w.from) != strings.ToLower(w.from) { // ProxyPass takes one case only
		return false
	}
	for _, p := range passes {
		if p.regex {
			return false
		}
		from, to := folder(p.path), folder(pathOf(p.target))
		within, takesAll := strings.CutPrefix(w.from, from)
		part, isPart := strings.CutPrefix(from, w.from)
		switch {
		case takesAll:
			return a.sameServer(r.target, p.target) && onePath(to+within) == onePath(w.to)
		case isPart && !(a.sameServer(r.target, p.target) && onePath(w.to+part) == onePath(to)):
			return false
		}
	}
	return false // some go nowhere by ProxyPass
}

// folder is a path with one slash at its end, which is how goproxy joins paths.
func folder(path string) string { return strings.TrimRight(path, "/") + "/" }

// sameServer reports whether two targets are one server, or balancers of the same members
// with the same settings.
func (a *apache) sameServer(one, other string) bool {
	if origin(one) == origin(other) {
		return origin(one) != ""
	}
	if balancerOf(one) == "" || balancerOf(other) == "" {
		return false
	}
	b, c := a.balancers[balancerOf(one)], a.balancers[balancerOf(other)]
	return b != nil && c != nil && len(b.up.Members) > 0 && reflect.DeepEqual(b, c)
}

// balancerOf is the name of the balancer of a target, or "".
func balancerOf(target string) string {
	name, is := strings.CutPrefix(target, "balancer://")
	if !is {
		return ""
	}
	name, _, _ = strings.Cut(name, "/")
	return name
}

// pathOf is what follows the server or balancer of a target.
func pathOf(target string) string {
	_, rest, _ := strings.Cut(target, "://")
	if i := strings.IndexAny(rest, "/$%"); i >= 0 {
		return rest[i:]
	}
	return ""
}

// onePath is a path with one slash in place of several, which make no difference to
// goproxy.
func onePath(p string) string { return slashes.ReplaceAllString("/"+p, "/") }

var slashes = regexp.MustCompile(`/+`)
