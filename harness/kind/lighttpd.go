package kind

import (
	"maps"
	"regexp"
	"slices"
)

// Lighttpd is lighttpd with its mod_proxy.
const Lighttpd Name = "lighttpd"

// lighttpdFolder is where Debian has its configuration.
const lighttpdFolder = "/etc/lighttpd"

var lighttpd = Kind{
	Name:   Lighttpd,
	Layout: lighttpdPlaces.with(lighttpdFolder, lighttpdLayout),
	Hints: Hints{
		Serves: lighttpdServes,
		// It looks a name up as it starts, and never again.
		Port: regexp.MustCompile(`"port"\s*=>\s*"?(\d{1,5})`),
	},
	Lacks:      "lighttpd looks a name up once, at its start, and cannot follow one that moves",
	Complaints: []string{"(configfile", "(server.c", "(plugin.c", "(gw_backend.c", "error"},
	Errors:     regexp.MustCompile(`\(gw_backend\.c\.\d+\)`),
	Marks: []Mark{
		{"all handlers for", "lighttpd considers every node down"},
		{"establishing connection failed", "lighttpd could not connect to a node"},
		{"connect() ", "lighttpd could not connect to a node"},
		{"gw-server re-enabled", "lighttpd tries a node again"},
	},
	Releases: []Release{
		{Name: "oldoldstable", Suite: "bullseye"},
		{Name: "oldstable", Suite: "bookworm"},
		{Name: "stable", Suite: "trixie"},
		{Name: "testing", Suite: "forky"},
	},
	Usual: "stable",
	Image: Image{
		Variable:    "LIGHTTPD_IMAGE",
		Version:     []string{"lighttpd", "-v"},
		VersionLine: regexp.MustCompile(`(?m)^lighttpd/(\d+\.\d+\.\d+)`),
		Recipe: Recipe{
			Name:     "lighttpd",
			Packages: []string{"lighttpd"},
			Extras:   "^lighttpd-mod-(openssl|deflate)$",
			Entries: []Entry{
				{Name: lighttpdFolder[1:] + "/", Mode: 0o755},
				{Name: "var/www/html/", Mode: 0o755},
				{Name: "var/log/lighttpd/", Mode: 0o777}, // it writes as the user of its configuration
				{Name: "var/cache/lighttpd/", Mode: 0o777},
			},
			Changes: []string{`CMD ["lighttpd", "-D", "-f", "` + lighttpdFolder + `/lighttpd.conf"]`},
		},
	},
}

var lighttpdPlaces = demands{
	pair:    regexp.MustCompile(`\bssl\.(?:pemfile|privkey|ca-file|verifyclient\.ca-file)\s*=\s*"([^"]+)"`),
	dh:      regexp.MustCompile(`\bssl\.dh-file\s*=\s*"([^"]+)"`),
	written: regexp.MustCompile(`\b(?:server\.(?:errorlog|breakagelog|pid-file)|accesslog\.filename)\s*=\s*"([^"]+)"`),
	folder:  regexp.MustCompile(`\bserver\.(?:document-root|upload-dirs|chroot)\s*=\s*(?:\(\s*)?"([^"]+)"`),
	user:    regexp.MustCompile(`\bserver\.(?:username|groupname)\s*=\s*"([^"]+)"`),
}

// lighttpdShells stand in for the scripts with which Debian's own lighttpd.conf makes lines of
// its own; they are in Perl, which the image does not have.
var lighttpdShells = map[string]string{
	"/usr/share/lighttpd/use-ipv6.pl":             "#!/bin/sh\n",
	"/usr/share/lighttpd/create-mime.conf.pl":     "#!/bin/sh\necho 'mimetype.assign = ( \".html\" => \"text/html\" )'\n",
	"/usr/share/lighttpd/create-mime.assign.pl":   "#!/bin/sh\necho 'mimetype.assign = ( \".html\" => \"text/html\" )'\n",
	"/usr/share/lighttpd/include-conf-enabled.pl": "#!/bin/sh\nfor f in /etc/lighttpd/conf-enabled/*.conf; do [ -f \"$f\" ] && echo \"include \\\"$f\\\"\"; done\n",
}

func lighttpdLayout(c Config) (Layout, error) {
	l, err := mainFile(lighttpdFolder, "lighttpd.conf", "lighttpd", "-D", "-f", lighttpdFolder+"/lighttpd.conf")(c)
	for _, name := range slices.Sorted(maps.Keys(lighttpdShells)) {
		if c.mentions(name) {
			l.Files = append(l.Files, Placed{Path: name, Content: []byte(lighttpdShells[name]), Executable: true})
		}
	}
	return l, err
}

// A condition on the host or the path, as a string or an expression.
var (
	lighttpdHosts = regexp.MustCompile(`\$HTTP\["host"\]\s*==\s*"([^"]+)"|\$HTTP\["host"\]\s*=~\s*"([^"]+)"`)
	lighttpdPaths = regexp.MustCompile(`\$HTTP\["url"\]\s*=\^\s*"([^"]+)"|"(/[^"\s]*)"\s*=>\s*\(\s*\(`)
)

func lighttpdServes(c Config) Serves {
	text := c.text()
	var s Serves
	for _, m := range lighttpdHosts.FindAllStringSubmatch(text, -1) {
		host := m[1]
		if m[2] != "" {
			host = "~" + m[2]
		}
		s.Hosts = append(s.Hosts, host)
	}
	for _, m := range lighttpdPaths.FindAllStringSubmatch(text, -1) {
		s.Paths = append(s.Paths, m[1]+m[2])
	}
	return s
}
