package kind

import "regexp"

// Envoy is Envoy, configured by one file.
const Envoy Name = "envoy"

// envoyFolder is where the official image has its configuration.
const envoyFolder = "/etc/envoy"

var envoy = Kind{
	Name:   Envoy,
	Layout: mainFile(envoyFolder, "envoy.yaml", "envoy", "-c", envoyFolder+"/envoy.yaml", "--log-level", "info"),
	Hints: Hints{
		Serves:  envoyServes,
		Refresh: regexp.MustCompile(`(?m)^[\s-]*dns_refresh_rate:\s*["']?` + aTime),
		TLS:     regexp.MustCompile(`(?m)UpstreamTlsContext`),
		Port:    regexp.MustCompile(`(?m)\bport_value:\s*(\d{1,5})`),
	},
	Lacks:      "no build of Debian's has Envoy: it runs only if a registry answers, or ENVOY_IMAGE= names an image",
	Complaints: []string{"[critical]", "error initializing", "unable to parse", "proto constraint validation failed"},
	Errors:     regexp.MustCompile(`\[(?:error|critical)\]`),
	Marks: []Mark{
		{"DNS resolution failed", "Envoy got no address for the name"},
		{"no healthy upstream", "Envoy has no address, or considers every one unhealthy"},
	},
	Releases: []Release{{Name: "stable", Official: "envoyproxy/envoy:v1.40-latest"}},
	Usual:    "stable",
	Image: Image{
		Variable:    "ENVOY_IMAGE",
		Version:     []string{"envoy", "--version"},
		VersionLine: regexp.MustCompile(`/(\d+\.\d+\.\d+)/`),
	},
}

// Domains of virtual hosts, a list in brackets or below each other, and the matches of
// routes.
var (
	envoyDomains  = regexp.MustCompile(`(?m)^[\s-]*domains:\s*\[([^\]]*)\]`)
	envoyPrefixes = regexp.MustCompile(`\b(?:prefix|path):\s*["']?(/[^"'\s,}]*)`)
)

func envoyServes(c Config) Serves {
	text := c.text()
	var hosts []string
	for _, host := range bare(words(envoyDomains, text)) {
		if host != "*" {
			hosts = append(hosts, host)
		}
	}
	return Serves{Hosts: hosts, Paths: words(envoyPrefixes, text)}
}
