package kind

import (
	"regexp"
	"strings"
)

// Nghttpx is the proxy of nghttp2.
const Nghttpx Name = "nghttpx"

// nghttpxFolder is where Debian has its configuration.
const nghttpxFolder = "/etc/nghttpx"

var nghttpx = Kind{
	Name:   Nghttpx,
	Layout: nghttpxPlaces.with(nghttpxFolder, mainFile(nghttpxFolder, "nghttpx.conf", "nghttpx", "--conf="+nghttpxFolder+"/nghttpx.conf")),
	Hints: Hints{
		Serves:  nghttpxServes,
		Refresh: regexp.MustCompile(`(?m)^\s*dns-cache-timeout=` + aTime),
		TLS:     regexp.MustCompile(`(?m)^\s*backend=[^\n]*;tls\b`),
		Port:    regexp.MustCompile(`(?m)^\s*backend=[^,\n]+,(\d{1,5})\b`),
	},
	Lacks:      "nghttpx cannot try a second address within a request",
	Complaints: []string{"[fatal]", "fatal", "error"},
	Errors:     regexp.MustCompile(`\b(?:ERROR|FATAL)\b`),
	Marks: []Mark{
		{"Could not resolve", "nghttpx got no address for the name"},
		{"Connect failed", "nghttpx could not connect to a node"},
	},
	Releases: []Release{
		{Name: "oldoldstable", Suite: "bullseye"},
		{Name: "oldstable", Suite: "bookworm"},
		{Name: "stable", Suite: "trixie"},
		{Name: "testing", Suite: "forky"},
	},
	Usual: "stable",
	Image: Image{
		Variable:    "NGHTTPX_IMAGE",
		Version:     []string{"nghttpx", "--version"},
		VersionLine: regexp.MustCompile(`(?m)^nghttpx nghttp2/(\d+\.\d+\.\d+)`),
		Recipe: Recipe{
			Name:     "nghttpx",
			Packages: []string{"nghttp2-proxy"},
			Entries:  []Entry{{Name: nghttpxFolder[1:] + "/", Mode: 0o755}},
			Changes:  []string{`CMD ["nghttpx", "--conf=` + nghttpxFolder + `/nghttpx.conf"]`},
		},
	},
}

// nghttpxPatterns finds what is behind the address of a backend: patterns of a host and a path,
// either of which may be missing, with colons between them.
var nghttpxPatterns = regexp.MustCompile(`(?m)^\s*backend=[^;\n]*;([^;\s]+)`)

func nghttpxServes(c Config) Serves {
	var s Serves
	for _, all := range words(nghttpxPatterns, c.text()) {
		for pattern := range strings.SplitSeq(all, ":") {
			host, path, _ := strings.Cut(pattern, "/")
			s.Hosts, s.Paths = append(s.Hosts, host), append(s.Paths, "/"+path)
		}
	}
	return s
}

var nghttpxPlaces = demands{
	pair:      regexp.MustCompile(`(?m)^\s*(?:private-key-file|certificate-file|client-private-key-file|client-cert-file|verify-client-cacert)=(\S+)|^\s*subcert=([^:\s]+)|:(/[^:;\s]+\.(?:crt|pem|cer))`),
	authority: regexp.MustCompile(`(?m)^\s*cacert=(\S+)`),
	dh:        regexp.MustCompile(`(?m)^\s*dh-param-file=(\S+)`),
	written:   regexp.MustCompile(`(?m)^\s*(?:accesslog-file|errorlog-file|pid-file)=(\S+)`),
	user:      regexp.MustCompile(`(?m)^\s*user=(\S+)`),
}
