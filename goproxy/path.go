package goproxy

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/proxychaos/proxychaos/goproxy/http1"
)

// pathForms are the forms of one request's path.
type pathForms struct {
	raw   string // as the client wrote it
	clean string // what routes see
	dots  bool   // raw may mean another path to others: it had dot segments, or slashes in parameters
}

var (
	errClimbs = &http1.Error{Status: http.StatusBadRequest, Reason: "the path climbs above the root by its dot segments"}
	errDots   = &http1.Error{Status: http.StatusBadRequest, Reason: "the rewritten path has dot segments"}
)

// formsOf is where both the path that routes see and the one that is sent are
// made. Routes see what a backend might make of the path at most: decoded, with
// "\" taken for "/", without parameters (";x=1"), double slashes and dot segments,
// so that no way of writing a path leads around a route. A path that climbs above
// the root is refused.
func formsOf(raw string) (pathForms, error) {
	p := pathForms{raw: raw, clean: decoded(raw)}
	if !strings.HasPrefix(p.clean, "/") || (!strings.Contains(p.clean, "/.") && !strings.Contains(p.clean, "//") && !strings.ContainsAny(p.clean, `;\`)) {
		return p, nil
	}
	text := p.clean
	var err error
	if p.clean, p.dots, err = normal(text); err != nil {
		return p, err
	}
	if !p.dots && strings.IndexByte(text, ';') >= 0 {
		p.dots = p.clean != otherwise(decoded(withoutParameters(raw))) || p.clean != otherwise(withoutParameters(text))
	}
	return p, nil
}

func decoded(raw string) string {
	if strings.IndexByte(raw, '%') >= 0 {
		if plain, err := url.PathUnescape(raw); err == nil {
			return plain
		}
	}
	return raw
}

// normal is a decoded path as routes see it, and whether dot segments are resolved in it.
func normal(path string) (clean string, dots bool, err error) {
	var kept []string
	last := ""
	for segment := range strings.SplitSeq(strings.ReplaceAll(path, `\`, "/"), "/") {
		last, _, _ = strings.Cut(segment, ";")
		switch last {
		case "":
		case ".":
			dots, last = true, ""
		case "..":
			if len(kept) == 0 {
				return "", true, errClimbs
			}
			kept = kept[:len(kept)-1]
			dots, last = true, ""
		default:
			kept = append(kept, last)
		}
	}
	clean = "/" + strings.Join(kept, "/")
	if last == "" && len(kept) > 0 {
		clean += "/"
	}
	return clean, dots, nil
}

// otherwise is another reading of the same path, for the comparison with normal: of those
// who take parameters off before they decode, or take no "\" for a slash. A slash that is
// written in such a way within a parameter is the end of it to some, and not to others.
func otherwise(path string) string {
	clean, _, err := normal(path)
	if err != nil {
		return "" // it climbs, to them
	}
	return clean
}

// oneSlash is a path for an upstream without further slashes at its beginning. A path
// cannot begin with two (RFC 3986, 3.3): programs that read it as a reference take what
// follows them for a host, and "//x/admin" for "/admin".
func oneSlash(path string) string {
	if len(path) < 2 || path[0] != '/' || (path[1] != '/' && path[1] != '\\') {
		return path
	}
	return "/" + strings.TrimLeft(path, `/\`)
}

// sent is the path for the upstream of route. What the client wrote is kept but
// for the part that a rewrite replaces. A path with dot segments is sent without
// them: the upstream sees the path that the route was chosen by.
func (p pathForms) sent(route *boundRoute) (string, error) {
	switch {
	case p.raw == "*":
		return p.raw, nil
	case route.RewritePath == "" && p.dots:
		return escapePath(p.clean), nil
	case route.RewritePath == "":
		return p.raw, nil
	case route.regex != nil:
		return route.substitute(p)
	case !p.dots && pathMatches(route.Path, p.raw):
		return joinPath(route.RewritePath, strings.TrimPrefix(p.raw, route.Path)), nil
	}
	// It matched only after decoding or cleaning, as in /%61pp or /x/../app.
	return joinPath(route.RewritePath, escapePath(strings.TrimPrefix(p.clean, route.Path))), nil
}

func escapePath(path string) string { return (&url.URL{Path: path}).EscapedPath() }

// joinPath puts exactly one slash between prefix and rest.
func joinPath(prefix, rest string) string {
	if rest == "" {
		return prefix
	}
	return strings.TrimSuffix(prefix, "/") + "/" + strings.TrimPrefix(rest, "/")
}
