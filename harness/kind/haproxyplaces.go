package kind

import (
	"path"
	"slices"
	"strings"
)

// haproxyPlaces notes where the configuration has HAProxy write, what has to be there, and as
// whom it runs.
func (l *Layout) haproxyPlaces(c Config) {
	lists := haproxyLists(c)
	base := strings.Join(words(haproxyBase, c.text()), "")
	for _, f := range c.Files {
		for line := range strings.Lines(string(f.Content)) {
			words := strings.Fields(line)
			switch {
			case slices.Contains(lists, f.Name):
				if len(words) > 0 && words[0][0] != '#' {
					l.haproxyPair(words[0], base)
				}
			case len(words) < 2:
			case words[0] == "chroot":
				l.folder(words[1])
				l.root(words[1])
			case words[0] == "user", words[0] == "group":
				l.user(words[1])
			case words[0] == "pidfile":
				l.folder(path.Dir(words[1]))
			case words[0] == "ssl-dh-param-file":
				l.spare(words[1], dhParameters)
			case words[0] == "bind":
				l.haproxyCertificates(words, base, l.pair)
			case words[0] == "server", words[0] == "default-server", words[0] == "server-template":
				l.haproxyCertificates(words, base, l.authority)
			case words[0] == "stats" && words[1] == "socket" && len(words) > 2:
				l.folder(path.Dir(strings.TrimPrefix(words[2], "unix@")))
			}
		}
	}
}

// haproxyLists are the files of the configuration that list certificates.
func haproxyLists(c Config) []string {
	var found []string
	for _, word := range words(haproxyList, c.text()) {
		for _, name := range c.names() {
			if path.Base(name) == path.Base(word) {
				found = append(found, name)
			}
		}
	}
	return found
}

// haproxyCertificates makes the certificates that a line names, with its keys, and the
// authorities, and a list of certificates that is named and not there.
func (l *Layout) haproxyCertificates(words []string, base string, ca func(string)) {
	for i, word := range words[:len(words)-1] {
		switch where := words[i+1]; word {
		case "ca-file":
			ca(where)
		case "crt":
			l.haproxyPair(where, base)
		case "crt-list":
			if l.wanted(path.Clean(where)) {
				made := path.Join(path.Dir(where), "proxychaos.pem")
				l.spare(where, []byte(made+"\n"))
				l.pair(made)
			}
		}
	}
}

// haproxyPair makes a certificate with its key. One in a folder that is named has any name.
func (l *Layout) haproxyPair(where, base string) {
	if strings.HasSuffix(where, "/") {
		where += "proxychaos.pem"
	}
	if !path.IsAbs(where) {
		where = path.Join(base, where)
	}
	l.pair(where)
}
