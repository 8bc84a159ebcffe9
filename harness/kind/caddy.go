package kind

import (
	"fmt"
	"path"
	"regexp"
)

// Caddy is Caddy 2, configured by a Caddyfile.
const Caddy Name = "caddy"

// Paths of the official image.
const (
	caddyFolder = "/etc/caddy"
	caddyMain   = caddyFolder + "/Caddyfile"
	caddyJSON   = caddyFolder + "/caddy.json"
)

var caddy = Kind{
	Name:   Caddy,
	Layout: caddyLayout,
	Hints: Hints{
		Serves:  caddyServes,
		Refresh: regexp.MustCompile(`(?m)^\s*refresh\s+` + aTime),
		TLS:     regexp.MustCompile(`(?m)^\s*(?:(?:reverse_proxy|to)\s[^\n]*https://|tls\s*$|tls_\w+\s)`),
		Port:    regexp.MustCompile(`(?m)(?:^\s*(?:reverse_proxy|to)\s[^\n{]*?:|^\s*dynamic\s+a\s+[A-Za-z0-9.-]+\s+|^\s*port\s+)(\d{1,5})\b`),
	},
	Complaints: []string{"error:"},
	Advice:     caddyAdvice,
	Errors:     regexp.MustCompile(`"level":"(?:error|fatal|panic)"`),
	Marks: []Mark{
		{"no upstreams available", "Caddy has no address, or considers every one down"},
		{"no such host", "Caddy got no address for the name"},
		{"i/o timeout", "Caddy waited for a node, or for DNS, in vain"},
		{"connection refused", "a node refused Caddy's connection"},
		{"connection reset by peer", "a node reset Caddy's connection"},
	},
	Releases: []Release{
		{Name: "stable", Official: "caddy:2.6", Suite: "trixie"},
		{Name: "testing", Official: "caddy:2.11", Suite: "forky"},
	},
	// The 2.6 of Debian's stable is of 2022; people run later ones.
	Usual: "testing",
	Image: Image{
		Variable:    "CADDY_IMAGE",
		Version:     []string{"caddy", "version"},
		VersionLine: regexp.MustCompile(`(?m)^v?(\d+\.\d+\.\d+)`),
		Recipe: Recipe{
			Name:     "caddy",
			Packages: []string{"caddy"},
			Entries: []Entry{
				{Name: caddyFolder[1:] + "/", Mode: 0o755},
				{Name: "config/", Mode: 0o755},
				{Name: "data/", Mode: 0o755},
			},
			Changes: []string{
				`CMD ["caddy", "run", "--config", "` + caddyMain + `", "--adapter", "caddyfile"]`,
				"ENV XDG_CONFIG_HOME=/config", "ENV XDG_DATA_HOME=/data",
			},
		},
	},
}

// caddyLayout takes a Caddyfile, or Caddy's own JSON.
func caddyLayout(c Config) (Layout, error) {
	c, begun := c.fromDockerfile(caddyFolder)
	main := "Caddyfile"
	switch {
	case c.single():
		main = c.Files[0].Name
	case c.has("Caddyfile"):
	case c.has("caddy.json"):
		main = "caddy.json"
	case len(c.in(".", "*.json")) == 1:
		main = c.in(".", "*.json")[0]
	default:
		return Layout{}, fmt.Errorf("%s: a folder for Caddy needs the main file Caddyfile, or caddy.json, in it%s", c.Path, c.deeper("Caddyfile", "caddy.json"))
	}
	l := Layout{Cmd: []string{"caddy", "run", "--config", caddyMain, "--adapter", "caddyfile"}}
	if path.Ext(main) == ".json" {
		l.Cmd = []string{"caddy", "run", "--config", caddyJSON}
		if !c.single() {
			l.Cmd[3] = path.Join(caddyFolder, main)
		}
	}
	if l.Files = c.below(caddyFolder); c.single() {
		l.Files[0].Path = l.Cmd[3]
	}
	l.Files, l.From = append(l.Files, begun.Files...), begun.From
	l.home(c, caddyFolder)
	_, own := c.sockets()
	for _, socket := range own { // on a machine systemd makes the folder
		l.folder(path.Dir(socket))
	}
	l.caddyCertificates(c)
	return l, nil
}
