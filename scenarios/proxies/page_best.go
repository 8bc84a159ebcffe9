package proxies

import (
	"fmt"
	"strings"

	"github.com/proxychaos/proxychaos/harness/judge"
)

// bestView is a config to use.
type bestView struct {
	subject
	proxy string
	more  []subject // the same on older versions
	of    []subject // all of the proxy
}

// Heading names the proxy, the versions and the config, as no other heading of the page does.
func (b bestView) Heading() string {
	on := versions(append([]subject{b.subject}, b.more...))
	return strings.TrimSpace(b.proxy+" "+strings.Join(on, ", ")) + ": " + b.Name
}

// Anchor is where the heading is found: lower case, without all but letters, digits and
// hyphens, each space a hyphen.
func (b bestView) Anchor() string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-', r == '_', r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		}
		return -1
	}, strings.ToLower(b.Heading()))
}

// Each is the same config on each version for which it is the best, the newest first.
func (b bestView) Each() []bestView {
	views := []bestView{b}
	for _, s := range b.more {
		views = append(views, bestView{subject: s, proxy: b.proxy, of: b.of})
	}
	return views
}

// Version is the newest on which it is the best; empty if it was not run.
func (b bestView) Version() string { return b.version() }

// Tally says in how many scenarios with a label it held.
func (b bestView) Tally(label string) string { return b.tally(label).String() }

// Costs are what it costs; nil if it was not run.
func (b bestView) Costs() *costView {
	r, ran := b.costs()
	if !ran {
		return nil
	}
	return &costView{figure(r.Connections), queries(r.Queries)}
}

// costView is what a config costs.
type costView struct{ Connections, Queries string }

// Files are those of the config.
func (b bestView) Files() []fileView {
	var views []fileView
	for _, f := range b.files {
		views = append(views, fileView{f.Name, strings.TrimRight(string(f.Content), "\n")})
	}
	return views
}

// fileView is one file of a config.
type fileView struct{ Name, Text string }

// Pitfall is what it is compared with; nil if there is nothing.
func (b bestView) Pitfall() *subject {
	if s, ok := pitfall(b.of, b.subject); ok {
		return &s
	}
	return nil
}

// Matters are the lines that the pitfall has not.
func (b bestView) Matters() []string {
	if p := b.Pitfall(); p != nil {
		return matters(b.subject, *p)
	}
	return nil
}

// Loses are the scenarios in which requests failed, those that broke it first.
func (b bestView) Loses() []string {
	var broke, lost []string
	for _, name := range b.Scenarios {
		runs := b.in(name)
		if len(runs) == 0 {
			continue
		}
		r := worst(runs)
		line := fmt.Sprintf("`%s` %s", name, r)
		switch {
		case r.Result == judge.Fail:
			broke = append(broke, line)
		case r.Held() && r.Failed > 0:
			lost = append(lost, line)
		}
	}
	return append(broke, lost...)
}
