package migrate

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"

	crossplane "github.com/nginxinc/nginx-go-crossplane"

	"github.com/proxychaos/proxychaos/goproxy"
)

// Nginx reads an nginx config, or what stands in its http block, with the files
// that it includes. An error means that there is nothing to migrate; the notes
// are valid then too.
func Nginx(file string) (goproxy.Config, []Note, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return goproxy.Config{}, nil, err
	}
	return parseNginx(file, string(data), crossplane.ParseOptions{})
}

func parseNginx(file, text string, options crossplane.ParseOptions) (goproxy.Config, []Note, error) {
	if err := checkText(file, text); err != nil {
		return goproxy.Config{}, nil, err
	}
	options.SkipDirectiveContextCheck, options.SkipDirectiveArgsCheck = true, true // a part of a config will do
	open := options.Open
	if open == nil {
		open = func(path string) (io.ReadCloser, error) { return os.Open(path) }
	}
	options.Open = open
	payload, err := crossplane.Parse(file, &options)
	if err != nil {
		return goproxy.Config{}, nil, err
	}
	for _, c := range payload.Config {
		if c.Status == "ok" {
			continue
		}
		for _, e := range c.Errors {
			if !isMissing(e.Error) {
				return goproxy.Config{}, nil, fmt.Errorf("%s: %w", c.File, e.Error)
			}
		}
	}
	n := &nginx{draft: newDraft(), upstreams: map[string]*crossplane.Directive{}}
	n.http(expand(payload.Config, 0), scope{})
	return n.finish(file)
}

// isMissing reports whether err is about a file that an include names.
func isMissing(err error) bool {
	var parse *crossplane.ParseError
	return errors.As(err, &parse) && strings.HasPrefix(strings.TrimSpace(parse.Statement), "include ")
}

// expand returns the directives of a file with those of its includes in their
// place. An include of which there is no file is kept.
func expand(files []crossplane.Config, index int) crossplane.Directives {
	var walk func(file string, all crossplane.Directives) crossplane.Directives
	walk = func(file string, all crossplane.Directives) (out crossplane.Directives) {
		for _, d := range all {
			if d.Directive == "include" && len(d.Includes) > 0 {
				for _, i := range d.Includes {
					out = append(out, expand(files, i)...)
				}
				continue
			}
			own := *d
			own.File, own.Block = file, walk(file, d.Block)
			out = append(out, &own)
		}
		return out
	}
	return walk(files[index].File, files[index].Parsed)
}

// nginx is one config that is being read.
type nginx struct {
	*draft
	upstreams map[string]*crossplane.Directive
}

// scope is what a block inherits from those around it.
type scope struct {
	vars      map[string]string
	headers   map[string]string // proxy_set_header, replaced as a whole by an inner block
	changes   goproxy.HeaderChange
	upstream  goproxy.Upstream // settings only
	verify    bool
	hosts     []string
	odd       string // a name that goproxy cannot match
	listens   []*crossplane.Directive
	secure    bool // by the old "ssl on"
	cert, key string
	closedBy  *crossplane.Directive // why no location in here may be open, or nil
	status    int                   // that answers every request, or 0

	prefixes    []string // of all locations of the server
	exact       []string // the paths of those with "="
	expressions bool     // it has locations with expressions

	beforeExpressions bool // this location comes before those
}

func at(d *crossplane.Directive) place { return place{d.File, d.Line, d.Directive} }

// http reads the top of the file and the http block.
func (n *nginx) http(all crossplane.Directives, s scope) {
	s, rest := n.settings(all, s)
	for _, d := range rest {
		if d.Directive == "upstream" && len(d.Args) == 1 {
			n.upstreams[d.Args[0]] = d
		}
	}
	for _, d := range rest {
		switch d.Directive {
		case "upstream":
		case "http":
			n.http(d.Block, s)
		case "server":
			n.server(d, s)
		}
	}
}

func (n *nginx) server(d *crossplane.Directive, s scope) {
	s, rest := n.settings(d.Block, s)
	out := &site{place: at(d), hosts: s.hosts, odd: s.odd, cert: s.cert, key: s.key}
	for _, l := range s.listens {
		switch {
		case len(l.Args) == 0:
			continue
		case slices.Contains(l.Args, "quic"):
			n.note(at(l), "goproxy has no HTTP/3")
			continue
		case slices.Contains(l.Args, "proxy_protocol"):
			n.close(at(l), "goproxy takes the PROXY protocol with proxy_protocol: true, and needs trusted_proxies for it")
		}
		standard := slices.Contains(l.Args, "default_server") || slices.Contains(l.Args, "default")
		out.listens = append(out.listens, nginxListener(l.Args, s.secure || slices.Contains(l.Args, "ssl"), standard))
	}
	if len(s.listens) == 0 {
		out.listens = []listener{nginxListener([]string{"80"}, s.secure, false)}
	}
	s.prefixes, s.expressions = prefixesOf(rest)
	s.exact = exactOf(rest)
	for _, inner := range byRank(rest) {
		n.location(inner, s, out, false)
	}
	if s.status != 0 || out.barred {
		out.closeAll()
	}
	n.sites = append(n.sites, out)
}

// isExpression reports whether a location is one with a regular expression.
func isExpression(d *crossplane.Directive) bool {
	return d.Directive == "location" && len(d.Args) == 2 && strings.HasPrefix(d.Args[0], "~")
}

// prefixesOf returns the prefixes of locations, also of those in others, and
// whether there are expressions.
func prefixesOf(all crossplane.Directives) (prefixes []string, expressions bool) {
	for _, d := range all {
		if d.Directive != "location" || len(d.Args) == 0 {
			continue
		}
		switch {
		case isExpression(d):
			expressions = true
		case d.Args[0] != "=":
			prefixes = append(prefixes, d.Args[len(d.Args)-1])
		}
		inner, more := prefixesOf(d.Block)
		prefixes, expressions = append(prefixes, inner...), expressions || more
	}
	return prefixes, expressions
}

// exactOf returns the paths of locations with "=", also of those in others.
func exactOf(all crossplane.Directives) (paths []string) {
	for _, d := range all {
		if d.Directive == "location" && len(d.Args) == 2 && d.Args[0] == "=" {
			paths = append(paths, d.Args[1])
		}
		paths = append(paths, exactOf(d.Block)...)
	}
	return paths
}

// redirected returns the path that nginx answers with a redirect to the location: its
// prefix without the slash at the end, if it passes requests on and no location has that
// path. "" stands for none.
func redirected(d *crossplane.Directive, s scope) string {
	prefix, slash := strings.CutSuffix(d.Args[len(d.Args)-1], "/")
	passes := slices.ContainsFunc(d.Block, func(inner *crossplane.Directive) bool { return strings.HasSuffix(inner.Directive, "_pass") })
	if !slash || !passes || isExpression(d) || d.Args[0] == "=" || slices.Contains(s.prefixes, prefix) || slices.Contains(s.exact, prefix) {
		return ""
	}
	return prefix
}

// byRank returns the locations as nginx tries them: "=", then "^~", the longest
// first, and expressions after all prefixes. goproxy takes the first expression that
// matches, and these are what the first two become.
func byRank(all crossplane.Directives) crossplane.Directives {
	all = slices.DeleteFunc(slices.Clone(all), func(d *crossplane.Directive) bool { return d.Directive != "location" })
	rank := func(d *crossplane.Directive) int {
		switch {
		case isExpression(d):
			return 3
		case len(d.Args) == 2 && d.Args[0] == "=":
			return 0
		case len(d.Args) == 2:
			return 1
		}
		return 2
	}
	slices.SortStableFunc(all, func(a, b *crossplane.Directive) int {
		if d := rank(a) - rank(b); d != 0 || rank(a) != 1 {
			return d
		}
		return len(b.Args[1]) - len(a.Args[1])
	})
	return all
}

// location makes the routes of a location, and of those in it. What is not
// carried over is closed, so that no shorter prefix catches it.
func (n *nginx) location(d *crossplane.Directive, s scope, to *site, nested bool) {
	s.status = 0
	around := s.vars // what a location sets is not set in those within it
	s, rest := n.settings(d.Block, s)
	var pass *crossplane.Directive
	for _, inner := range rest {
		switch {
		case inner.Directive == "proxy_pass":
			pass = inner
		case inner.Directive == "location" && isExpression(d) && s.closedBy == nil:
			s.closedBy = inner // it counts only for what the expression matches
		}
	}
	for _, inner := range byRank(rest) {
		within := s
		within.vars = around
		n.location(inner, within, to, true)
		if isExpression(inner) && s.closedBy == nil {
			s.closedBy = inner // goproxy has expressions for whole hosts
		}
	}
	if len(d.Args) == 1 && strings.HasPrefix(d.Args[0], "@") {
		n.note(at(d), "goproxy has no named locations")
		return
	}
	r, prefix, ok := n.match(d)
	if !ok {
		n.close(at(d), "the whole server answers 403 in this draft: goproxy cannot tell the paths of this location")
		to.barred = true
		return
	}
	closed := 0
	switch {
	case s.closedBy != nil:
		closed = http.StatusForbidden
		n.close(at(d), "%s answers 403 in this draft: goproxy has nothing for %q of %s:%d", strings.Join(d.Args, " "), s.closedBy.Directive, s.closedBy.File, s.closedBy.Line)
	case s.status != 0:
		closed = s.status
		n.note(at(d), "it answers %d", closed)
	case pass == nil:
		closed = http.StatusNotFound
		n.note(at(d), "it has no proxy_pass: the path answers 404 in this draft")
	case nested && r.PathRegex != "":
		closed = http.StatusForbidden
		n.close(at(d), "%s answers 403 in this draft: goproxy has expressions for whole hosts", strings.Join(d.Args, " "))
	default:
		s.beforeExpressions = s.expressions && len(d.Args) == 2 && d.Args[0] == "^~"
		open, ok := n.open(pass, s, r, prefix)
		if ok {
			to.add(open)
			return
		}
		closed = http.StatusForbidden
		n.close(at(pass), "%s answers 403 in this draft: its upstream is not carried over", strings.Join(d.Args, " "))
	}
	if bare := redirected(d, s); bare != "" {
		// A backend may answer it as the path that is closed.
		to.add(goproxy.Route{PathRegex: "^" + regexp.QuoteMeta(bare) + "$", Status: closed})
	}
	switch {
	case r.PathRegex != "":
		to.add(goproxy.Route{PathRegex: r.PathRegex, Status: closed})
	case len(d.Args) == 2:
		to.add(goproxy.Route{PathRegex: "^" + regexp.QuoteMeta(prefix), Status: closed})
	default:
		for _, c := range closedPrefix(prefix, closed) {
			to.add(c)
		}
	}
}

// open makes the route of a location with a proxy_pass.
func (n *nginx) open(pass *crossplane.Directive, s scope, r goproxy.Route, prefix string) (goproxy.Route, bool) {
	if len(pass.Args) != 1 {
		return r, false
	}
	if r.PathRegex != "" && seesEscapes(prefix) {
		n.note(at(pass), escapesStay, prefix)
		return r, false
	}
	name, uri, whole, ok := n.target(pass, s)
	if !ok {
		return r, false
	}
	if whole && uri != "" {
		uri = strings.TrimSuffix(uri, "/") + prefix
	}
	r.Upstream = name
	n.setHeaders(at(pass), s, &r)
	switch {
	case uri == "":
	case r.PathRegex != "" && !strings.HasPrefix(r.PathRegex, "^"+regexp.QuoteMeta(prefix)+"$"):
		n.note(at(pass), "nginx refuses a path after the server in a location with an expression")
		return r, false
	case uri != prefix:
		r.RewritePath = uri
		if strings.HasSuffix(prefix, "/") != strings.HasSuffix(uri, "/") {
			n.note(at(pass), "one of location and url ends in a slash: nginx joins what follows as it is, goproxy with exactly one slash")
		}
	}
	if s.beforeExpressions {
		return n.beforeExpressions(at(pass), s, r, prefix)
	}
	return r, true
}

// beforeExpressions makes of the route of a "^~" one that comes before those of
// expressions, which goproxy tries before all paths.
func (n *nginx) beforeExpressions(where place, s scope, r goproxy.Route, prefix string) (goproxy.Route, bool) {
	longer := func(p string) bool { return len(p) > len(prefix) && strings.HasPrefix(p, prefix) }
	if r.RewritePath != "" || slices.ContainsFunc(s.prefixes, longer) {
		n.note(where, "goproxy tries expressions before all paths, and cannot except %s from that", prefix)
		return r, false
	}
	if seesEscapes(prefix) {
		n.note(where, escapesStay, prefix)
		return r, false
	}
	r.Path, r.PathRegex = "", "^"+regexp.QuoteMeta(prefix)
	return r, true
}

// match reads what a location matches. The prefix is what proxy_pass replaces.
func (n *nginx) match(d *crossplane.Directive) (r goproxy.Route, prefix string, ok bool) {
	args := d.Args
	modifier := ""
	if len(args) == 2 {
		modifier, args = args[0], args[1:]
	}
	if len(args) != 1 {
		n.note(at(d), "want a path")
		return r, "", false
	}
	prefix = args[0]
	switch modifier {
	case "=":
		r.PathRegex = "^" + regexp.QuoteMeta(prefix) + "$"
	case "~", "~*":
		r.PathRegex = cmp.Or(prefix, "^")
		if modifier == "~*" {
			r.PathRegex = "(?i)" + prefix
		}
		if _, err := regexp.Compile(r.PathRegex); err != nil {
			n.note(at(d), "goproxy's regular expressions are RE2: %v", err)
			return r, "", false
		}
	default:
		if !strings.HasPrefix(prefix, "/") {
			n.note(at(d), "want a path that begins with /")
			return r, "", false
		}
		if prefix != "/" {
			r.Path = prefix
			if !strings.HasSuffix(prefix, "/") {
				n.note(at(d), "goproxy matches whole segments: not %sx", prefix)
			}
		}
	}
	return r, prefix, true
}
