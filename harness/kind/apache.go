package kind

import (
	"embed"
	"path"
	"regexp"
	"strings"
)

// Apache is Apache httpd.
const Apache Name = "apache"

// apacheFiles is what Debian's packages lack of the official image's layout.
//
//go:embed files/apache
var apacheFiles embed.FS

var apache = Kind{
	Name:   Apache,
	Layout: apacheLayout,
	Hints: Hints{
		Serves:  apacheServes,
		Refresh: regexp.MustCompile(`\baddressttl\s*=\s*` + aTime),
		TLS:     regexp.MustCompile(`(?im)^\s*(?:ProxyPass(?:Match)?|BalancerMember|RewriteRule)\s[^\n]*https://`),
	},
	Complaints: []string{"syntax error", "invalid command", "ah0", "line "},
	Advice:     apacheAdvice,
	Look:       apacheComment,
	// [proxy:error] and its like.
	Errors: regexp.MustCompile(`\[[a-z0-9_]+:(?:error|crit|alert|emerg)\]`),
	Reload: &Reload{Signal: "USR1"}, // apachectl graceful
	Stop:   "WINCH",                 // apachectl graceful-stop
	// The numbers are those of httpd's log messages (seen in 2.4.71).
	Marks: []Mark{
		{"AH00957", "Apache could not connect to a node"},
		{"AH00959", "Apache took the backend out of use for a while"},
		{"AH00940", "Apache held the backend to be out of use"},
		{"AH01114", "Apache could not connect to the backend"},
		{"AH01102", "Apache got no status line from a node"},
		{"AH00898", "Apache could not read a node's answer"},
		{"AH10481", "Apache closed a connection because the address of the name had changed"},
		{"(110)Connection timed out", "a connection of Apache timed out"},
	},
	// 2.4.59 looks a backend up once more when every cached address refuses; 2.4.58
	// never does. No Debian suite carries that one.
	Releases: []Release{
		{Name: "2.4.58", Official: "httpd:2.4.58"},
		{Name: "oldoldstable", Suite: "bullseye"},
		{Name: "oldstable", Suite: "bookworm"},
		{Name: "stable", Official: "httpd:2.4", Suite: "trixie"},
		{Name: "testing", Suite: "forky"},
	},
	Usual: "stable",
	Image: Image{
		Variable:    "HTTPD_IMAGE",
		Version:     []string{"httpd", "-v"},
		VersionLine: regexp.MustCompile(`(?m)^Server version: Apache/(\S+)`),
		Recipe: Recipe{
			Name:     "httpd",
			Packages: []string{"apache2-bin", "apache2-utils", "media-types"},
			Files:    below(apacheFiles, "files/apache"),
			Entries: []Entry{
				{Name: "usr/local/apache2/", Mode: 0o755},
				{Name: "usr/local/apache2/logs/", Mode: 0o755},
				{Name: "usr/local/apache2/cgi-bin/", Mode: 0o755},
				{Name: "usr/local/apache2/modules", Link: "/usr/lib/apache2/modules"},
				{Name: "usr/local/apache2/conf/mime.types", Link: "/etc/mime.types"},
				{Name: "usr/local/apache2/bin/ab", Link: "/usr/bin/ab"},
				{Name: "usr/local/apache2/bin/htpasswd", Link: "/usr/bin/htpasswd"},
				{Name: "usr/local/apache2/bin/rotatelogs", Link: "/usr/bin/rotatelogs"},
				{Name: "usr/local/apache2/bin/logresolve", Link: "/usr/bin/logresolve"},
			},
			Changes: []string{
				`CMD ["httpd-foreground"]`,
				"ENV HTTPD_PREFIX=/usr/local/apache2",
				"ENV PATH=/usr/local/apache2/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
				"WORKDIR /usr/local/apache2",
			},
			Notes: []string{
				"the modules log_config, logio, unixd, version and watchdog are built in: their LoadModule lines, and that of systemd, are commented out in the container's copy at the start, and said on stderr",
				"conf/extra holds mpm, default, info, vhosts, ssl and proxy-html only; there is no manual and no error folder",
			},
		},
	},
}

func apacheServes(c Config) Serves {
	var s Serves
	for _, l := range apacheLines(c, c.apacheVariables()) {
		switch name := l.name; {
		case name == "servername" || name == "serveralias":
			s.Hosts = append(s.Hosts, bare(l.args)...)
		case len(l.args) == 0:
		case name == "rewritemap" && len(l.args) > 1:
			s.Hosts = append(s.Hosts, c.apacheMapped(l.args[1])...)
		case name == "<location" && l.args[0] == "~" && len(l.args) > 1:
			s.Patterns = append(s.Patterns, l.args[1])
		case (name == "proxypassmatch" || name == "<locationmatch") && !strings.Contains(l.args[0], "://"):
			s.Patterns = append(s.Patterns, l.args[0])
		case name == "proxypass" || name == "<location":
			s.Paths = append(s.Paths, l.args[0])
		case name == "rewriterule" && apacheProxies.MatchString(l.args[len(l.args)-1]):
			s.Patterns = append(s.Patterns, l.args[0])
		}
	}
	return s
}

// apacheMapped are the hosts among the keys of a map of rewriting rules, if it is a file of
// texts: who serves many hosts by one rule has them there.
func (c Config) apacheMapped(source string) []string {
	var s Serves
	if how, file, is := strings.Cut(source, ":"); is && (how == "txt" || how == "rnd") {
		for _, f := range c.Files {
			if path.Base(f.Name) == path.Base(file) {
				s.keysOf(string(f.Content))
			}
		}
	}
	return s.Hosts
}

// apacheProxies finds the flag with which RewriteRule proxies.
var apacheProxies = regexp.MustCompile(`^\[(?:.*,)?P(?:,.*)?\]$`)
