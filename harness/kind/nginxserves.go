package kind

import (
	"path"
	"slices"
	"strings"
)

// nginxHosts are nginx's variables that have the host of a request.
var nginxHosts = []string{"$host", "$http_host", "$server_name", "$ssl_server_name", "$ssl_preread_server_name"}

// nginxServes reads which hosts and paths are served. Hosts stand in server_name, and, if
// that is _, in a condition or in the keys of a map.
func nginxServes(c Config) Serves {
	var s Serves
	all := nginxDirectives(c)
	var keys []string // patterns of files whose directives are keys of a map of hosts
	for _, d := range all {
		byHost := d.block == "map" && len(d.of) > 0 && slices.Contains(nginxHosts, d.of[0])
		if byHost && d.name == "include" && len(d.args) == 1 {
			keys = append(keys, path.Base(d.args[0]))
		}
	}
	for _, d := range all {
		isKey := d.block == "" && slices.ContainsFunc(keys, func(pattern string) bool {
			matched, _ := path.Match(pattern, path.Base(d.file))
			return matched
		})
		switch {
		case isKey, d.block == "map" && len(d.of) > 0 && slices.Contains(nginxHosts, d.of[0]):
			if !slices.Contains([]string{"default", "hostnames", "include", "volatile"}, d.name) {
				s.Hosts = append(s.Hosts, nginxHost(d.name))
			}
		case d.name == "if" && len(d.args) == 3 && slices.Contains(nginxHosts, d.args[0]):
			host := d.args[2]
			if strings.Contains(d.args[1], "~") {
				host = "~" + host
			}
			s.Hosts = append(s.Hosts, host)
		case d.name == "server_name":
			s.Hosts = append(s.Hosts, d.args...)
		case d.name == "location" && len(d.args) == 2 && strings.HasPrefix(d.args[0], "~"):
			s.Patterns = append(s.Patterns, d.args[1])
		case d.name == "location" && len(d.args) > 0:
			s.Paths = append(s.Paths, d.args[len(d.args)-1])
		}
	}
	return s
}

// nginxHost is a key of a map as Serves has it: a pattern that ignores case is one. What a
// map would take for its own word has a backslash before it.
func nginxHost(key string) string {
	if pattern, is := strings.CutPrefix(key, "~*"); is {
		return "~" + pattern
	}
	return strings.TrimPrefix(key, "\\")
}
