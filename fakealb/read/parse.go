package read

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// parse makes the request of a whole head. It returns 0, or the status with which
// a head that is no request is refused.
//
// It reads what can be read in one way only, as an ALB lets requests pass that are
// not compliant (2.6 D). What such a request has and cannot be sent on by Go's
// client is left out (a field whose name is no token), becomes a space (a control
// character in a value) or is percent-encoded (a space or control character in
// the target). So what goes to a target is well-formed whatever the client sent.
func (r *Reader) parse(head string) (status int) {
	line, rest := cutLine(head)
	method, target, proto := cutRequestLine(line)
	major, minor, ok := 1, 1, true
	switch proto {
	case "HTTP/1.1":
	case "": // no version: HTTP/0.9, which knows GET only and no fields
		major, minor, ok = 0, 9, method == http.MethodGet
		proto, rest = "HTTP/0.9", ""
	default:
		major, minor, ok = http.ParseHTTPVersion(proto)
	}
	if !ok || !httpguts.ValidHeaderFieldName(method) {
		return http.StatusBadRequest
	}
	u, err := r.parseTarget(method, target)
	if err != nil {
		return http.StatusBadRequest
	}
	r.req = http.Request{
		Method: method, RequestURI: target, URL: u, Header: r.emptyHeader(rest),
		Proto: proto, ProtoMajor: major, ProtoMinor: minor, Body: http.NoBody,
	}
	if !r.parseFields(rest) {
		return http.StatusBadRequest
	}
	r.Hosts = r.req.Header["Host"]
	delete(r.req.Header, "Host")
	if r.req.Host = u.Host; u.Host == "" && len(r.Hosts) > 0 {
		r.req.Host = r.Hosts[0] // of several the first counts (2.5.5 D)
	}
	r.req.Close = closes(&r.req)
	return r.frame()
}

// cutRequestLine takes "GET / HTTP/1.1" apart, at the first space and at the last
// that has the version behind it.
func cutRequestLine(line string) (method, target, proto string) {
	method, rest, _ := strings.Cut(line, " ")
	rest = strings.TrimRight(rest, " \t")
	if i := strings.LastIndexByte(rest, ' '); i >= 0 {
		return method, rest[:i], rest[i+1:]
	}
	return method, rest, ""
}

// EncodeTarget percent-encodes spaces and control characters.
func EncodeTarget(target string) string {
	odd := func(c rune) bool { return c <= ' ' || c == 0x7f }
	if !strings.ContainsFunc(target, odd) {
		return target
	}
	var b strings.Builder
	for _, c := range []byte(target) {
		if odd(rune(c)) {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// cutLine returns the first line without its end, which is CR LF or LF.
func cutLine(s string) (line, rest string) {
	line, rest, _ = strings.Cut(s, "\n")
	return strings.TrimSuffix(line, "\r"), rest
}

// errTarget is a request target in none of the forms of RFC 9112, 3.2.
var errTarget = errors.New("got a target that is no path, no http URL, and not * with OPTIONS")

// parseTarget reads a request target. The target of CONNECT is host:port.
func (r *Reader) parseTarget(method, target string) (*url.URL, error) {
	if isPlainPath(target) {
		r.url = url.URL{Path: target}
		return &r.url, nil
	}
	target = EncodeTarget(target)
	switch {
	case strings.HasPrefix(target, "/"), target == "*" && method == http.MethodOptions:
		return url.ParseRequestURI(target)
	case method != http.MethodConnect:
		u, err := url.ParseRequestURI(target)
		if err == nil && (u.Scheme != "http" && u.Scheme != "https" || u.Host == "") {
			err = errTarget
		}
		return u, err
	}
	u, err := url.ParseRequestURI("http://" + target)
	if err == nil {
		u.Scheme = ""
	}
	return u, err
}

// isPlainPath reports whether target is a path in which nothing is to be decoded.
func isPlainPath(target string) bool {
	if target == "" || target[0] != '/' || strings.HasPrefix(target, "//") {
		return false
	}
	for i := range len(target) {
		c := target[i]
		if (c < 'a' || 'z' < c) && (c < 'A' || 'Z' < c) && (c < '/' || '9' < c) && c != '-' && c != '.' && c != '_' {
			return false
		}
	}
	return true
}

// closes reports whether the client wants the connection to end after req.
func closes(req *http.Request) bool {
	tokens := req.Header["Connection"]
	switch {
	case req.ProtoMajor < 1:
		return true
	case len(tokens) == 0:
		return !req.ProtoAtLeast(1, 1)
	case httpguts.HeaderValuesContainsToken(tokens, "close"):
		return true
	}
	return !req.ProtoAtLeast(1, 1) && !httpguts.HeaderValuesContainsToken(tokens, "keep-alive")
}
