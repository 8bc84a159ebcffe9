package wayin

import (
	"fmt"
	"maps"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/proxychaos/proxychaos/harness/load"
)

// Paths reads the paths of requests, separated by commas; a comma in one of them is
// written %2C. The error says what is wrong.
func Paths(text string) ([]string, error) {
	var paths []string
	for path := range strings.SplitSeq(text, ",") {
		path = strings.TrimSpace(path)
		if _, err := url.ParseRequestURI(path); err != nil || !strings.HasPrefix(path, "/") {
			return nil, fmt.Errorf("got %q, want the path of a URL, which begins with /, or several, separated by commas", path)
		}
		paths = append(paths, path)
	}
	return paths, nil
}

// JoinPaths is the text of which Paths makes these paths.
func JoinPaths(paths []string) string {
	var each []string
	for _, path := range paths {
		each = append(each, strings.ReplaceAll(path, ",", "%2C"))
	}
	return strings.Join(each, ",")
}

// headerName begins a header: its name, a colon, and not the rest of a URL.
var headerName = regexp.MustCompile(`^\s*([A-Za-z][A-Za-z0-9-]*):(?:[^/]|$)`)

// Headers reads headers, "Name: value", separated by commas. A comma followed by something
// else than a name and a colon is part of the value: "Accept: text/html, text/plain". The
// error says what is wrong.
func Headers(text string) (map[string]string, error) {
	var each []string
	for part := range strings.SplitSeq(text, ",") {
		_, err := netip.ParseAddr(strings.TrimSpace(part))
		if len(each) > 0 && (!headerName.MatchString(part) || err == nil) {
			each[len(each)-1] += "," + part
			continue
		}
		each = append(each, part)
	}
	headers := map[string]string{}
	for _, one := range each {
		name, value, found := strings.Cut(one, ":")
		name, value = http.CanonicalHeaderKey(strings.TrimSpace(name)), strings.TrimSpace(value)
		if !found || value == "" {
			return nil, fmt.Errorf("got %q, want a header such as X-Forwarded-Proto: https, or several, separated by commas", one)
		}
		if err := load.CheckHeader(name, value); err != nil {
			return nil, err
		}
		headers[name] = value
	}
	return headers, nil
}

// JoinHeaders is the text of which Headers makes these headers.
func JoinHeaders(headers map[string]string) string {
	var each []string
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		each = append(each, name+": "+headers[name])
	}
	return strings.Join(each, ", ")
}
