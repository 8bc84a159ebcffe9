package migrate

import (
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/proxychaos/proxychaos/goproxy"
)

// Apache reads the file of an Apache httpd config, or a part of one. An error
// means that there is nothing to migrate; the notes are valid then too.
func Apache(file string) (goproxy.Config, []Note, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return goproxy.Config{}, nil, err
	}
	return parseApache(file, string(data))
}

func parseApache(file, text string) (goproxy.Config, []Note, error) {
	if err := checkText(file, text); err != nil {
		return goproxy.Config{}, nil, err
	}
	top, err := readApache(file, text)
	if err != nil {
		return goproxy.Config{}, nil, err
	}
	a := &apache{draft: newDraft(), balancers: map[string]*balancer{}}
	top = a.flatten(top)
	server := &vhost{hosts: []string{""}}
	a.collect(top, server)
	for i, d := range hostsOf(top) {
		v := &vhost{timeout: server.timeout, preserveHost: server.preserveHost, tls: server.tls, headers: cloneHeaders(server.headers)}
		v.readAddress(d)
		inner := a.flatten(d.block)
		a.collect(inner, v)
		if i == 0 || len(v.hosts) == 0 {
			v.hosts = []string{""} // Apache sends it every name that no other one has
		}
		a.serve(d.place, v)
	}
	a.serve(place{file: file, line: 1, name: "main server"}, server)
	return a.finish(file)
}

func hostsOf(all []directive) []directive {
	return slices.DeleteFunc(slices.Clone(all), func(d directive) bool { return !strings.EqualFold(d.name, "<VirtualHost>") })
}

// apache is one config that is being read.
type apache struct {
	*draft
	balancers map[string]*balancer // by name, in any virtual host
}

// vhost is the server, or a virtual host, with what applies to all of it.
type vhost struct {
	address      string // host:port of the section
	hosts        []string
	preserveHost bool
	timeout      goproxy.Duration
	tls          goproxy.UpstreamTLS
	headers      goproxy.Headers
	cert, key    string
	secure       bool
	passes       []pass
	routeCookie  string // that a Header directive sets to the member's route
	cookieAt     place
}

func (v *vhost) readAddress(d directive) {
	if len(d.args) > 0 {
		v.address = d.args[0]
	}
}

func cloneHeaders(h goproxy.Headers) goproxy.Headers {
	clone := func(c goproxy.HeaderChange) goproxy.HeaderChange {
		out := goproxy.HeaderChange{Remove: slices.Clone(c.Remove)}
		for k, v := range c.Set {
			put(&out.Set, k, v)
		}
		for k, v := range c.Add {
			put(&out.Add, k, v)
		}
		return out
	}
	return goproxy.Headers{Request: clone(h.Request), Response: clone(h.Response)}
}

func put(m *map[string]string, key, value string) {
	if *m == nil {
		*m = map[string]string{}
	}
	(*m)[key] = value
}

// flatten takes in what stands in sections that only say when it counts.
func (a *apache) flatten(all []directive) []directive {
	var out []directive
	for _, d := range all {
		switch strings.ToLower(d.name) {
		case "<ifmodule>", "<ifdefine>", "<ifversion>":
			a.note(d.place, "taken as true")
			out = append(out, a.flatten(d.block)...)
		default:
			out = append(out, d)
		}
	}
	return out
}

// pass is a ProxyPass or ProxyPassMatch.
type pass struct {
	place
	path, target string
	regex        bool
	params       []string
}

// collect reads what applies to the whole of v, and its balancers.
func (a *apache) collect(all []directive, v *vhost) {
	for _, d := range all {
		name := strings.ToLower(d.name)
		if handler, ok := vhostDirectives[name]; ok {
			handler(a, v, d)
			continue
		}
		switch name {
		case "<virtualhost>", "loadmodule":
			if name == "loadmodule" {
				a.note(d.place, "goproxy has no modules")
			}
		case "<proxy>":
			a.proxySection(d)
		case "<location>", "<locationmatch>":
			a.location(d, v, name == "<locationmatch>")
		case "balancermember":
			a.balancerMember(d, "")
		case "proxyset":
			a.proxySet(d, "")
		case "proxypass", "proxypassmatch":
			a.proxyPass(d, v, "")
		default:
			a.leftOut(d)
		}
	}
}

// notProxying are directives and sections that say nothing about proxying.
var notProxying = regexp.MustCompile(`(?i)^(ServerAdmin|ErrorLog|CustomLog|LogLevel|LogFormat|DocumentRoot|ServerRoot|ServerTokens|ServerSignature|PidFile|User|Group|Mutex|TypesConfig|Define|Options|AllowOverride|MaxConnectionsPerChild|MaxRequestWorkers|ThreadsPerChild|StartServers|ServerLimit|MinSpareThreads|MaxSpareThreads|DirectoryIndex|<Directory>|<Files>|<FilesMatch>)$`)

func (a *apache) leftOut(d directive) {
	switch {
	case notProxying.MatchString(d.name):
		a.note(d.place, "not about proxying")
	case strings.HasPrefix(strings.ToLower(d.name), "include"):
		a.note(d.place, "other files are not read: migrate them on their own")
	case strings.HasPrefix(strings.ToLower(d.name), "rewrite"):
		a.note(d.place, "mod_rewrite is not read; a route with path_regex and rewrite_path may do the same")
	default:
		a.note(d.place, "goproxy has nothing for it")
	}
}

// location reads a section that holds the path of its ProxyPass.
func (a *apache) location(d directive, v *vhost, regex bool) {
	path := ""
	switch {
	case len(d.args) == 1:
		path = d.args[0]
	case len(d.args) == 2 && d.args[0] == "~":
		path, regex = d.args[1], true
	}
	for _, inner := range a.flatten(d.block) {
		name := strings.ToLower(inner.name)
		switch {
		case (name == "proxypass" || name == "proxypassmatch") && path != "":
			if regex {
				inner.name = "ProxyPassMatch"
			}
			a.proxyPass(inner, v, path)
		case strings.HasPrefix(name, "proxypassreverse"):
			vhostDirectives[name](a, v, inner)
		case name == "sethandler" && len(inner.args) == 1 && inner.args[0] == "balancer-manager":
			a.note(inner.place, "goproxy's own page is at admin: 127.0.0.1:9901")
		default:
			a.note(inner.place, "not read inside of %s %s", d.name, strings.Join(d.args, " "))
		}
	}
}

func (a *apache) proxyPass(d directive, v *vhost, path string) {
	p := pass{place: d.place, path: path, regex: strings.EqualFold(d.name, "ProxyPassMatch")}
	args := d.args
	if path == "" && len(args) > 0 {
		p.path, args = args[0], args[1:]
	}
	if len(args) == 0 || (!p.regex && !strings.HasPrefix(p.path, "/")) {
		a.note(d.place, "want a path that begins with / and a url")
		return
	}
	p.target, p.params = args[0], args[1:]
	if p.target == "!" {
		a.note(d.place, "goproxy cannot except a path: it serves no files of its own")
		return
	}
	v.passes = append(v.passes, p)
}

// serve makes the routes of v.
func (a *apache) serve(at place, v *vhost) {
	if len(v.passes) == 0 {
		return
	}
	if v.address != "" {
		a.listen(at, v.address, v.secure)
	}
	if v.secure && v.cert != "" {
		a.certificate(v.cert, v.key)
	}
	for i, p := range v.passes {
		if j := slices.IndexFunc(v.passes[:i], p.isHiddenBy); j >= 0 {
			a.note(p.place, "Apache never comes to it: line %d is first and matches the same", v.passes[j].line)
			continue
		}
		a.routeOf(p, v)
	}
}

// isHiddenBy reports whether an earlier ProxyPass takes every path of p.
func (p pass) isHiddenBy(earlier pass) bool {
	prefix := strings.TrimSuffix(earlier.path, "/") + "/"
	return !p.regex && !earlier.regex && (p.path == earlier.path || strings.HasPrefix(p.path, prefix))
}

func (a *apache) routeOf(p pass, v *vhost) {
	if p.regex {
		if _, err := regexp.Compile(p.path); err != nil {
			a.note(p.place, "goproxy's regular expressions are RE2: %v", err)
			return
		}
	}
	name, base, ok := a.upstreamOf(p, v)
	if !ok {
		return
	}
	r := goproxy.Route{Upstream: name, PreserveHost: v.preserveHost, Headers: cloneHeaders(v.headers)}
	if v.cookieAt.line > 0 && !a.cfg.Upstreams[name].SetRouteCookie {
		a.note(v.cookieAt, "balancer of line %d has no stickysession=%s, so that nobody would read the cookie", p.line, v.routeCookie)
	}
	if p.regex {
		r.PathRegex = p.path
		if base != "" {
			r.RewritePath = base
			if !strings.Contains(base, "$") {
				r.RewritePath += "$0" // Apache appends the whole path then
			}
		}
		if r.RewritePath != "" && !strings.HasPrefix(r.RewritePath, "/") {
			r.RewritePath = "/" + r.RewritePath
		}
		a.route(p.place, v.hosts, r)
		return
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
	a.route(p.place, v.hosts, r)
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
