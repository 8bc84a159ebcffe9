package kind

import (
	"regexp"
	"strings"
)

// Serves is what a configuration says of the requests that it takes, as it stands in its
// text: hints for what to try.
type Serves struct {
	// Hosts are host names. *.example.com and .example.com mean names below, ~ begins
	// a regular expression.
	Hosts []string
	// Paths are beginnings of paths.
	Paths []string
	// Patterns are regular expressions of paths.
	Patterns []string
}

// anyHost is the host that is asked for first, of sites that take any: wayin.DefaultHost.
const anyHost = "www.example.com"

// words are those of a regular expression's first group, in every match, without quotes.
func words(re *regexp.Regexp, text string) []string {
	var found []string
	for _, m := range re.FindAllStringSubmatch(text, -1) {
		for word := range strings.FieldsFuncSeq(m[1], func(r rune) bool { return r == ' ' || r == '\t' || r == ',' || r == '\r' }) {
			found = append(found, strings.Trim(word, `"'`))
		}
	}
	return found
}

// patterns are regular expressions of hosts as Serves has them.
func patterns(expressions []string) []string {
	var found []string
	for _, one := range expressions {
		found = append(found, "~"+one)
	}
	return found
}

// bare are host names without a scheme before them and a port after them.
func bare(hosts []string) []string {
	var found []string
	for _, h := range hosts {
		if _, after, ok := strings.Cut(h, "://"); ok {
			h = after
		}
		h, _, _ = strings.Cut(h, "/")
		if h, _, _ = strings.Cut(h, ":"); h != "" {
			found = append(found, h)
		}
	}
	return found
}
