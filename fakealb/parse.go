package fakealb

import (
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// parse makes the request of a whole head. It returns 0, or the status with which
// a head that is no request is refused. It is stricter than net/http's parser, and
// what both accept they read alike.
func (r *requestReader) parse(head string) (status int) {
	line, rest := cutLine(head)
	method, target, proto, ok := cutRequestLine(line)
	if !ok || !httpguts.ValidHeaderFieldName(method) {
		return http.StatusBadRequest
	}
	major, minor, ok := 1, 1, true
	if proto != "HTTP/1.1" {
		major, minor, ok = http.ParseHTTPVersion(proto)
	}
	if !ok {
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
	hosts := r.req.Header["Host"]
	if len(hosts) > 1 {
		return http.StatusBadRequest
	}
	if r.req.Host = u.Host; u.Host == "" && len(hosts) == 1 {
		r.req.Host = hosts[0]
	}
	delete(r.req.Header, "Host")
	r.req.Close = closes(&r.req)
	return r.frame()
}

// cutRequestLine takes "GET / HTTP/1.1" apart.
func cutRequestLine(line string) (method, target, proto string, ok bool) {
	method, rest, ok := strings.Cut(line, " ")
	if !ok {
		return "", "", "", false
	}
	target, proto, ok = strings.Cut(rest, " ")
	return method, target, proto, ok
}

// cutLine returns the first line without its end, which is CR LF or LF.
func cutLine(s string) (line, rest string) {
	line, rest, _ = strings.Cut(s, "\n")
	return strings.TrimSuffix(line, "\r"), rest
}

// parseTarget reads a request target. The target of CONNECT is host:port.
func (r *requestReader) parseTarget(method, target string) (*url.URL, error) {
	if isPlainPath(target) {
		r.url = url.URL{Path: target}
		return &r.url, nil
	}
	if method != http.MethodConnect || strings.HasPrefix(target, "/") {
		return url.ParseRequestURI(target)
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

// maxKeptFields is how large a map of fields may be that the next request uses
// again: to clear a large one takes long.
const maxKeptFields = 64

// emptyHeader is the map for the fields of the next request, with room for the
// value of each line.
func (r *requestReader) emptyHeader(lines string) http.Header {
	if n := strings.Count(lines, "\n"); n > cap(r.values) {
		r.values = make([]string, 0, n)
	}
	r.values = r.values[:0]
	if r.header == nil || len(r.header) > maxKeptFields {
		r.header = http.Header{}
	}
	clear(r.header)
	return r.header
}

// parseFields reads header fields up to the empty line, and reports whether they
// are well-formed. A field that goes on in the next line is put together with a
// space, as RFC 9112 has it.
func (r *requestReader) parseFields(lines string) bool {
	for {
		line, rest := cutLine(lines)
		if line == "" {
			return true
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok || !httpguts.ValidHeaderFieldName(name) {
			return false
		}
		value = trimSpace(value)
		for rest != "" && (rest[0] == ' ' || rest[0] == '\t') {
			line, rest = cutLine(rest)
			value += " " + trimSpace(line)
		}
		if !httpguts.ValidHeaderFieldValue(value) {
			return false
		}
		r.add(http.CanonicalHeaderKey(name), trimSpace(value))
		lines = rest
	}
}

// add puts a field in the map. Its slice is a piece of one that all fields share.
func (r *requestReader) add(name, value string) {
	if present := r.header[name]; present != nil {
		r.header[name] = append(present, value)
		return
	}
	r.values = append(r.values, value)
	n := len(r.values)
	r.header[name] = r.values[n-1 : n : n]
}

func trimSpace(s string) string { return strings.Trim(s, " \t") }

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

// chunkedOnly is the only transfer coding that is understood.
var chunkedOnly = []string{"chunked"}

// frame finds out where the request's body ends. A transfer coding goes before
// Content-Length, which is then not passed on (RFC 9112, 6.3).
func (r *requestReader) frame() (status int) {
	req := &r.req
	coding, length := req.Header["Transfer-Encoding"], req.Header["Content-Length"]
	if coding == nil && length == nil {
		return 0
	}
	n, ok := contentLength(length)
	if !ok {
		return http.StatusBadRequest
	}
	delete(req.Header, "Transfer-Encoding")
	switch {
	case coding != nil && req.ProtoAtLeast(1, 1):
		if len(coding) != 1 || !strings.EqualFold(coding[0], "chunked") {
			return http.StatusNotImplemented
		}
		delete(req.Header, "Content-Length")
		req.TransferEncoding, req.ContentLength = chunkedOnly, -1
		req.Body = io.NopCloser(newChunkedBody(r.in))
	case n > 0:
		req.ContentLength = n
		req.Body = io.NopCloser(&sizedBody{in: r.in, left: n})
	}
	if len(length) > 1 {
		req.Header["Content-Length"] = length[:1]
	}
	return 0
}

// contentLength reads the fields Content-Length; several must be equal.
func contentLength(values []string) (n int64, ok bool) {
	for i, v := range values {
		parsed, err := strconv.ParseUint(v, 10, 63)
		if err != nil || i > 0 && v != values[0] {
			return 0, false
		}
		n = int64(parsed)
	}
	return n, true
}
