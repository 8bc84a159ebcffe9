package goproxy

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
)

// forRegex is the path that regular expressions see, and the same with its
// parameters where those are all that is left out of it. Escapes stay, so that an
// encoded slash is not taken for one, but none is left that says no more than the
// plain character.
func (p pathForms) forRegex() (bare, whole string) {
	bare = withoutParameters(p.raw)
	if plain, err := url.PathUnescape(bare); err != nil || plain != p.clean {
		bare = escapePath(p.clean)
		return bare, bare
	}
	return plainEscapes(bare), plainEscapes(p.raw)
}

// withoutParameters is a path without what stands after a ";" in its segments.
func withoutParameters(path string) string {
	if strings.IndexByte(path, ';') < 0 {
		return path
	}
	var out strings.Builder
	for segment := range strings.SplitAfterSeq(path, "/") {
		name, _, has := strings.Cut(segment, ";")
		out.WriteString(name)
		if has && strings.HasSuffix(segment, "/") {
			out.WriteByte('/')
		}
	}
	return out.String()
}

// plainEscapes decodes the escapes that say no more than the plain character.
func plainEscapes(raw string) string {
	if strings.IndexByte(raw, '%') < 0 {
		return raw
	}
	var out strings.Builder
	for i := 0; i < len(raw); i++ {
		if raw[i] != '%' {
			out.WriteByte(raw[i])
			continue
		}
		code := raw[i : i+3] // the path was read with its escapes checked
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
// What the groups bring must not become dot segments in it: "/u-.." would where
// "^/u-(.*)$" becomes "/x/$1".
func (r *boundRoute) substitute(p pathForms) (string, error) {
	bare, whole := p.forRegex()
	match := r.regex.FindStringSubmatch(whole)
	if match == nil {
		match = r.regex.FindStringSubmatch(bare) // as the router did
	}
	out := groups.ReplaceAllStringFunc(r.RewritePath, func(group string) string {
		return match[group[1]-'0']
	})
	if forms, err := formsOf(out); err != nil || forms.dots {
		return "", errDots
	}
	return out, nil
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
