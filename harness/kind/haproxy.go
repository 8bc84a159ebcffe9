package kind

import (
	"fmt"
	"regexp"
)

// HAProxy is HAProxy.
const HAProxy Name = "haproxy"

// Paths of the official image.
const (
	haproxyFolder = "/usr/local/etc/haproxy"
	haproxyMain   = haproxyFolder + "/haproxy.cfg"
)

var haproxy = Kind{
	Name:   HAProxy,
	Layout: haproxyLayout,
	Hints: Hints{
		Refresh: regexp.MustCompile(`\bhold\s+valid\s+(\d+)(ms|s|m|h|d)?\b`),
		TLS:     regexp.MustCompile(`(?m)^\s*server(?:-template)?\s[^\n]*\sssl\b`),
		Port:    regexp.MustCompile(`(?m)^\s*server(?:-template)?\s+\S+\s+(?:\d+(?:-\d+)?\s+)?[A-Za-z0-9._-]+:(\d{1,5})\b`),
	},
	Complaints: []string{"[alert]"},
	Errors:     regexp.MustCompile(`\[(?:ALERT|EMERG)\]`),
	Marks: []Mark{
		{"has no server available", "HAProxy holds every server to be down"},
		{"is going DOWN for maintenance", "HAProxy got no address for a server"},
		{"is DOWN", "HAProxy took a server out"},
		{"changed its IP from", "HAProxy learned another address of a server"},
	},
	Releases: []Release{
		{Name: "oldoldstable", Official: "haproxy:2.2", Suite: "bullseye"},
		{Name: "oldstable", Official: "haproxy:2.6", Suite: "bookworm"},
		{Name: "stable", Official: "haproxy:3.0", Suite: "trixie"},
		{Name: "testing", Official: "haproxy:3.2", Suite: "forky"},
	},
	Image: Image{
		Variable:    "HAPROXY_IMAGE",
		Version:     []string{"haproxy", "-v"},
		VersionLine: regexp.MustCompile(`(?m)^HA-?Proxy version (\d+\.\d+\.\d+)`),
		Recipe: Recipe{
			Name:     "haproxy",
			Packages: []string{"haproxy"},
			User:     "haproxy",
			Entries: []Entry{
				{Name: haproxyFolder[1:] + "/", Mode: 0o755},
				{Name: "usr/local/sbin/haproxy", Link: "/usr/sbin/haproxy"},
			},
			Changes: []string{`CMD ["haproxy", "-W", "-db", "-f", "` + haproxyMain + `"]`},
		},
	},
}

// haproxyLayout starts a master and a worker: HAProxy alone as the first process of a
// container does not heed SIGTERM for 10 s.
func haproxyLayout(c Config) (Layout, error) {
	l := Layout{Cmd: []string{"haproxy", "-W", "-db", "-f", haproxyMain}}
	switch {
	case c.single():
		l.Files = []Placed{{haproxyMain, c.Files[0].Content}}
	case c.has("haproxy.cfg"):
		l.Files = c.below(haproxyFolder)
	default:
		return l, fmt.Errorf("%s: a folder for HAProxy needs the main file haproxy.cfg in it", c.Path)
	}
	return l, nil
}
