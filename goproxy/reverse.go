package goproxy

import (
	"net/netip"
	"net/url"
	"regexp"
	"strings"

	"github.com/proxychaos/proxychaos/goproxy/http1"
)

// refreshURL splits "5; url=http://..." before the URL. Browsers take any case,
// and quotes around it.
var refreshURL = regexp.MustCompile(`^([^;,]*[;,]\s*(?i:url)\s*=\s*)["']?([^"']*)["']?\s*$`)

// reverse makes a response from the upstream true for the client, as
// ProxyPassReverse and ProxyPassReverseCookiePath do: what points at the
// upstream's own name and path points at the proxy afterwards.
func (r *boundRoute) reverse(header http1.Header, served *endpoint, in *request) {
	for i := range header {
		f := &header[i]
		switch len(f.Name) {
		case len("Location"), len("Content-Location"):
			if http1.EqualFold(f.Name, "location") || http1.EqualFold(f.Name, "content-location") {
				f.Value = r.reverseURL(f.Value, served, in)
			}
		case len("Refresh"):
			if http1.EqualFold(f.Name, "refresh") {
				if m := refreshURL.FindStringSubmatch(f.Value); m != nil {
					f.Value = m[1] + r.reverseURL(m[2], served, in)
				}
			}
		case len("Set-Cookie"):
			if http1.EqualFold(f.Name, "set-cookie") {
				f.Value = r.reverseCookie(f.Value, served, in)
			}
		}
	}
}

// reverseURL translates an absolute URL at the upstream, or an absolute path.
// Everything else is left as it is.
func (r *boundRoute) reverseURL(v string, served *endpoint, in *request) string {
	u, err := url.Parse(v)
	if err != nil || u.Opaque != "" {
		return v
	}
	if u.Host != "" {
		if !served.member.isOwn(u) {
			return v
		}
		u.Scheme, u.Host = in.scheme(), in.publicHost()
		if u.Path == "" {
			u.Path = "/" // it is the same (RFC 3986, 6.2.3)
		}
	} else if u.Scheme != "" || !strings.HasPrefix(u.Path, "/") || !r.reversible() {
		return v
	}
	if r.reversible() {
		escaped := r.reversePath(u.EscapedPath())
		if plain, err := url.PathUnescape(escaped); err == nil {
			u.Path, u.RawPath = plain, escaped
		}
	}
	if u.Scheme != "" && u.Host == "" { // HTTP/1.0 may name none, and what is left is the path
		u.Scheme, u.User = "", nil
		return "/" + strings.TrimLeft(u.String(), "/")
	}
	return u.String()
}

// reversePath translates a path of the upstream into one of the proxy.
func (r *boundRoute) reversePath(escaped string) string {
	if !pathMatches(r.RewritePath, escaped) {
		return escaped
	}
	rest := strings.TrimPrefix(escaped, r.RewritePath)
	if rest == "" && strings.HasSuffix(r.RewritePath, "/") {
		rest = "/"
	}
	// What follows two slashes at the beginning would be a host to the client.
	if r.Path == "" {
		return oneSlash(joinPath("/", rest))
	}
	return oneSlash(joinPath(r.Path, rest))
}

// reverseCookie translates the Path and Domain attributes of a Set-Cookie line.
// A Domain that is the upstream's own name becomes the host that the client
// asked for, or goes where that is an address, which no Domain can be.
func (r *boundRoute) reverseCookie(line string, served *endpoint, in *request) string {
	first, attributes, _ := strings.Cut(line, ";")
	out := first
	for part := range strings.SplitSeq(attributes, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch {
		case strings.EqualFold(name, "path") && r.reversible() && pathMatches(r.RewritePath, value):
			part = " " + name + "=" + r.reversePath(value)
		case strings.EqualFold(name, "domain") && strings.EqualFold(strings.TrimPrefix(value, "."), served.member.url.Hostname()):
			host := hostname(in.publicHost())
			if _, err := netip.ParseAddr(host); err == nil || host == "" {
				continue
			}
			part = " " + name + "=" + host
		}
		if attributes != "" {
			out += ";" + part
		}
	}
	return out
}

// isOwn reports whether u points at the member's own url.
func (m *member) isOwn(u *url.URL) bool {
	port := u.Port()
	if port == "" {
		port = "80"
		if u.Scheme == "https" {
			port = "443"
		}
	}
	return strings.EqualFold(u.Hostname(), m.url.Hostname()) && port == m.url.Port()
}

// reversible reports whether paths of the upstream can be translated back.
func (r *boundRoute) reversible() bool { return r.RewritePath != "" && r.regex == nil }
