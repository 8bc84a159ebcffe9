package kind

import (
	"encoding/json"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/net/idna"
)

var (
	// A site's addresses begin a line and end in a brace; a file of one site begins with
	// them, and needs none.
	caddyBlocks = regexp.MustCompile(`(?m)^([^\s({}#@][^\n{}]*)\{[ \t\r]*$`)
	caddyFirst  = regexp.MustCompile(`\A\s*([^\s({}#@][^\n{}]*)\n`)
	caddyHosts  = regexp.MustCompile(`(?m)^\s+(?:@\w+\s+)?host\s+([^\n{}]+)`)
	caddyPaths  = regexp.MustCompile(`(?m)^\s*(?:(?:handle|handle_path|route|reverse_proxy)\s+(/\S*)|(?:@\w+\s+)?path\s+([^\n{}]+))`)
	caddyRegexp = regexp.MustCompile(`(?m)^\s*(?:@\w+\s+)?path_regexp\s+(?:\w+\s+)?(\S+)\s*$`)
)

// caddyVariable is one of the environment that Caddy replaces as it reads the file.
var caddyVariable = regexp.MustCompile(`\{\$(\w+)(?::([^{}]*))?\}`)

func caddyServes(c Config) Serves {
	text := c.expanded(caddyVariable)
	var s Serves
	for _, word := range slices.Concat(words(caddyBlocks, text), words(caddyFirst, text), words(caddyHosts, text)) {
		for _, host := range bare([]string{word}) {
			if ascii, err := idna.Lookup.ToASCII(host); err == nil { // Caddy takes müller.example so
				host = ascii
			}
			// The others are Caddy's own words.
			if strings.Contains(host, ".") || host == "localhost" || strings.Contains(word, "://") {
				s.Hosts = append(s.Hosts, host)
			}
		}
	}
	for _, m := range caddyPaths.FindAllStringSubmatch(text, -1) {
		s.Paths = append(s.Paths, strings.Fields(m[1]+" "+m[2])...)
	}
	s.Patterns = words(caddyRegexp, text)
	for _, f := range c.Files {
		var read any
		if path.Ext(f.Name) == ".json" && json.Unmarshal(f.Content, &read) == nil {
			s.caddyMatchers(read)
		}
	}
	return s
}

// caddyMatchers reads Caddy's own JSON: a matcher has lists of hosts and of paths.
func (s *Serves) caddyMatchers(read any) {
	switch v := read.(type) {
	case []any:
		for _, one := range v {
			s.caddyMatchers(one)
		}
	case map[string]any:
		s.Hosts = append(s.Hosts, texts(v["host"])...)
		s.Paths = append(s.Paths, texts(v["path"])...)
		for _, key := range slices.Sorted(maps.Keys(v)) {
			s.caddyMatchers(v[key])
		}
	}
}

// texts are those of a list, as it was read from JSON.
func texts(list any) []string {
	var found []string
	all, _ := list.([]any)
	for _, one := range all {
		if text, is := one.(string); is {
			found = append(found, text)
		}
	}
	return found
}
