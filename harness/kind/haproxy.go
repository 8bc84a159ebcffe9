package kind

import (
	"fmt"
	"regexp"
	"slices"
	"time"
)

// HAProxy is HAProxy.
const HAProxy Name = "haproxy"

// Paths of the official image.
const (
	haproxyFolder = "/usr/local/etc/haproxy"
	haproxyMain   = haproxyFolder + "/haproxy.cfg"
)

// haproxyDebian is where distributions have it.
const haproxyDebian = "/etc/haproxy"

var haproxy = Kind{
	Name:   HAProxy,
	Layout: haproxyLayout,
	Hints: Hints{
		Serves:  haproxyServes,
		Refresh: regexp.MustCompile(`\b(?:hold\s+valid|timeout\s+resolve)\s+` + aTime),
		Keeps:   regexp.MustCompile(`\bhold\s+obsolete\s+` + aTime),
		Unit:    time.Millisecond,
		TLS:     regexp.MustCompile(`(?m)^\s*server(?:-template)?\s[^\n]*\sssl\b`),
		Port:    regexp.MustCompile(`(?m)^\s*server(?:-template)?\s+\S+\s+(?:\d+(?:-\d+)?\s+)?[A-Za-z0-9._-]+:(\d{1,5})\b`),
	},
	Complaints: []string{"[alert]"},
	Advice:     haproxyAdvice,
	Errors:     regexp.MustCompile(`\[(?:ALERT|EMERG)\]|\bis DOWN, reason`),
	Reload:     &Reload{Signal: "USR2"}, // of the master
	Stop:       "USR1",
	Marks: []Mark{
		{"has no server available", "HAProxy considers every server down"},
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
	Usual: "stable",
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
				{Name: haproxyFolder[1:] + "/errors", Link: haproxyDebian + "/errors"},
				{Name: "usr/local/sbin/haproxy", Link: "/usr/sbin/haproxy"},
			},
			Changes: []string{`CMD ["haproxy", "-W", "-db", "-f", "` + haproxyMain + `"]`},
		},
	},
}

// haproxyMains are the names of the main file, the second and third in clusters.
var haproxyMains = []string{"haproxy.cfg", "haproxy.config", "haproxy.conf"}

// haproxyLayout starts a master and a worker: HAProxy alone as the first process of a
// container ignores SIGTERM for 10 s. A folder that its -f takes holds files *.cfg,
// read in the order of their names.
func haproxyLayout(c Config) (Layout, error) {
	c, l := c.fromDockerfile(haproxyFolder, haproxyDebian)
	l.Cmd = []string{"haproxy", "-W", "-db"}
	if c.single() {
		l.Files = append(l.Files, c.at(haproxyMain, c.Files[0].Name))
		l.Cmd = append(l.Cmd, "-f", haproxyMain)
	} else {
		l.Files = append(l.Files, c.below(haproxyFolder)...)
		if c.mentions(haproxyDebian + "/") {
			l.Files = append(l.Files, c.below(haproxyDebian)...)
		}
		main := slices.IndexFunc(haproxyMains, c.has)
		switch {
		case main >= 0:
			l.Cmd = append(l.Cmd, "-f", haproxyFolder+"/"+haproxyMains[main])
		case len(c.in(".", "*.cfg")) > 0:
			l.Cmd = append(l.Cmd, "-f", haproxyFolder)
		case len(c.in("conf.d", "*.cfg")) == 0:
			return l, fmt.Errorf("%s: a folder for HAProxy needs the main file haproxy.cfg, or files *.cfg or conf.d/*.cfg, in it%s", c.Path, c.deeper("haproxy.cfg"))
		}
		if len(c.in("conf.d", "*.cfg")) > 0 {
			l.Cmd = append(l.Cmd, "-f", haproxyFolder+"/conf.d")
		}
	}
	l.home(c, haproxyFolder)
	if c.mentions(haproxyDebian + "/errors/") {
		l.Files = append(l.Files, spareLink(haproxyDebian+"/errors", haproxyFolder+"/errors"))
	}
	l.haproxyPlaces(c)
	return l, nil
}
