package kind

import (
	"fmt"
	"regexp"
)

// GoProxy is the bundled proxy, of this build.
const GoProxy Name = "goproxy"

const goproxyMain = "/goproxy.yaml"

var goproxy = Kind{
	Name:   GoProxy,
	Layout: goproxyLayout,
	Hints: Hints{
		Serves: goproxyServes,
		TLS:    regexp.MustCompile(`(?m)^\s*(?:-\s*)?url:\s*["']?https://`),
	},
	Complaints: []string{"error:", ".yaml:"},
	Reload:     &Reload{Signal: "HUP", Says: "reload: done"},
}

func goproxyLayout(c Config) (Layout, error) {
	if !c.single() {
		return Layout{}, fmt.Errorf("%s: goproxy has its whole configuration in one YAML file, this has %d", c.Path, len(c.Files))
	}
	return Layout{
		Cmd:   []string{"goproxy", "run", goproxyMain},
		Files: []Placed{c.at(goproxyMain, c.Files[0].Name)},
	}, nil
}

var (
	goproxyHosts    = regexp.MustCompile(`(?m)(?:^|[{,-])\s*host:\s*([^\s#,}]+)`)
	goproxyPaths    = regexp.MustCompile(`(?m)(?:^|[{,-])\s*path:\s*([^\s#,}]+)`)
	goproxyPatterns = regexp.MustCompile(`(?m)(?:^|[{,-])\s*path_regex:\s*([^\s#,}]+)`)
)

func goproxyServes(c Config) Serves {
	text := c.text()
	return Serves{Hosts: words(goproxyHosts, text), Paths: words(goproxyPaths, text), Patterns: words(goproxyPatterns, text)}
}
