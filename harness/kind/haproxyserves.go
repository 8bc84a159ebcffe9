package kind

import (
	"net/netip"
	"path"
	"regexp"
	"strings"
)

var (
	// In an ACL or a condition, after flags such as -i: names, which have a dot. A host may
	// have been put into a variable before.
	haproxyHosts = regexp.MustCompile(`(?:hdr(?:_\w+)?\(host\)|var\([^)]*host\)|ssl_fc_sni|req[._]ssl_sni)\S*([^\n{}]*)`)
	haproxyHost  = regexp.MustCompile(`^[\w*-]*(?:\.[\w-]*)+$`)
	haproxyPaths = regexp.MustCompile(`\b(?:path|path_beg|path_dir|url_beg)\b([^\n{}]*)`)
	// A regular expression that does not begin with the path's first character is of no use.
	haproxyPatterns = regexp.MustCompile(`\b(?:path_reg|path\s+-m\s+reg)\b([^\n{}]*)`)
	// Files of which each line has something to compare with: of a map, or of an ACL.
	haproxyKeys = regexp.MustCompile(`(?:\bmap(?:_\w+)?\(|\s-f\s+)([^\s,()]+)`)
	haproxyList = regexp.MustCompile(`\bcrt-list\s+(\S+)`)
)

func haproxyServes(c Config) Serves {
	text := c.expanded(haproxyVariable)
	var s Serves
	for _, word := range words(haproxyHosts, text) {
		s.haproxyKey(word)
	}
	for _, word := range words(haproxyPaths, text) {
		if strings.HasPrefix(word, "/") {
			s.Paths = append(s.Paths, word)
		}
	}
	for _, word := range words(haproxyPatterns, text) {
		if strings.HasPrefix(word, "^") {
			s.Patterns = append(s.Patterns, word)
		}
	}
	for _, word := range words(haproxyKeys, text) {
		for _, f := range c.Files {
			if path.Base(f.Name) == path.Base(word) {
				s.keysOf(string(f.Content))
			}
		}
	}
	return s
}

// keysOf reads what is compared with hosts or paths: the first word of each line.
func (s *Serves) keysOf(text string) {
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		switch {
		case len(words) == 0 || words[0][0] == '#':
		case words[0][0] == '/':
			s.Paths = append(s.Paths, words[0])
		default:
			s.haproxyKey(words[0])
		}
	}
}

// haproxyVariable is one of the environment; what follows a - stands for it if it is not set.
var haproxyVariable = regexp.MustCompile(`\$\{(\w+)(?:-([^{}]*))?\}|\$(\w+)`)

// haproxyKey takes what can be a host, and is no address; a pattern of whole hosts begins
// with ^, and the end of hosts, which is none itself, with a dot.
func (s *Serves) haproxyKey(word string) {
	if strings.HasPrefix(word, ".") {
		word = "*" + word
	}
	if word != "" && word[0] == '^' {
		s.Hosts = append(s.Hosts, "~"+word)
		return
	}
	if _, err := netip.ParseAddr(word); err != nil && haproxyHost.MatchString(word) {
		s.Hosts = append(s.Hosts, word)
	}
}
