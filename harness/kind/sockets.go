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
	var found, own []string
	for _, line := range strings.FieldsFunc(c.text(), func(r rune) bool { return r == '\n' || r == ';' || r == '{' }) {
		for _, m := range append(unixSocket.FindAllStringSubmatch(line, -1), serverSocket.FindAllStringSubmatch(line, -1)...) {
			switch name := path.Clean(m[1]); {
			case strings.ContainsAny(name, "$%"), slices.Contains(found, name):
			case ownSocket.MatchString(line):
				own = append(own, name)
			default:
				found = append(found, name)
			}
		}
	}
	return slices.DeleteFunc(found, func(name string) bool { return slices.Contains(own, name) })
}
