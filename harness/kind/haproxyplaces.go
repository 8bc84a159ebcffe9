package kind

import (
	"encoding/base64"
	"path"
	"slices"
	"strings"
)

// haproxySections are the words that begin a section.
var haproxySections = []string{
	"global", "defaults", "frontend", "backend", "listen", "resolvers", "peers", "userlist", "cache", "program", "ring", "log-forward",
	"http-errors", "mailers", "fcgi-app", "crt-store", "traces", "acme",
}

// haproxyBases are the folders in which files are that are not named from the root.
type haproxyBases struct{ certificates, keys, authorities string }

// haproxyPlaces notes where the configuration has HAProxy write, what has to be there, and as
// whom it runs.
func (l *Layout) haproxyPlaces(c Config) {
	lists := haproxyLists(c)
	var global haproxyBases
	for _, f := range c.Files {
		if slices.Contains(lists, f.Name) {
			continue
		}
		store, inStore := haproxyBases{}, false
		for line := range strings.Lines(string(f.Content)) {
			words := haproxyWords(line)
			if len(words) > 0 && slices.Contains(haproxySections, words[0]) {
				store, inStore = haproxyBases{}, words[0] == "crt-store"
			}
			switch {
			case len(words) < 2:
			case inStore:
				l.haproxyLine(words, &store)
			default:
				l.haproxyLine(words, &global)
			}
		}
	}
	for _, name := range lists {
		for line := range strings.Lines(string(c.file(name).Content)) {
			if words := haproxyWords(line); len(words) > 0 {
				l.haproxyPair(words[0], global.certificates)
			}
		}
	}
}

// haproxyWords are those of a line, without quotes and comments.
func haproxyWords(line string) []string {
	words := strings.Fields(comment.ReplaceAllString(line, ""))
	for i, word := range words {
		words[i] = strings.Trim(word, `"'`)
	}
	return words
}

// haproxyLine notes what a line of two words at least wants.
func (l *Layout) haproxyLine(words []string, bases *haproxyBases) {
	switch words[0] {
	case "crt-base":
		bases.certificates = words[1]
	case "key-base":
		bases.keys = words[1]
	case "ca-base":
		bases.authorities = words[1]
	case "load":
		l.haproxyLoad(words, bases)
	case "chroot":
		l.folder(words[1])
		l.root(words[1])
	case "user", "group":
		l.user(words[1])
	case "pidfile":
		l.folder(path.Dir(words[1]))
	case "ssl-dh-param-file":
		l.spare(words[1], dhParameters)
	case "bind":
		l.haproxySocket(words[1])
		l.haproxyCertificates(words, bases, l.pair)
	case "server", "default-server", "server-template":
		l.haproxyCertificates(words, bases, l.authority)
	case "stats":
		if words[1] == "socket" && len(words) > 2 {
			l.haproxySocket(words[2])
		}
	}
}

// haproxySocket makes the folder of a unix socket.
func (l *Layout) haproxySocket(address string) {
	if where := strings.TrimPrefix(address, "unix@"); path.IsAbs(where) {
		l.folder(path.Dir(where))
	}
}

// haproxyLists are the files of the configuration that list certificates.
func haproxyLists(c Config) []string {
	var found []string
	for _, word := range words(haproxyList, c.text()) {
		for _, name := range c.names() {
			if path.Base(name) == path.Base(word) && c.has(name) {
				found = append(found, name)
			}
		}
	}
	return found
}

// haproxyLoad makes what a line of a crt-store loads.
func (l *Layout) haproxyLoad(words []string, bases *haproxyBases) {
	certificate, key := "", ""
	for i, word := range words[:len(words)-1] {
		switch word {
		case "crt":
			certificate = inFolder(bases.certificates, words[i+1])
		case "key":
			key = inFolder(bases.keys, words[i+1])
		}
	}
	for _, file := range []string{certificate, key} {
		if file != "" {
			l.pair(file)
		}
	}
	if certificate != "" && key != "" {
		l.couple(certificate, key)
	}
}

// haproxyCertificates makes the certificates that a line names, with its keys, and the
// authorities, and a list of certificates that is named and not there.
func (l *Layout) haproxyCertificates(words []string, bases *haproxyBases, ca func(string)) {
	for i, word := range words[:len(words)-1] {
		switch where := words[i+1]; word {
		case "ca-file":
			ca(inFolder(bases.authorities, where))
		case "ca-verify-file", "ca-sign-file", "crl-file": // a list without revocations
			l.pair(inFolder(bases.authorities, where))
		case "tls-ticket-keys":
			l.spare(where, haproxyTickets)
		case "crt":
			l.haproxyPair(where, bases.certificates)
		case "crt-list":
			if l.wanted(path.Clean(where)) {
				made := path.Join(path.Dir(where), "proxychaos.pem")
				l.spare(where, []byte(made+"\n"))
				l.pair(made)
			}
		}
	}
}

// haproxyTickets are keys for session tickets, of which HAProxy wants three at least.
var haproxyTickets = []byte(strings.Repeat(base64.StdEncoding.EncodeToString(ticketKey[:48])+"\n", 3))

// haproxyPair makes a certificate with its key. One in a folder that is named has any name,
// and is made if the folder has none. The key of one that is the user's own is in the same
// file, or beside it.
func (l *Layout) haproxyPair(where, base string) {
	isFolder, found := strings.HasSuffix(where, "/"), false
	where = l.target(inFolder(base, where))
	for _, p := range slices.Clone(l.Files) {
		name, below := strings.CutPrefix(p.Path, where+"/")
		isFolder = isFolder || below
		if below && name[0] != '.' && slices.Contains([]string{".pem", ".crt", ".cer"}, path.Ext(name)) {
			found = true
			l.haproxyOwn(p.Path)
		}
	}
	if isFolder {
		where = path.Join(where, "proxychaos.pem")
	}
	if !found {
		l.pair(where)
		l.haproxyOwn(where)
	}
}

// haproxyOwn makes what a certificate of the user's lacks: the file that a link leads to, or the
// key, and then the certificate too, since they would not fit.
func (l *Layout) haproxyOwn(where string) {
	i := slices.IndexFunc(l.Files, func(p Placed) bool { return p.Path == where && p.Own != "" })
	if i < 0 {
		return
	}
	if p := &l.Files[i]; p.Link != "" {
		l.pair(where)
	} else if !strings.Contains(string(p.Content), "PRIVATE KEY") && !l.places(where+".key") && !l.places(strings.TrimSuffix(where, path.Ext(where))+".key") {
		p.Content, p.Instead = credentials(), "its key is not there"
	}
}

// inFolder is a file that is below a folder unless it is named from the root.
func inFolder(folder, name string) string {
	if path.IsAbs(name) || strings.HasPrefix(name, "@") { // of a crt-store, or @system-ca
		return name
	}
	return path.Join(folder, name)
}
