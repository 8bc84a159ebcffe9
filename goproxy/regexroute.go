package goproxy

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
)

// regexPath is the path that regular expressions see, of a path as the client
// sent it and its clean form. Escapes stay, so that an encoded slash is not
// taken for one, but none is left that says no more than the plain character.
func regexPath(raw, clean string) string {
	if plain, err := url.PathUnescape(raw); err != nil || plain != clean {
		return (&url.URL{Path: clean}).EscapedPath()
	}
	if strings.IndexByte(raw, '%') < 0 {
		return raw
	}
	var out strings.Builder
	for i := 0; i < len(raw); i++ {
		if raw[i] != '%' {
			out.WriteByte(raw[i])
			continue
		}
		code := raw[i : i+3] // PathUnescape took it
		if plain, err := url.PathUnescape(code); err == nil && unreserved(plain[0]) {
			out.WriteByte(plain[0])
		} else {
			out.WriteString(strings.ToUpper(code))
		}
		i += 2
	}
	return out.String()
}

// unreserved characters mean the same with and without encoding (RFC 3986, 2.3).
func unreserved(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-._~", c) >= 0
}

// groups are the places for groups of a match in a rewritten path.
var groups = regexp.MustCompile(`\$[0-9]`)

// substitute is the upstream's path for one that the route's expression matches.
func (r *boundRoute) substitute(path string) string {
	match := r.regex.FindStringSubmatch(path)
	if match == nil || r.RewritePath == "" {
		return path
	}
	return groups.ReplaceAllStringFunc(r.RewritePath, func(group string) string {
		return match[group[1]-'0']
	})
}

func checkRegex(r Route, add func(text, key string)) {
	if r.PathRegex == "" {
		return
	}
	if r.Path != "" {
		add("path and path_regex exclude each other", "path_regex")
	}
	regex, err := regexp.Compile(r.PathRegex)
	if err != nil {
		add(fmt.Sprintf("%v: want a regular expression of RE2, which has no lookaround and no back references inside it", err), "path_regex")
		return
	}
	for _, group := range groups.FindAllString(r.RewritePath, -1) {
		if int(group[1]-'0') > regex.NumSubexp() {
			add(fmt.Sprintf("%s: path_regex has %d groups", group, regex.NumSubexp()), "rewrite_path")
		}
	}
}
