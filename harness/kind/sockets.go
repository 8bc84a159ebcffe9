package kind

import (
	"path"
	"regexp"
	"slices"
	"strings"
)

var (
	// unixSocket is one as all programs write it: unix:/run/app.sock, unix@/run/app.sock,
	// unix//run/app.sock.
	unixSocket = regexp.MustCompile(`\bunix[:@/](/[^\s;:|,"'>{}]+)`)
	// serverSocket is one as HAProxy takes it besides.
	serverSocket = regexp.MustCompile(`^\s*server\s+\S+\s+(/[^\s;:|,"'>{}]+)`)
	// ownSocket begins a line in which the proxy says where it listens itself.
	ownSocket = regexp.MustCompile(`(?i)^\s*(?:listen|bind|stats|admin|peers?|syslog)\b|syslog:`)
)

// AppSockets are the unix sockets that a configuration connects to. Whether a program finds
// something there is not told from them: they are made, so that it does.
func (c Config) AppSockets() []string {
	found, own := c.sockets()
	return slices.DeleteFunc(found, func(name string) bool { return slices.Contains(own, name) })
}

// Unheard says why a program with this configuration listens on no TCP port, if that can be
// read; empty if not.
func (c Config) Unheard(name Name) string {
	_, own := c.sockets()
	switch {
	case len(own) > 0:
		return "the config has it listen on the unix socket " + own[0] + ": no load balancer sends a request there, so let it listen on a port too"
	case name == Nginx && !slices.ContainsFunc(nginxDirectives(c), func(d nginxDirective) bool { return d.name == "server" && len(d.args) == 0 }):
		return "the config has no server { }, and nginx listens for servers only: give the file or folder that has it as CONFIG="
	}
	return ""
}

// sockets are the unix sockets that the configuration names: those that it may connect to,
// and those that it says it listens at.
func (c Config) sockets() (found, own []string) {
	for _, line := range strings.FieldsFunc(c.text(), func(r rune) bool { return r == '\n' || r == ';' || r == '{' }) {
		for _, m := range append(unixSocket.FindAllStringSubmatch(line, -1), serverSocket.FindAllStringSubmatch(line, -1)...) {
			switch name := path.Clean(m[1]); {
			case strings.ContainsAny(name, "$%"):
			case ownSocket.MatchString(line):
				own = append(own, name)
			case !slices.Contains(found, name):
				found = append(found, name)
			}
		}
	}
	return found, own
}
