package migrate

import (
	"fmt"
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
	return parseNginx(file, string(data), crossplane.ParseOptions{CombineConfigs: true})
}

func parseNginx(file, text string, options crossplane.ParseOptions) (goproxy.Config, []Note, error) {
	if err := checkText(file, text); err != nil {
		return goproxy.Config{}, nil, err
	}
	options.StopParsingOnError = true
	options.SkipDirectiveContextCheck, options.SkipDirectiveArgsCheck = true, true // a part of a config will do
	payload, err := crossplane.Parse(file, &options)
	if err != nil {
		return goproxy.Config{}, nil, err
	}
	for _, e := range payload.Errors {
		return goproxy.Config{}, nil, fmt.Errorf("%s: %w", e.File, e.Error)
	}
	n := &nginx{draft: newDraft(), upstreams: map[string]*crossplane.Directive{}}
	var top crossplane.Directives
	for _, c := range payload.Config {
		top = append(top, c.Parsed...)
	}
	n.http(top, scope{})
	return n.finish(file)
}

// nginx is one config that is being read.
type nginx struct {
	*draft
	upstreams map[string]*crossplane.Directive
	defaulted bool // a server for names that no other one has is there
}

// scope is what a block inherits from those around it.
type scope struct {
	vars      map[string]string
	headers   map[string]string // proxy_set_header, replaced as a whole by an inner block
	changes   goproxy.HeaderChange
	upstream  goproxy.Upstream // settings only
	verify    bool
	hosts     []string
	listens   []*crossplane.Directive
	cert, key string
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
		default:
			n.leftOut(d)
		}
	}
}

// notProxyingNginx are directives that say nothing about proxying.
var notProxyingNginx = regexp.MustCompile(`^(user|worker_.*|pid|events|error_log|access_log|log_format|types|default_type|sendfile|tcp_.*|server_tokens|gzip.*|charset|root|index|error_page)$`)

func (n *nginx) leftOut(d *crossplane.Directive) {
	switch {
	case notProxyingNginx.MatchString(d.Directive):
		n.note(at(d), "not about proxying")
	default:
		n.note(at(d), "goproxy has nothing for it")
	}
}

func (n *nginx) server(d *crossplane.Directive, s scope) {
	s, rest := n.settings(d.Block, s)
	if len(s.hosts) == 0 || !n.defaulted {
		n.defaulted = true
		s.hosts = []string{""} // nginx sends it every name that no other one has
	}
	for _, l := range s.listens {
		secure := slices.Contains(l.Args, "ssl")
		if len(l.Args) > 0 {
			n.listen(at(l), l.Args[0], secure)
		}
		if secure && s.cert != "" {
			n.certificate(s.cert, s.key)
		}
	}
	if len(s.listens) == 0 {
		n.listen(at(d), "80", false)
	}
	for _, inner := range rest {
		if inner.Directive == "location" {
			n.location(inner, s)
			continue
		}
		n.leftOut(inner)
	}
}

// location makes a route.
func (n *nginx) location(d *crossplane.Directive, s scope) {
	s, rest := n.settings(d.Block, s)
	var pass *crossplane.Directive
	for _, inner := range rest {
		if inner.Directive == "proxy_pass" && len(inner.Args) == 1 {
			pass = inner
			continue
		}
		n.leftOut(inner)
	}
	if pass == nil {
		n.note(at(d), "it has no proxy_pass")
		return
	}
	r, prefix, ok := n.match(d)
	if !ok {
		return
	}
	name, uri, ok := n.target(pass, s)
	if !ok {
		return
	}
	r.Upstream = name
	n.setHeaders(at(pass), s, &r)
	switch {
	case uri == "":
	case r.PathRegex != "" && !strings.HasPrefix(r.PathRegex, "^"+regexp.QuoteMeta(prefix)+"$"):
		n.note(at(pass), "nginx refuses a path after the server in a location with an expression")
		return
	case uri != prefix:
		r.RewritePath = uri
		if strings.HasSuffix(prefix, "/") != strings.HasSuffix(uri, "/") {
			n.note(at(pass), "one of location and url ends in a slash: nginx joins what follows as it is, goproxy with exactly one slash")
		}
	}
	n.route(at(d), s.hosts, r)
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
		r.PathRegex = prefix
		if modifier == "~*" {
			r.PathRegex = "(?i)" + prefix
		}
		if _, err := regexp.Compile(r.PathRegex); err != nil {
			n.note(at(d), "goproxy's regular expressions are RE2: %v", err)
			return r, "", false
		}
	default:
		if !strings.HasPrefix(prefix, "/") {
			n.note(at(d), "goproxy has no named locations")
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
