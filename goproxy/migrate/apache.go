package migrate

import (
	"os"
	"path/filepath"
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
	return parseApache(file, string(data), true)
}

// parseApache reads text; files says whether others that it includes are read.
func parseApache(file, text string, files bool) (goproxy.Config, []Note, error) {
	if err := checkText(file, text); err != nil {
		return goproxy.Config{}, nil, err
	}
	top, err := readApache(file, text)
	if err != nil {
		return goproxy.Config{}, nil, err
	}
	a := &apache{draft: newDraft(), balancers: map[string]*balancer{}, defines: map[string]string{}, files: files, including: []string{filepath.Clean(file)}}
	top = a.flatten(top)
	server := &vhost{}
	a.collect(top, server)
	sections := hostsOf(top)
	var all []listener
	for _, d := range sections {
		all = append(all, addressesOf(d, false)...)
	}
	for _, d := range sections {
		v := &vhost{
			timeout: server.timeout, preserveHost: server.preserveHost, tls: server.tls, headers: cloneHeaders(server.headers),
			passes: slices.Clone(server.passes), closed: slices.Clone(server.closed), barred: server.barred,
			secure: server.secure, cert: server.cert, key: server.key,
		}
		a.collect(d.block, v)
		for _, l := range addressesOf(d, v.secure) {
			at := l.within(server.listens, all)
			if len(at) == 0 {
				a.close(d.place, "nothing of it is in this draft on %s: no Listen of the file is for that, or another virtual host has it", l.address())
			}
			v.listens = append(v.listens, at...)
		}
		if len(v.listens) > 0 {
			a.site(d.place, v)
		}
	}
	if len(server.listens) == 0 {
		server.listens = []listener{{port: "80", secure: server.secure}}
	}
	main := place{file: file, line: 1, name: "main server"}
	switch {
	case len(sections) == 0:
		a.site(main, server)
	case len(server.passes) > 0:
		a.note(main, "its ProxyPass count in each virtual host; it has no routes of its own in this draft")
	}
	return a.finish(file)
}

func hostsOf(all []directive) []directive {
	return slices.DeleteFunc(slices.Clone(all), func(d directive) bool { return !strings.EqualFold(d.name, "<VirtualHost>") })
}

// apache is one config that is being read.
type apache struct {
	*draft
	balancers map[string]*balancer // by name, in any virtual host
	defines   map[string]string    // by Define
	files     bool                 // read the files that it includes
	including []string             // the files around the directive that is being read
}

// vhost is the server, or a virtual host, with what applies to all of it.
type vhost struct {
	listens      []listener
	hosts        []string
	patterns     []string // of the names of hosts
	odd          string   // a name that goproxy cannot match
	preserveHost bool
	timeout      goproxy.Duration
	tls          goproxy.UpstreamTLS
	headers      goproxy.Headers
	cert, key    string
	secure       bool
	passes       []pass
	closed       []goproxy.Route // paths that must not be open
	barred       bool            // nothing of it may be open
	rules        []rewriteRule   // that send requests to an upstream
	routeCookie  string          // that a Header directive sets to the member's route
	cookieAt     place
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

// flatten takes in what stands in sections that only say when it counts, and
// in files that are included, and puts in what Define says up to there.
func (a *apache) flatten(all []directive) []directive {
	var out []directive
	for _, d := range all {
		d.args = slices.Clone(d.args)
		for i, arg := range d.args {
			for name, value := range a.defines {
				arg = strings.ReplaceAll(arg, "${"+name+"}", value)
			}
			d.args[i] = arg
		}
		switch strings.ToLower(d.name) {
		case "<ifmodule>", "<ifdefine>", "<ifversion>":
			if a.counts(d) {
				out = append(out, a.flatten(d.block)...)
			}
		case "include", "includeoptional":
			outer := a.including
			if inner := a.include(d); inner != nil {
				out = append(out, a.flatten(inner)...)
			} else {
				out = append(out, d)
			}
			a.including = outer
		case "define":
			if len(d.args) > 0 {
				a.defines[d.args[0]] = strings.Join(d.args[1:], " ")
			}
		default:
			d.block = a.flatten(d.block)
			out = append(out, d)
		}
	}
	return out
}

// counts decides whether what stands in a section with a condition counts. Where
// the file does not say, it does: what it closes is closed then.
func (a *apache) counts(d directive) bool {
	name, not := strings.CutPrefix(strings.Join(d.args, " "), "!")
	if _, defined := a.defines[name]; defined && strings.EqualFold(d.name, "<IfDefine>") {
		return !not
	}
	if opensRoutes(d.block) && (not || !strings.EqualFold(d.name, "<IfModule>")) {
		a.close(d.place, "taken as true, so that its routes are open in this draft (%s)", strings.Join(d.args, " "))
	} else {
		a.note(d.place, "taken as true")
	}
	return true
}

// opensRoutes reports whether directives send requests to an upstream.
func opensRoutes(all []directive) bool {
	return slices.ContainsFunc(all, func(d directive) bool {
		switch strings.ToLower(d.name) {
		case "proxypass", "proxypassmatch", "balancermember":
			return true
		}
		return opensRoutes(d.block)
	})
}

// collect reads what applies to the whole of v, and its balancers.
func (a *apache) collect(all []directive, v *vhost) {
	for _, d := range all {
		name := strings.ToLower(d.name)
		if hasUndefined(d) && name != "<virtualhost>" && !harmlessApache.MatchString(d.name) {
			if name == "servername" || name == "serveralias" {
				v.odd = strings.Join(d.args, " ")
			}
			a.bar(d, v)
			continue
		}
		if handler, ok := vhostDirectives[name]; ok {
			handler(a, v, d)
			continue
		}
		switch name {
		case "<virtualhost>":
		case "<proxy>":
			a.proxySection(d, v)
		case "<files>", "<filesmatch>":
			a.filesSection(d, v)
		case "<location>", "<locationmatch>":
			a.location(d, v, name == "<locationmatch>")
		case "balancermember":
			a.balancerMember(d, "")
		case "proxyset":
			a.proxySet(d, "")
		case "proxypass", "proxypassmatch":
			a.proxyPass(d, v, "")
		default:
			if rule, is := proxyRule(d); is {
				v.rules = append(v.rules, rule)
			} else if a.unknown(d) {
				a.bar(d, v)
			}
		}
	}
}

// filesSection reads what closes files. Those of .htaccess alone, in every
// stock config, become a route.
func (a *apache) filesSection(d directive, v *vhost) {
	for _, inner := range d.block {
		if !a.unknown(inner) {
			continue
		}
		if len(d.args) == 1 && (d.args[0] == ".ht*" || d.args[0] == `^\.ht`) {
			v.closePath(`/\.ht`, true)
			continue
		}
		a.bar(inner, v)
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
	for _, inner := range d.block {
		name := strings.ToLower(inner.name)
		switch {
		case hasUndefined(inner) && !harmlessApache.MatchString(inner.name):
			a.closeLocation(d, inner, v, path, regex)
		case (name == "proxypass" || name == "proxypassmatch") && path != "":
			if regex {
				inner.name = "ProxyPassMatch"
			}
			a.proxyPass(inner, v, path)
		case strings.HasPrefix(name, "proxypassreverse"):
			builtIn(a, v, inner)
		case name == "header":
			a.close(inner.place, "not in this draft: it is not read inside of %s %s", d.name, strings.Join(d.args, " "))
		case name == "sethandler" && len(inner.args) == 1 && inner.args[0] == "balancer-manager":
			a.note(inner.place, "goproxy's own page is at admin: 127.0.0.1:9901")
			v.closePath(path, regex)
		case a.unknown(inner):
			a.closeLocation(d, inner, v, path, regex)
		}
	}
}

// closeLocation closes the path of a section for a directive in it.
func (a *apache) closeLocation(d, inner directive, v *vhost, path string, regex bool) {
	what := path
	if v.closePath(path, regex) {
		what = "everything around " + strings.Join(d.args, " ")
	}
	a.close(inner.place, "%s answers 403 in this draft: goproxy has nothing for %s %s", what, inner.name, strings.Join(inner.args, " "))
}

func (a *apache) proxyPass(d directive, v *vhost, path string) {
	p := pass{place: d.place, path: path, section: path != "", regex: strings.EqualFold(d.name, "ProxyPassMatch")}
	args := d.args
	if path == "" && len(args) > 0 {
		p.path, args = args[0], args[1:]
	}
	if len(args) == 0 || (!p.regex && !strings.HasPrefix(p.path, "/")) {
		a.bar(d, v)
		return
	}
	p.target, p.params = args[0], args[1:]
	if p.target == "!" {
		if v.closePath(p.path, p.regex) {
			a.close(d.place, "the whole virtual host answers 403 in this draft: goproxy cannot tell what %s excepts", p.path)
			return
		}
		a.note(d.place, "%s answers 403 in this draft: goproxy serves no files of its own", p.path)
		return
	}
	v.passes = append(v.passes, p)
}

// site makes the routes of v.
func (a *apache) site(at place, v *vhost) {
	out := &site{place: at, hosts: v.hosts, patterns: v.patterns, odd: v.odd, listens: v.listens}
	if v.secure {
		out.cert, out.key = v.cert, v.key
	}
	for i := range out.listens {
		out.listens[i].secure = out.listens[i].secure || v.secure
	}
	a.leaveNames(out)
	passes := a.visible(inOrder(v.passes))
	for i, p := range passes {
		r, ok := a.routeOf(p, v)
		if ok && !p.regex && slices.ContainsFunc(passes[i:], func(later pass) bool { return later.regex }) {
			r, ok = a.beforeExpressions(p, r)
		}
		if ok {
			out.add(r)
			continue
		}
		if v.closePath(p.path, p.regex) {
			a.close(p.place, "the whole virtual host answers 403 in this draft: goproxy cannot tell the paths of %s", p.path)
			continue
		}
		a.close(p.place, "%s answers 403 in this draft: its upstream is not carried over", p.path)
	}
	for _, r := range v.rules {
		a.rewrite(r, v, passes)
	}
	for _, r := range v.closed {
		out.add(r)
	}
	if v.barred {
		out.closeAll()
	}
	a.sites = append(a.sites, out)
}
