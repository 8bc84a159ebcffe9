package kind

import (
	"embed"
	"regexp"
)

// Nginx is nginx.
const Nginx Name = "nginx"

// nginxFiles is what Debian's packages lack of the official image's layout.
//
//go:embed files/nginx
var nginxFiles embed.FS

var nginx = Kind{
	Name:   Nginx,
	Layout: nginxLayout,
	Hints: Hints{
		Serves:  nginxServes,
		Refresh: regexp.MustCompile(`\bvalid\s*=\s*` + aTime),
		TLS:     regexp.MustCompile(`(?m)(?:^|[\s{;])proxy_pass\s[^;\n]*https://`),
		Port:    regexp.MustCompile(`(?m)^\s*server\s+[A-Za-z0-9.-]+:(\d{1,5})\b`),
	},
	Complaints: []string{"[emerg]"},
	Advice:     nginxAdvice,
	Errors:     regexp.MustCompile(`\[(?:error|crit|alert|emerg)\]`),
	Reload:     &Reload{Signal: "HUP"},
	Stop:       "QUIT",
	Marks: []Mark{
		{"connect() failed (110", "nginx's connection to a node timed out"},
		{"upstream timed out", "nginx waited for a node in vain"},
		{"connect() failed (111", "a node refused nginx's connection"},
		{"no live upstreams", "nginx considers every node down"},
		{"could not be resolved", "nginx got no address for the name"},
		{"upstream prematurely closed", "a node closed nginx's connection without an answer"},
		{"limiting requests", "nginx refused or delayed requests beyond its limit_req"},
		{"limiting connections", "nginx refused requests beyond its limit_conn"},
	},
	// 1.27.3 has "server ... resolve" in the open version.
	Releases: []Release{
		{Name: "oldoldstable", Official: "nginx:1.18", Suite: "bullseye"},
		{Name: "oldstable", Official: "nginx:1.22", Suite: "bookworm"},
		{Name: "stable", Official: "nginx:1.26", Suite: "trixie"},
		{Name: "testing", Official: "nginx:1.30", Suite: "forky"},
	},
	Usual: "stable",
	Image: Image{
		Variable: "NGINX_IMAGE",
		Version:  []string{"nginx", "-v"},
		// An nginx of another make (openresty/1.27.1.1) keeps its name.
		VersionLine: regexp.MustCompile(`(?m)^nginx version: (?:nginx/)?(\S+)`),
		Recipe: Recipe{
			Name:     "nginx",
			Packages: []string{"nginx", "^libnginx-mod-(mail|stream|stream-geoip|http-geoip|http-xslt-filter)$"},
			// Those of other authors, which not every mirror has. The expression leaves out
			// the packages for development, and image and perl, which bring 30 MB of libraries.
			Extras: "^libnginx-mod-(http-[^ip].*[^v]|stream-js|stream-geoip2|nchan|rtmp)$",
			Files:  below(nginxFiles, "files/nginx"),
			Entries: []Entry{
				{Name: "etc/nginx/modules", Link: nginxModuleFolder},
				{Name: "var/log/nginx/", Mode: 0o755},
				{Name: "var/log/nginx/access.log", Link: "/dev/stdout"},
				{Name: "var/log/nginx/error.log", Link: "/dev/stderr"},
				{Name: "var/cache/nginx/", Mode: 0o755},
				{Name: "var/lib/nginx/", Mode: 0o755},
			},
			Changes: []string{`CMD ["nginx", "-g", "daemon off;"]`},
			Notes: []string{
				"stream and mail are modules: they are loaded for a configuration that has such a block",
				"the modules image_filter and perl are not there",
				"paths relative to the prefix begin in /usr/share/nginx, not in /etc/nginx",
			},
		},
	},
}
