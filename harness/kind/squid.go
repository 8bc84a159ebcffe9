package kind

import (
	"path"
	"regexp"
	"strings"
)

// Squid is Squid as an accelerator in front of a site.
const Squid Name = "squid"

// squidFolder is where Debian and the image of Ubuntu have its configuration.
const squidFolder = "/etc/squid"

var squid = Kind{
	Name:   Squid,
	Layout: squidPlaces.with(squidFolder, squidLayout),
	Hints: Hints{
		Serves: squidServes,
		TLS:    regexp.MustCompile(`(?m)^\s*cache_peer\s[^\n]*\s(?:ssl|tls)\b`),
		Port:   regexp.MustCompile(`(?m)^\s*cache_peer\s+\S+\s+parent\s+(\d{1,5})\b`),
	},
	Complaints: []string{"fatal:", "bungled", "error:"},
	Errors:     regexp.MustCompile(`\d\| (?:ERROR|FATAL):`),
	Marks: []Mark{
		{"Detected DEAD Parent", "Squid considers the peer dead"},
		{"Detected REVIVED Parent", "Squid considers the peer alive again"},
		{"ERROR: Connection to", "Squid's connection to the peer failed"},
		{"TCP connection to", "Squid's connection to the peer failed"},
	},
	Releases: []Release{
		{Name: "oldoldstable", Suite: "bullseye"},
		{Name: "oldstable", Suite: "bookworm"},
		{Name: "stable", Suite: "trixie"},
		{Name: "testing", Suite: "forky"},
	},
	Usual: "stable",
	Image: Image{
		Variable:    "SQUID_IMAGE",
		Version:     []string{"squid", "-v"},
		VersionLine: regexp.MustCompile(`(?m)^Squid Cache: Version (\d+\.\d+)`),
		Recipe: Recipe{
			Name:     "squid",
			Packages: []string{"squid"},
			User:     "proxy",
			Entries: []Entry{
				{Name: squidFolder[1:] + "/", Mode: 0o755},
				// What Debian's alternatives would make, since trixie; before, it is a file there.
				{Name: "usr/local/sbin/squid", Link: "/usr/sbin/squid-gnutls"},
				{Name: "var/log/squid/", Mode: 0o777}, // it writes as its own user
				{Name: "var/spool/squid/", Mode: 0o777},
			},
			Changes: []string{`CMD ["squid", "-NYC", "-f", "` + squidFolder + `/squid.conf"]`},
		},
	},
}

var squidPlaces = demands{
	pair:      regexp.MustCompile(`(?m)^\s*https?_port\b[^\n]*?\b(?:tls-)?cert=(\S+)|\b(?:tls-)?key=(/\S+)|^\s*https?_port\b[^\n]*?\b(?:clientca|tls-cafile|cafile)=(\S+)`),
	authority: regexp.MustCompile(`(?m)^\s*cache_peer\b[^\n]*?\b(?:ssl|tls-)cafile=(\S+)`),
	dh:        regexp.MustCompile(`\b(?:tls-)?dh=(?:\w+:)?(/\S+)`),
	written:   regexp.MustCompile(`(?m)^\s*(?:access_log|cache_log|cache_store_log|pid_filename|netdb_filename)\s+(?:\w+:)?(/\S+)`),
	folder:    regexp.MustCompile(`(?m)^\s*cache_dir\s+\w+\s+(/\S+)|^\s*coredump_dir\s+(/\S+)`),
	user:      regexp.MustCompile(`(?m)^\s*cache_effective_(?:user|group)\s+(\S+)`),
}

// squidLayout: a cache on disk has to be made before Squid starts.
func squidLayout(c Config) (Layout, error) {
	l, err := mainFile(squidFolder, "squid.conf", "squid", "-NYC", "-f", squidFolder+"/squid.conf")(c)
	if dirs := firsts(squidCache, c.text()); len(dirs) > 0 {
		// On a machine they are its user's.
		open := "chmod 777 " + strings.Join(dirs, " ")
		l.Cmd = []string{"sh", "-c", "{ " + open + " || busybox " + open + "; } 2>/dev/null; squid -Nz -f " + squidFolder + "/squid.conf && exec squid -NYC -f " + squidFolder + "/squid.conf"}
	}
	return l, err
}

var squidCache = regexp.MustCompile(`(?m)^\s*cache_dir\s+\w+\s+(/\S+)`)

var (
	squidSite    = regexp.MustCompile(`(?m)^\s*https?_port\s[^\n]*\bdefaultsite=(\S+)`)
	squidDomains = regexp.MustCompile(`(?m)^\s*acl\s+\S+\s+dstdomain\s+([^\n]+)`)
	squidMatches = regexp.MustCompile(`(?m)^\s*acl\s+\S+\s+dstdom_regex\s+([^\n]+)`)
)

func squidServes(c Config) Serves {
	text := c.text()
	hosts := bare(append(words(squidSite, text), c.squidWords(squidDomains)...))
	return Serves{Hosts: append(hosts, patterns(c.squidWords(squidMatches))...)}
}

// squidWords are those of an ACL, without its options; a word with a / in it is a file that has
// one in each line.
func (c Config) squidWords(acl *regexp.Regexp) []string {
	var found []string
	for _, word := range words(acl, c.text()) {
		switch {
		case strings.HasPrefix(word, "-"):
		case strings.Contains(word, "/"):
			for _, f := range c.Files {
				if path.Base(f.Name) == path.Base(word) {
					found = append(found, strings.Fields(string(comment.ReplaceAll(f.Content, nil)))...)
				}
			}
		default:
			found = append(found, word)
		}
	}
	return found
}
