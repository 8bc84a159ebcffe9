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
		TLS: regexp.MustCompile(`(?m)^\s*(?:-\s*)?url:\s*["']?https://`),
	},
	Complaints: []string{"error:", ".yaml:"},
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
