package kind

import "regexp"

// H2O is H2O.
const H2O Name = "h2o"

// h2oFolder is where Debian has its configuration.
const h2oFolder = "/etc/h2o"

var h2o = Kind{
	Name:   H2O,
	Layout: h2oPlaces.with(h2oFolder, mainFile(h2oFolder, "h2o.conf", "h2o", "-c", h2oFolder+"/h2o.conf")),
	Hints: Hints{
		Serves: h2oServes,
		TLS:    regexp.MustCompile(`(?m)^[ -]*proxy\.reverse\.url:\s*["']?https://`),
	},
	Lacks:      "H2O cannot try a second address within a request",
	Complaints: []string{"[error]", "error", "failed", "unknown command"},
	Errors:     regexp.MustCompile(`\[(?:ERROR|FATAL)\]|\bin request:`),
	Marks: []Mark{
		{"connection failed", "H2O could not connect to a node"},
		{"I/O timeout", "H2O waited for a node in vain"},
		{"host not found", "H2O got no address for the name"},
	},
	Releases: []Release{
		{Name: "oldoldstable", Suite: "bullseye"},
		{Name: "oldstable", Suite: "bookworm"},
	},
	Usual: "oldstable", // Debian's stable has none
	Image: Image{
		Variable:    "H2O_IMAGE",
		Version:     []string{"h2o", "-v"},
		VersionLine: regexp.MustCompile(`(?m)^h2o version (\d+\.\d+\.\d+)`),
		Recipe: Recipe{
			Name:     "h2o",
			Packages: []string{"h2o"},
			Entries:  []Entry{{Name: h2oFolder[1:] + "/", Mode: 0o755}, {Name: "var/log/h2o/", Mode: 0o777}},
			Changes:  []string{`CMD ["h2o", "-c", "` + h2oFolder + `/h2o.conf"]`},
		},
	},
}

var h2oPlaces = demands{
	pair:      regexp.MustCompile(`(?m)\b(?:certificate-file|key-file):\s*["']?([^\s"',}]+)`),
	authority: regexp.MustCompile(`(?m)\bcafile:\s*["']?([^\s"',}]+)`),
	dh:        regexp.MustCompile(`(?m)\bdh-file:\s*["']?([^\s"',}]+)`),
	written:   regexp.MustCompile(`(?m)\b(?:pid-file|error-log|access-log|path):\s*["']?(/[^\s"',}]+)`),
	user:      regexp.MustCompile(`(?m)^\s*user:\s*["']?(\w[\w-]*)`),
}

// The names of the hosts, and the paths, are keys.
var (
	h2oHosts = regexp.MustCompile(`(?m)^\s+["']?([A-Za-z0-9*-]+(?:\.[A-Za-z0-9-]+)+(?::\d+)?)["']?:\s*$`)
	h2oPaths = regexp.MustCompile(`(?m)^\s+["']?(/[^"'\s:]*)["']?:\s*$`)
)

func h2oServes(c Config) Serves {
	text := c.text()
	return Serves{Hosts: bare(words(h2oHosts, text)), Paths: words(h2oPaths, text)}
}
