package kind

import (
	"fmt"
	"path"
	"regexp"
	"strings"
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
		Refresh: regexp.MustCompile(`\bhold\s+valid\s+(\d+)(ms|s|m|h|d)?\b`),
		Keeps:   regexp.MustCompile(`\bhold\s+obsolete\s+(\d+)(ms|s|m|h|d)?\b`),
		TLS:     regexp.MustCompile(`(?m)^\s*server(?:-template)?\s[^\n]*\sssl\b`),
		Port:    regexp.MustCompile(`(?m)^\s*server(?:-template)?\s+\S+\s+(?:\d+(?:-\d+)?\s+)?[A-Za-z0-9._-]+:(\d{1,5})\b`),
	},
	Complaints: []string{"[alert]"},
	Advice:     haproxyAdvice,
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

// haproxyLayout starts a master and a worker: HAProxy alone as the first process of a
// container does not heed SIGTERM for 10 s. A folder that its -f takes holds files *.cfg,
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
		switch {
		case c.has("haproxy.cfg"):
			l.Cmd = append(l.Cmd, "-f", haproxyMain)
		case len(c.in(".", "*.cfg")) > 0:
			l.Cmd = append(l.Cmd, "-f", haproxyFolder)
		case len(c.in("conf.d", "*.cfg")) == 0:
			return l, fmt.Errorf("%s: a folder for HAProxy needs the main file haproxy.cfg, or files *.cfg or conf.d/*.cfg, in it", c.Path)
		}
		if len(c.in("conf.d", "*.cfg")) > 0 {
			l.Cmd = append(l.Cmd, "-f", haproxyFolder+"/conf.d")
		}
	}
	if c.mentions(haproxyDebian + "/errors/") {
		l.Files = append(l.Files, spareLink(haproxyDebian+"/errors", haproxyFolder+"/errors"))
	}
	base := ""
	for _, f := range c.Files {
		for line := range strings.Lines(string(f.Content)) {
			words := strings.Fields(line)
			switch {
			case len(words) < 2:
			case words[0] == "chroot":
				l.folder(words[1])
			case words[0] == "user", words[0] == "group":
				l.user(words[1])
			case words[0] == "pidfile":
				l.folder(path.Dir(words[1]))
			case words[0] == "crt-base":
				base = words[1]
			case words[0] == "bind":
				l.haproxyCertificates(words, base, l.certificate)
			case words[0] == "server", words[0] == "default-server", words[0] == "server-template":
				l.haproxyCertificates(words, base, l.authority)
			case words[0] == "stats" && words[1] == "socket" && len(words) > 2:
				l.folder(path.Dir(strings.TrimPrefix(words[2], "unix@")))
			}
		}
	}
	return l, nil
}

var (
	// In an ACL or a condition, after flags such as -i: names, which have a dot.
	haproxyHosts = regexp.MustCompile(`(?:hdr(?:_\w+)?\(host\)|ssl_fc_sni)\S*([^\n{}]*)`)
	haproxyHost  = regexp.MustCompile(`^[\w*-]*(?:\.[\w-]*)+$`)
	haproxyPaths = regexp.MustCompile(`\b(?:path|path_beg|path_dir|url_beg)\b([^\n{}]*)`)
	// A regular expression that does not begin with the path's first character is of no use.
	haproxyPatterns = regexp.MustCompile(`\b(?:path_reg|path\s+-m\s+reg)\b([^\n{}]*)`)
)

func haproxyServes(c Config) Serves {
	text := c.text()
	var s Serves
	for _, word := range words(haproxyHosts, text) {
		if haproxyHost.MatchString(word) {
			s.Hosts = append(s.Hosts, word)
		}
	}
	for _, word := range words(haproxyPaths, text) {
		if strings.HasPrefix(word, "/") {
			s.Paths = append(s.Paths, word)
		}
	}
	for _, word := range words(haproxyPatterns, text) {
		if strings.HasPrefix(word, "^") {
			s.Patterns = append(s.Patterns, word)
		}
	}
	return s
}

// haproxyCertificates makes the certificates that a line names, with its keys, and the
// authorities. One in a folder that is named has any name.
func (l *Layout) haproxyCertificates(words []string, base string, ca func(string)) {
	for i, word := range words[:len(words)-1] {
		where := words[i+1]
		if word == "ca-file" {
			ca(where)
		}
		if word != "crt" {
			continue
		}
		if strings.HasSuffix(where, "/") {
			where += "proxychaos.pem"
		}
		if !path.IsAbs(where) {
			where = path.Join(base, where)
		}
		l.both(where)
	}
}
