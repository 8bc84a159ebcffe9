package config

import (
	_ "embed"
	"fmt"
	"path"
	"regexp"

	"github.com/proxychaos/proxychaos/harness"
)

// Layout is how a configuration runs in its proxy's image.
type Layout struct {
	Cmd   []string
	Files []Placed
}

// Placed is a file with its absolute path in the container.
type Placed struct {
	Path    string
	Content []byte
}

// apacheBase is put around an Apache fragment (virtual hosts without
// LoadModule lines), which no httpd runs by itself.
//
//go:embed httpd.conf
var apacheBase []byte

// Paths of the official images.
const (
	apacheMain     = "/usr/local/apache2/conf/httpd.conf"
	apacheFragment = "/usr/local/apache2/conf/extra/site.conf"
	apacheFolder   = "/usr/local/apache2/conf"
	nginxMain      = "/etc/nginx/nginx.conf"
	nginxFragment  = "/etc/nginx/conf.d/default.conf"
	nginxFolder    = "/etc/nginx"
	goproxyMain    = "/goproxy.yaml"
)

var (
	// What only a whole configuration has.
	apacheWhole  = regexp.MustCompile(`(?im)^\s*(LoadModule|ServerRoot)\s`)
	apacheListen = regexp.MustCompile(`(?im)^\s*Listen\s.*$`)
	nginxWhole   = regexp.MustCompile(`(?m)^\s*(events|http)\s*\{`)
)

// Layout says where the files go and what is started. A folder stands for the
// image's whole configuration folder where it holds the main file
// (httpd.conf, nginx.conf), for nginx's conf.d otherwise.
func (c Config) Layout() (Layout, error) {
	switch c.Kind {
	case harness.Apache:
		return c.apache()
	case harness.Nginx:
		return c.nginx(), nil
	case harness.GoProxy:
		return c.goproxy()
	default:
		return Layout{}, fmt.Errorf("no layout for a proxy of kind %q: want one of %v", c.Kind, harness.Kinds)
	}
}

func (c Config) apache() (Layout, error) {
	l := Layout{Cmd: []string{"httpd-foreground"}}
	switch {
	case c.has("httpd.conf") && !c.single():
		l.Files = c.below(apacheFolder)
	case !c.single():
		return l, fmt.Errorf("%s: a folder for Apache needs the main file httpd.conf in it", c.Path)
	case apacheWhole.Match(c.Files[0].Content):
		l.Files = []Placed{{apacheMain, c.Files[0].Content}}
	default:
		base := apacheBase
		if listens := apacheListen.Match(c.Files[0].Content); listens {
			base = apacheListen.ReplaceAll(base, nil) // httpd refuses to listen twice on one port
		}
		l.Files = []Placed{{apacheMain, base}, {apacheFragment, c.Files[0].Content}}
	}
	return l, nil
}

func (c Config) nginx() Layout {
	l := Layout{Cmd: []string{"nginx", "-g", "daemon off;"}}
	switch {
	case c.single() && nginxWhole.Match(c.Files[0].Content):
		l.Files = []Placed{{nginxMain, c.Files[0].Content}}
	case c.single():
		l.Files = []Placed{{nginxFragment, c.Files[0].Content}}
	case c.has("nginx.conf"):
		l.Files = c.below(nginxFolder)
	default:
		l.Files = c.below(path.Dir(nginxFragment))
	}
	return l
}

func (c Config) goproxy() (Layout, error) {
	if !c.single() {
		return Layout{}, fmt.Errorf("%s: goproxy has its whole configuration in one YAML file, this has %d", c.Path, len(c.Files))
	}
	return Layout{
		Cmd:   []string{"goproxy", "run", goproxyMain},
		Files: []Placed{{goproxyMain, c.Files[0].Content}},
	}, nil
}

func (c Config) has(name string) bool {
	for _, f := range c.Files {
		if f.Name == name {
			return true
		}
	}
	return false
}

func (c Config) below(folder string) []Placed {
	placed := make([]Placed, 0, len(c.Files))
	for _, f := range c.Files {
		placed = append(placed, Placed{path.Join(folder, f.Name), f.Content})
	}
	return placed
}
