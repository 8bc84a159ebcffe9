package config

import (
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/proxychaos/proxychaos/harness/kind"
)

// Host names and paths are hints for where to knock: what is wrong among them reaches no
// node, and is not used.
const (
	maxHosts = 100 // an agency's machine has a file for each of its customers
	maxPaths = 20
)

// hostName is what a Host header can have.
var hostName = regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?)*$`)

// Hosts are names that the configuration says it serves, at most 100. A name that
// matches takes the place of a pattern; unsaid says that there are patterns.
func (c Config) Hosts() (found []string, unsaid bool) {
	for _, word := range c.serves().Hosts {
		given := strings.ToLower(word)
		pattern, isPattern := strings.CutPrefix(word, "~")
		switch word = given; {
		case isPattern:
			word = strings.ToLower(sample(pattern)) // \D is not \d
		case strings.HasPrefix(word, "*."):
			word = "www" + word[1:]
		case strings.HasPrefix(word, "."):
			word = word[1:]
		case strings.HasSuffix(word, ".*"), strings.HasSuffix(word, "."):
			word = strings.TrimSuffix(strings.TrimSuffix(word, "*"), ".") + ".example.com"
		}
		if given == "_" || given == "" {
			continue
		}
		unsaid = unsaid || word != given || !hostName.MatchString(word)
		if hostName.MatchString(word) && !slices.Contains(found, word) && len(found) < maxHosts {
			found = append(found, word)
		}
	}
	return found, unsaid
}

// Paths are some that the configuration names, at most 20, such as may lead to an
// upstream. A path that matches takes the place of a pattern.
func (c Config) Paths() []string {
	var found []string
	add := func(path string) {
		if _, err := url.ParseRequestURI(path); err == nil && strings.HasPrefix(path, "/") && !strings.ContainsAny(path, "$ {}\\\"") && !slices.Contains(found, path) && len(found) < maxPaths {
			found = append(found, path)
		}
	}
	s := c.serves()
	for _, path := range s.Paths {
		path, _, _ = strings.Cut(path, "*")
		add(path)
	}
	for _, pattern := range s.Patterns {
		path := sample(pattern)
		if path != "" && path[0] != '/' {
			path = "/" + path
		}
		add(path)
	}
	return found
}

func (c Config) serves() kind.Serves {
	if read := c.hints().Serves; read != nil {
		return read(c.Config)
	}
	return kind.Serves{}
}
