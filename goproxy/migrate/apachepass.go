package migrate

import (
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/proxychaos/proxychaos/goproxy"
)

// pass is a ProxyPass or ProxyPassMatch.
type pass struct {
	place
	path, target string
	regex        bool
	section      bool // it stands in a <Location>
	params       []string
}

// inOrder returns passes as Apache tries them: first those of sections, of which
// the last one counts, then the others, of which the first does.
func inOrder(passes []pass) []pass {
	var sections, others []pass
	for _, p := range passes {
		if p.section {
			sections = append(sections, p)
		} else {
			others = append(others, p)
		}
	}
	slices.Reverse(sections)
	return append(sections, others...)
}

// visible returns the passes to which Apache comes.
func (a *apache) visible(passes []pass) (out []pass) {
	for i, p := range passes {
		if j := slices.IndexFunc(passes[:i], p.isHiddenBy); j >= 0 {
			a.note(p.place, "Apache never comes to it: line %d is first and matches the same", passes[j].line)
			continue
		}
		out = append(out, p)
	}
	return out
}

// isHiddenBy reports whether an earlier ProxyPass takes every path of p.
func (p pass) isHiddenBy(earlier pass) bool {
	prefix := strings.TrimSuffix(earlier.path, "/") + "/"
	switch {
	case earlier.regex:
		return false
	case p.regex:
		return earlier.path == "/"
	}
	return p.path == earlier.path || strings.HasPrefix(p.path, prefix)
}

// beforeExpressions makes of the route of a path one that comes before those of
// later expressions, which goproxy tries before all paths.
func (a *apache) beforeExpressions(p pass, r goproxy.Route) (goproxy.Route, bool) {
	if r.RewritePath != "" {
		a.note(p.place, "goproxy tries expressions before all paths, and cannot except %s from that", p.path)
		return r, false
	}
	if seesEscapes(p.path) {
		a.note(p.place, escapesStay, p.path)
		return r, false
	}
	r.Path, r.PathRegex = "", segments(p.path)
	return r, true
}

func (a *apache) routeOf(p pass, v *vhost) (r goproxy.Route, ok bool) {
	if p.regex {
		if _, err := regexp.Compile(p.path); err != nil {
			a.note(p.place, "goproxy's regular expressions are RE2: %v", err)
			return r, false
		}
		if seesEscapes(p.path) {
			a.note(p.place, escapesStay, p.path)
			return r, false
		}
	}
	name, base, ok := a.upstreamOf(p, v)
	if !ok {
		return r, false
	}
	r = goproxy.Route{Upstream: name, PreserveHost: v.preserveHost, Headers: cloneHeaders(v.headers)}
	if v.cookieAt.line > 0 && !a.cfg.Upstreams[name].SetRouteCookie {
		a.note(v.cookieAt, "balancer of line %d has no stickysession=%s, so that nobody would read the cookie", p.line, v.routeCookie)
	}
	if p.regex {
		r.PathRegex = p.path
		switch {
		case strings.Contains(base, "$"):
			r.RewritePath = base
		case strings.Trim(base, "/") != "":
			// Apache puts the whole path behind it, whatever part of it matches.
			r.PathRegex, r.RewritePath = ofWholePaths(p.path), base+"$0"
		}
		if r.RewritePath != "" && !strings.HasPrefix(r.RewritePath, "/") {
			r.RewritePath = "/" + r.RewritePath
		}
		return r, true
	}
	if p.path != "/" {
		r.Path = p.path
		if base != p.path {
			r.RewritePath = base
			if base == "" {
				r.RewritePath = "/"
			}
		}
	} else if base != "" && base != "/" {
		r.RewritePath = base
	}
	if r.RewritePath != "" && strings.HasSuffix(p.path, "/") != strings.HasSuffix(base, "/") {
		a.note(p.place, "one of path and url ends in a slash: Apache joins what follows as it is, goproxy with exactly one slash")
	}
	return r, true
}

// upstreamOf makes the upstream of a ProxyPass and returns its name and the
// path of the target.
func (a *apache) upstreamOf(p pass, v *vhost) (name, base string, ok bool) {
	if rest, is := strings.CutPrefix(p.target, "balancer://"); is {
		name, path, slash := strings.Cut(rest, "/")
		if slash {
			base = "/" + path
		}
		b := a.balancers[name]
		if b == nil || len(b.up.Members) == 0 {
			a.note(p.place, "balancer://%s has no member that goproxy can ask", name)
			return "", "", false
		}
		up := b.up
		up.Members = slices.Clone(up.Members)
		a.complete(p, v, &up)
		return a.upstream(name, up), b.path + base, true
	}
	// A $1 in the url is of the match and must not be encoded.
	server, path, err := memberURL(strings.ReplaceAll(p.target, "$", "%24"))
	if err != nil {
		a.note(p.place, "%v", err)
		return "", "", false
	}
	if strings.Contains(server, "%24") {
		a.note(p.place, "the match would choose the server: goproxy needs a name")
		return "", "", false
	}
	up := goproxy.Upstream{URL: server}
	a.complete(p, v, &up)
	u, err := url.Parse(server)
	if err != nil {
		a.note(p.place, "%v", err)
		return "", "", false
	}
	return a.upstream(u.Hostname(), up), strings.ReplaceAll(path, "%24", "$"), true
}

// complete puts in what the ProxyPass and the virtual host say.
func (a *apache) complete(p pass, v *vhost, up *goproxy.Upstream) {
	if v.timeout != 0 {
		up.Timeouts.Response, up.Timeouts.Body = v.timeout, v.timeout
	}
	for _, param := range p.params {
		a.upstreamParam(p.place, param, up)
	}
	members := up.Members
	if len(members) == 0 {
		members = []goproxy.Member{{URL: up.URL}}
	}
	for _, m := range members {
		if strings.HasPrefix(m.URL, "https:") {
			up.TLS = v.tls
		}
	}
	cookie, _, _ := strings.Cut(up.StickySession, "|")
	up.SetRouteCookie = cookie != "" && cookie == v.routeCookie
}
