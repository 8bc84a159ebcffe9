package migrate

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"

	"github.com/proxychaos/proxychaos/goproxy"
)

// Note says why a directive is not, or not quite, in the config.
type Note struct {
	File      string
	Line      int
	Directive string
	Reason    string
}

func (n Note) String() string {
	return fmt.Sprintf("%s:%d: %s: %s", n.File, n.Line, n.Directive, n.Reason)
}

// place is a directive in its file.
type place struct {
	file string
	line int
	name string
}

// draft is a config that is being made.
type draft struct {
	cfg   goproxy.Config
	notes []Note
	tls   goproxy.ListenTLS
}

// checkText refuses what could not be written as YAML.
func checkText(file, text string) error {
	if !utf8.ValidString(text) {
		return fmt.Errorf("%s: it is not all UTF-8: convert it", file)
	}
	return nil
}

func newDraft() *draft {
	return &draft{cfg: goproxy.Config{Upstreams: map[string]goproxy.Upstream{}}}
}

func (d *draft) note(at place, format string, args ...any) {
	d.notes = append(d.notes, Note{at.file, at.line, at.name, fmt.Sprintf(format, args...)})
}

// upstream adds an upstream and returns its name: the one wanted, or that with
// a number where another has it already.
func (d *draft) upstream(want string, up goproxy.Upstream) string {
	want = cleanName(want)
	name := want
	for n := 2; ; n++ {
		there, taken := d.cfg.Upstreams[name]
		if !taken {
			d.cfg.Upstreams[name] = up
			return name
		}
		if reflect.DeepEqual(there, up) {
			return name
		}
		name = fmt.Sprintf("%s-%d", want, n)
	}
}

func cleanName(s string) string {
	s = strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_.", r) {
			return r
		}
		return '_'
	}, s)
	return cmp.Or(s, "upstream")
}

// route adds a route for each of the hosts unless one for the same requests is
// there.
func (d *draft) route(at place, hosts []string, r goproxy.Route) {
	for _, host := range hosts {
		r.Host = host
		same := func(o goproxy.Route) bool {
			return o.Host == r.Host && o.Path == r.Path && o.PathRegex == r.PathRegex
		}
		if i := slices.IndexFunc(d.cfg.Routes, same); i >= 0 {
			if !reflect.DeepEqual(d.cfg.Routes[i], r) {
				d.note(at, "another route for the same host and path comes first, and goproxy has one for both listeners")
			}
			continue
		}
		d.cfg.Routes = append(d.cfg.Routes, r)
	}
}

// listen takes over a port to listen on: one for HTTP, one for HTTPS.
func (d *draft) listen(at place, address string, secure bool) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		host, port = "", address
	}
	if host == "*" {
		host = ""
	}
	to := &d.cfg.Listen
	if secure {
		to = &d.tls.Listen
	}
	address = net.JoinHostPort(host, port)
	switch {
	case *to == "":
		*to = address
	case *to != address:
		d.note(at, "goproxy has one listener for HTTP and one for HTTPS, here %s", *to)
	}
}

// certificate adds a pair for clients.
func (d *draft) certificate(cert, key string) {
	pair := goproxy.Certificate{Cert: cert, Key: cmp.Or(key, cert)}
	if !slices.Contains(d.tls.Certificates, pair) {
		d.tls.Certificates = append(d.tls.Certificates, pair)
	}
}

// finish checks the config.
func (d *draft) finish(file string) (goproxy.Config, []Note, error) {
	if len(d.tls.Certificates) > 0 {
		d.cfg.TLS = &d.tls
	}
	d.noteFallThrough(file)
	slices.SortStableFunc(d.notes, func(a, b Note) int {
		return cmp.Or(strings.Compare(a.File, b.File), a.Line-b.Line)
	})
	d.notes = slices.Compact(d.notes) // an upstream block is read for each use
	if len(d.cfg.Routes) == 0 {
		return d.cfg, d.notes, fmt.Errorf("%s: nothing in it sends requests to an upstream that goproxy could ask", file)
	}
	if err := d.cfg.Validate(); err != nil {
		return d.cfg, d.notes, fmt.Errorf("%s: what goproxy cannot take: %w", file, err)
	}
	return d.cfg, d.notes, nil
}

// noteFallThrough names the hosts of which some paths have no route: goproxy
// then looks among the routes for every host, other proxies do not.
func (d *draft) noteFallThrough(file string) {
	complete := map[string]bool{}
	for _, r := range d.cfg.Routes {
		complete[r.Host] = complete[r.Host] || (r.Path == "" && r.PathRegex == "")
	}
	if _, ok := complete[""]; !ok {
		return
	}
	for _, host := range slices.Sorted(maps.Keys(complete)) {
		if !complete[host] && host != "" {
			d.note(place{file, 1, "host " + host}, "a path that has no route of this host's goes to the routes without a host")
		}
	}
}

// Write writes cfg as YAML, without what is not set, and makes sure that it can
// be read.
func Write(w io.Writer, cfg goproxy.Config) error {
	data, err := yaml.MarshalWithOptions(cfg, yaml.OmitZero(), yaml.IndentSequence(true))
	if err != nil {
		return err
	}
	again, err := goproxy.Parse("result", data)
	if err != nil {
		return err
	}
	if !reflect.DeepEqual(again, cfg) {
		return errors.New("the config does not survive being written: please report the file that leads to this")
	}
	_, err = w.Write(data)
	return err
}

// memberURL splits an upstream url into what goproxy takes and the path.
func memberURL(text string) (base, path string, err error) {
	u, err := url.Parse(text)
	if err != nil {
		return "", "", err
	}
	scheme := map[string]string{"http": "http", "https": "https", "ws": "http", "wss": "https", "h2": "https", "h2c": "http"}[u.Scheme]
	if scheme == "" || u.Host == "" {
		return "", "", fmt.Errorf("%q is no url that goproxy speaks to: want http or https", text)
	}
	return scheme + "://" + u.Host, u.EscapedPath(), nil
}
