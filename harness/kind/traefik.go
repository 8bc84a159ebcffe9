package kind

import (
	"fmt"
	"path"
	"regexp"
	"slices"
)

// Traefik is Traefik, configured by files.
const Traefik Name = "traefik"

// Paths of the documentation. The first file says what Traefik listens on and where the
// others are; those say what is served.
const (
	traefikFolder  = "/etc/traefik"
	traefikDynamic = traefikFolder + "/dynamic"
)

var traefik = Kind{
	Name:   Traefik,
	Layout: traefikLayout,
	Hints: Hints{
		Serves: traefikServes,
		TLS:    regexp.MustCompile(`(?m)^[\s-]*(?:url|address)\s*[:=]\s*["']?https://`),
		Port:   regexp.MustCompile(`(?m)^[\s-]*(?:url|address)\s*[:=]\s*["']?(?:h2c?|https?)://[^/\s"']*:(\d{1,5})`),
	},
	Early:      404,
	Lacks:      "Traefik takes no address of a name out of use: to it a name is one server, whatever addresses it has",
	Complaints: []string{"err ", "error", "cannot", "failed"},
	Errors:     regexp.MustCompile(`(?:\b|\x1b\[\d+m)(?:ERR|FTL|PNC)\b|"level":"(?:error|fatal|panic)"`),
	Marks: []Mark{
		{"no such host", "Traefik got no address for the name"},
		{"i/o timeout", "Traefik waited for a node, or for DNS, in vain"},
		{"connection refused", "a node refused Traefik's connection"},
		{"connection reset by peer", "a node reset Traefik's connection"},
	},
	Releases: []Release{{Name: "stable", Official: "traefik:v3.7"}},
	Usual:    "stable",
	Image: Image{
		Variable:    "TRAEFIK_IMAGE",
		Version:     []string{"traefik", "version"},
		VersionLine: regexp.MustCompile(`(?m)^Version:\s+v?(\d+\.\d+\.\d+)`),
		Module: &Module{
			Path: "github.com/traefik/traefik/v3", Version: "v3.7.9", Package: "./cmd/traefik",
			Stamp:   "github.com/traefik/traefik/v3/pkg/version.Version",
			Program: "usr/local/bin/traefik",
			// Its go.mod replaces a module by this folder, and folders that are modules of
			// their own are in no module's archive. What is outside of it has no fields.
			Adds: map[string]string{
				"pkg/config/dynamic/ext/go.mod": "module github.com/traefik/traefik/dynamic/ext\n\ngo 1.24.0\n",
				"pkg/config/dynamic/ext/ext.go": "package ext\n\ntype (\n\tHTTP   struct{}\n\tRouter struct{}\n)\n",
			},
			Takes: "about 10 minutes of processor time",
			Notes: []string{"The dashboard is missing."},
		},
	},
}

// traefikAlone starts Traefik with a file, or the files of a folder, that say what is
// served: it listens on port 80, and says why a request failed.
func traefikAlone(kept string) []string {
	return []string{"traefik", "--entryPoints.web.address=:80", "--providers.file." + kept, "--log.level=DEBUG", "--log.noColor=true"}
}

// traefikLayout takes one file of what is served, or a folder: with traefik.yml, .yaml or
// .toml in it, which say the rest, or without.
func traefikLayout(c Config) (Layout, error) {
	c, l := c.fromDockerfile(traefikFolder)
	mains := []string{"traefik.yml", "traefik.yaml", "traefik.toml"}
	main := slices.IndexFunc(mains, c.has)
	switch {
	case c.single() && traefikStatic.MatchString(c.text()):
		return l, fmt.Errorf("%s: this is Traefik's static configuration, and the routers and services are in the other files that it names: give the folder with all of them", c.Path)
	case c.single():
		where := path.Join(traefikDynamic, c.Files[0].Name)
		l.Cmd, l.Files = traefikAlone("filename="+where), append(l.Files, c.at(where, c.Files[0].Name))
	case main >= 0:
		l.Cmd = []string{"traefik", "--configFile=" + path.Join(traefikFolder, mains[main])}
		l.Files = append(l.Files, c.below(traefikFolder)...)
	default:
		l.Cmd, l.Files = traefikAlone("directory="+traefikDynamic), append(l.Files, c.below(traefikDynamic)...)
	}
	return l, nil
}

// traefikStatic finds what only the first file has.
var traefikStatic = regexp.MustCompile(`(?mi)^(?:\[?entryPoints\b|\[?providers\b)`)

// Rules are Host(`...`), Path(`...`), PathPrefix(`...`) and PathRegexp(`...`).
var (
	traefikHosts   = regexp.MustCompile("\\bHost\\(\\s*[`\"']([^`\"')]+)")
	traefikPaths   = regexp.MustCompile("\\bPath(?:Prefix)?\\(\\s*[`\"'](/[^`\"')]*)")
	traefikPattern = regexp.MustCompile("\\bPathRegexp\\(\\s*[`\"']([^`\"']+)")
)

func traefikServes(c Config) Serves {
	text := c.text()
	return Serves{Hosts: words(traefikHosts, text), Paths: words(traefikPaths, text), Patterns: words(traefikPattern, text)}
}
