package kind

import "regexp"

// Varnish is Varnish Cache.
const Varnish Name = "varnish"

// varnishFolder is where Debian and the official image have its configuration.
const varnishFolder = "/etc/varnish"

var varnish = Kind{
	Name:   Varnish,
	Layout: mainFile(varnishFolder, "default.vcl", "varnishd", "-F", "-a", ":80", "-f", varnishFolder+"/default.vcl", "-s", "malloc,100M"),
	Hints: Hints{
		Serves: varnishServes,
		// It looks a name up as it compiles the VCL, and never again.
		Port: regexp.MustCompile(`(?m)^\s*\.port\s*=\s*"(\d{1,5})"`),
	},
	Lacks:      "Varnish keeps its log in memory, so that no line of it says what became of a backend; it looks a name up once, as it compiles the VCL, and refuses one with two addresses",
	Complaints: []string{"message from ", "error:"},
	Advice: []Advice{
		about(`resolves to too many addresses`, "Varnish takes a name with one address only, and an ALB has two or more: give each address a backend of its own behind a director, or name a proxy on the same machine that follows the name"),
		about(`Could not (?:load|find) VMOD (\S+)`, "the image has no module $1: VARNISH_IMAGE= takes one of yours"),
	},
	Releases: []Release{
		{Name: "oldoldstable", Suite: "bullseye"},
		{Name: "oldstable", Suite: "bookworm"},
		{Name: "stable", Official: "varnish:7.7", Suite: "trixie"},
	},
	Usual: "stable",
	Image: Image{
		Variable:    "VARNISH_IMAGE",
		Version:     []string{"varnishd", "-V"},
		VersionLine: regexp.MustCompile(`\(varnish-(\d+\.\d+\.\d+)`),
		Recipe: Recipe{
			Name:     "varnish",
			Packages: []string{"varnish"},
			Keeps:    []string{"usr/include"}, // it compiles its configuration, as C
			Entries: []Entry{
				{Name: "var/lib/varnish/", Mode: 0o777}, // it writes as users of its own
			},
			Changes: []string{`CMD ["varnishd", "-F", "-a", ":80", "-f", "` + varnishFolder + `/default.vcl", "-s", "malloc,100M"]`},
		},
	},
}

// A condition on the host or the path, as a string or an expression.
var (
	varnishHosts    = regexp.MustCompile(`req\.http\.[Hh]ost\s*[!=]=\s*"([^"]+)"`)
	varnishMatches  = regexp.MustCompile(`req\.http\.[Hh]ost\s*!?~\s*"([^"]+)"`)
	varnishPaths    = regexp.MustCompile(`req\.url\s*==\s*"(/[^"]*)"`)
	varnishPatterns = regexp.MustCompile(`req\.url\s*~\s*"(\^[^"]*)"`)
)

func varnishServes(c Config) Serves {
	text := c.text()
	return Serves{
		Hosts: append(words(varnishHosts, text), patterns(words(varnishMatches, text))...), Paths: words(varnishPaths, text), Patterns: words(varnishPatterns, text),
	}
}
