package kind

import (
	"regexp"
	"slices"
)

// TrafficServer is Apache Traffic Server as a reverse proxy.
const TrafficServer Name = "trafficserver"

// Where Debian has its configuration and its logs.
const (
	trafficserverFolder = "/etc/trafficserver"
	trafficserverLogs   = "/var/log/trafficserver"
)

var trafficserver = Kind{
	Name:   TrafficServer,
	Layout: trafficserverLayout,
	Hints: Hints{
		Serves: trafficserverServes,
		TLS:    regexp.MustCompile(`(?m)^\s*map\s+\S+\s+https://`),
		Port:   regexp.MustCompile(`(?m)^\s*map\s+\S+\s+https?://[^\s/:]+:(\d{1,5})\b`),
	},
	Complaints: []string{"fatal:", "emergency:", "error:"},
	Errors:     regexp.MustCompile(`\bCONNECT: attempt fail|\b(?:ERROR|FATAL|ALERT|EMERGENCY):`),
	Marks: []Mark{
		{"CONNECT: attempt fail", "Traffic Server could not connect to a node"},
	},
	Releases: []Release{
		{Name: "oldoldstable", Suite: "bullseye"},
		{Name: "oldstable", Suite: "bookworm"},
	},
	Usual: "oldstable", // Debian's stable has none
	Image: Image{
		Variable:    "TRAFFICSERVER_IMAGE",
		Version:     []string{"traffic_server", "-V"},
		VersionLine: regexp.MustCompile(`(?m)^Traffic Server (\d+\.\d+\.\d+)`),
		Recipe: Recipe{
			Name:     "trafficserver",
			Packages: []string{"trafficserver"},
			User:     "trafficserver",
			Entries: []Entry{
				// It writes as its own user.
				{Name: trafficserverLogs[1:] + "/", Mode: 0o777},
				{Name: "var/cache/trafficserver/", Mode: 0o777},
				{Name: "run/trafficserver/", Mode: 0o777},
			},
			Changes: []string{`CMD ["traffic_server"]`},
		},
	},
}

// trafficserverLayout: a file is remap.config, which says what goes where; records.config
// and the others are those of the image unless a folder has them.
func trafficserverLayout(c Config) (Layout, error) {
	certificates := trafficserverFolder
	for _, folder := range firsts(trafficserverCertificates, c.text()) {
		certificates = folder
	}
	named := demands{pair: regexp.MustCompile(`\bssl_(?:cert|key)_name=([^\s,]+)`), user: trafficserverUser}
	l, err := named.with(certificates, mainFile(trafficserverFolder, "remap.config", "traffic_server"))(c)
	l.Logs = []string{trafficserverLogs + "/diags.log"}
	if slices.Contains(c.names(), "records.config") && len(firsts(trafficserverUser, c.text())) == 0 {
		// Debian's is built to run as root, which it refuses, unless its records.config says another
		// user, as that of the image does. Others are built to run as one.
		l.Env = append(l.Env, "PROXY_CONFIG_ADMIN_USER_ID=trafficserver")
	}
	return l, err
}

// trafficserverUser is the user whom it becomes.
var trafficserverUser = regexp.MustCompile(`\bproxy\.config\.admin\.user_id\s+STRING\s+(\S+)`)

// Names of certificates are relative to this folder.
var trafficserverCertificates = regexp.MustCompile(`\bproxy\.config\.ssl\.server\.cert\.path\s+STRING\s+(/\S+)`)

var (
	trafficserverHosts   = regexp.MustCompile(`(?m)^\s*map\w*\s+(https?://[^\s/]+)`)
	trafficserverMatches = regexp.MustCompile(`(?m)^\s*regex_map\w*\s+https?://([^\s/]+?)(?::\d+)?(?:[\s/]|$)`)
	trafficserverPaths   = regexp.MustCompile(`(?m)^\s*(?:regex_)?map\w*\s+(?:https?://[^\s/]+)?(/\S*)`)
)

func trafficserverServes(c Config) Serves {
	text := c.text()
	hosts := append(bare(words(trafficserverHosts, text)), patterns(words(trafficserverMatches, text))...)
	return Serves{Hosts: hosts, Paths: words(trafficserverPaths, text)}
}
