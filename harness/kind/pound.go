package kind

import "regexp"

// Pound is Pound.
const Pound Name = "pound"

// poundFolder is where Debian has its configuration.
const poundFolder = "/etc/pound"

var pound = Kind{
	Name:   Pound,
	Layout: poundPlaces.with(poundFolder, mainFile(poundFolder, "pound.cfg", "pound", "-e", "-f", poundFolder+"/pound.cfg")),
	Hints: Hints{
		Serves: poundServes,
		TLS:    regexp.MustCompile(`(?mi)^\s*HTTPS\s*(?:$|")`),
		Port:   regexp.MustCompile(`(?mi)^\s*Port\s+(\d{1,5})\b`),
	},
	Complaints: []string{"unrecognized", "can't ", "error", "assertion"},
	Errors:     regexp.MustCompile(`\be50\d:|: connection failed|Assertion`),
	Marks: []Mark{
		{"Assertion", "Pound aborted"},
		{"no backend found", "Pound has no address, or considers every one dead"},
		{": connection failed", "Pound could not connect to a node"},
	},
	Releases: []Release{
		{Name: "stable", Suite: "trixie"},
		{Name: "testing", Suite: "forky"},
	},
	Usual: "stable",
	Image: Image{
		Variable:    "POUND_IMAGE",
		Version:     []string{"pound", "-V"},
		VersionLine: regexp.MustCompile(`(?m)^pound \D*(\d+\.\d+(?:\.\d+)?)`),
		Recipe: Recipe{
			Name:     "pound",
			Packages: []string{"pound", "netbase"}, // which has /etc/protocols, without which no look-up begins
			User:     "pound",
			Entries:  []Entry{{Name: poundFolder[1:] + "/", Mode: 0o755}, {Name: "run/pound/", Mode: 0o777}},
			Changes:  []string{`CMD ["pound", "-e", "-f", "` + poundFolder + `/pound.cfg"]`},
		},
	},
}

var poundPlaces = demands{
	pair:      regexp.MustCompile(`(?mi)^\s*(?:Cert|CAlist)\s+"([^"]+)"`),
	authority: regexp.MustCompile(`(?mi)^\s*VerifyList\s+"([^"]+)"`),
	dh:        regexp.MustCompile(`(?mi)^\s*DHParams\s+"([^"]+)"`),
	written:   regexp.MustCompile(`(?mi)^\s*(?:Control|PIDFile)\s+"([^"]+)"`),
	folder:    regexp.MustCompile(`(?mi)^\s*RootJail\s+"([^"]+)"`),
	user:      regexp.MustCompile(`(?mi)^\s*(?:User|Group)\s+"([^"]+)"`),
}

// A condition on the host or the path, as a string or an expression.
var (
	poundHosts    = regexp.MustCompile(`(?mi)^\s*Host\s+(?:-(?:exact|icase)\s+)*"([^"]+)"`)
	poundEnds     = regexp.MustCompile(`(?mi)^\s*Host\s+(?:-icase\s+)?-end\s+"([^"]+)"`)
	poundMatches  = regexp.MustCompile(`(?mi)^\s*(?:Host\s+(?:-icase\s+)?-re\s+"|(?:HeadRequire|Header)\s+(?:-\w+\s+)*"\^?Host:(?:\[[^\]]*\]\*|\s)*)([^"]+)"`)
	poundPaths    = regexp.MustCompile(`(?mi)^\s*(?:Path|URL)\s+-(?:beg|exact)\s+"(/[^"]*)"`)
	poundPatterns = regexp.MustCompile(`(?mi)^\s*(?:Path|URL)\s+(?:-re\s+)?"(\^?/[^"]*)"`)
)

func poundServes(c Config) Serves {
	text := c.text()
	hosts := append(words(poundHosts, text), patterns(words(poundMatches, text))...)
	for _, end := range words(poundEnds, text) {
		hosts = append(hosts, "*"+end)
	}
	return Serves{Hosts: hosts, Paths: words(poundPaths, text), Patterns: words(poundPatterns, text)}
}
