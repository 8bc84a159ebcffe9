package goproxy

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

// refreshURL splits "5; url=http://..." before the URL. Browsers take any case,
// and quotes around it.
var refreshURL = regexp.MustCompile(`^([^;,]*[;,]\s*(?i:url)\s*=\s*)["']?([^"']*)["']?\s*$`)

// rewritePath replaces the route's path at the start of a request's path.
func (r *boundRoute) rewritePath(u *url.URL, clean string) {
	if r.RewritePath == "" {
		return
	}
	escaped := u.EscapedPath()
	if !pathMatches(r.Path, escaped) {
		// Matched only after decoding or cleaning, as in /%61pp or /x/../app.
		escaped = (&url.URL{Path: clean}).EscapedPath()
	}
	escaped = joinPath(r.RewritePath, strings.TrimPrefix(escaped, r.Path))
	if plain, err := url.PathUnescape(escaped); err == nil {
		u.Path, u.RawPath = plain, escaped
	}
}

// joinPath puts exactly one slash between prefix and rest.
func joinPath(prefix, rest string) string {
	if rest == "" {
		return prefix
	}
	return strings.TrimSuffix(prefix, "/") + "/" + strings.TrimPrefix(rest, "/")
}

// reverse makes a response from the upstream true for the client, as
// ProxyPassReverse and ProxyPassReverseCookiePath do: what points at the
// upstream's own name and path points at the proxy afterwards.
func (r *boundRoute) reverse(resp *http.Response, served *endpoint, in *http.Request) {
	h := resp.Header
	for _, name := range []string{"Location", "Content-Location"} {
		if v := h.Get(name); v != "" {
			h.Set(name, r.reverseURL(v, served, in))
		}
	}
	if m := refreshURL.FindStringSubmatch(h.Get("Refresh")); m != nil {
		h.Set("Refresh", m[1]+r.reverseURL(m[2], served, in))
	}
	if r.RewritePath != "" {
		for i, c := range h["Set-Cookie"] {
			h["Set-Cookie"][i] = r.reverseCookie(c)
		}
	}
}

// reverseURL translates an absolute URL at the upstream, or an absolute path.
// Everything else is left as it is.
func (r *boundRoute) reverseURL(v string, served *endpoint, in *http.Request) string {
	u, err := url.Parse(v)
	if err != nil || u.Opaque != "" {
		return v
	}
	if u.Host != "" {
		if !served.member.isOwn(u) {
			return v
		}
		if u.Scheme = "http"; in.TLS != nil {
			u.Scheme = "https"
		}
		u.Host = in.Host
	} else if u.Scheme != "" || !strings.HasPrefix(u.Path, "/") || r.RewritePath == "" {
		return v
	}
	if r.RewritePath != "" {
		escaped := r.reversePath(u.EscapedPath())
		if plain, err := url.PathUnescape(escaped); err == nil {
			u.Path, u.RawPath = plain, escaped
		}
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
	if r.Path == "" {
		return joinPath("/", rest)
	}
	return joinPath(r.Path, rest)
}

// reverseCookie translates the Path attribute of a Set-Cookie line.
func (r *boundRoute) reverseCookie(line string) string {
	parts := strings.Split(line, ";")
	for i, part := range parts[1:] {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		if strings.EqualFold(name, "path") && pathMatches(r.RewritePath, value) {
			parts[i+1] = " " + name + "=" + r.reversePath(value)
		}
	}
	return strings.Join(parts, ";")
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

// apply removes headers, then sets some.
func (c HeaderChange) apply(h http.Header) {
	for _, name := range c.Remove {
		h.Del(name)
	}
	for name, value := range c.Set {
		h.Set(name, value)
	}
}
