package migrate

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"unicode"
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
	// NotWhole says that the config refuses, or serves in another way, what
	// the file serves: without a decision of yours it does not replace it.
	NotWhole bool
}

func (n Note) String() string {
	return printable(fmt.Sprintf("%s:%d: %s: %s", n.File, n.Line, n.Directive, n.Reason))
}

// printable keeps what stands in a config from ending the line of a comment.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, text)
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
	sites []*site
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
	d.notes = append(d.notes, Note{File: at.file, Line: at.line, Directive: at.name, Reason: fmt.Sprintf(format, args...)})
}

// close notes what the draft does not open.
func (d *draft) close(at place, format string, args ...any) {
	d.note(at, format, args...)
	d.notes[len(d.notes)-1].NotWhole = true
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

// finish checks the config.
func (d *draft) finish(file string) (goproxy.Config, []Note, error) {
	d.serve()
	maps.DeleteFunc(d.cfg.Upstreams, func(name string, _ goproxy.Upstream) bool {
		return !slices.ContainsFunc(d.cfg.Routes, func(r goproxy.Route) bool { return r.Upstream == name })
	})
	slices.SortStableFunc(d.notes, func(a, b Note) int {
		return cmp.Or(strings.Compare(a.File, b.File), a.Line-b.Line)
	})
	d.notes = slices.Compact(d.notes) // an upstream block is read for each use
	if !proxies(d.cfg.Routes) {
		return d.cfg, d.notes, fmt.Errorf("%s: nothing in it sends requests to an upstream that goproxy could ask", file)
	}
	if err := d.cfg.Validate(); err != nil {
		return d.cfg, d.notes, fmt.Errorf("%s: what goproxy cannot take: %w", file, err)
	}
	return d.cfg, d.notes, nil
}

// Write writes cfg as YAML, without what is not set, and makes sure that it can
// be read. The notes that it is not the whole stand above it.
func Write(w io.Writer, cfg goproxy.Config, notes []Note) error {
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
	var head strings.Builder
	for _, n := range notes {
		if !n.NotWhole {
			continue
		}
		if head.Len() == 0 {
			head.WriteString("# THIS DRAFT IS NOT THE WHOLE. Read every line before you run it:\n")
		}
		head.WriteString("# " + n.String() + "\n")
	}
	_, err = io.WriteString(w, head.String()+string(data))
	return err
}

// memberURL splits an upstream url into what goproxy takes and the path.
func memberURL(text string) (base, path string, err error) {
	u, err := url.Parse(text)
	if err != nil {
		return "", "", err
	}
	scheme := map[string]string{"http": "http", "https": "https", "ws": "http", "wss": "https", "h2": "https", "h2c": "http"}[u.Scheme]
	if scheme == "" || u.Host == "" || strings.EqualFold(u.Hostname(), "unix") {
		return "", "", fmt.Errorf("%q is not a url that goproxy can call: want http or https to an address or a name", text)
	}
	if u.User != nil || u.ForceQuery || u.RawQuery != "" || u.Fragment != "" {
		return "", "", fmt.Errorf("%q: goproxy sends the query of the request: want a url without one, and without a user", text)
	}
	return scheme + "://" + u.Host, u.EscapedPath(), nil
}
