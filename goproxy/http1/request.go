package http1

import (
	"net/http"
	"net/netip"
	"strconv"
	"strings"
)

// Values of Request.Length and Response.Length that are not a number of bytes.
const (
	Chunked    = -1 // the body tells its end itself
	UntilClose = -2 // the body ends with the connection; responses only
)

// Request is the head of a request.
type Request struct {
	Method string
	// Target is the path with its query as the client wrote it, or "*", or
	// for CONNECT host and port. Scheme and host of an absolute URL are taken
	// off: they have to agree with Host.
	Target string
	// Host is the Host field, "" only for HTTP/1.0.
	Host string
	// Minor is 0 for HTTP/1.0, 1 for HTTP/1.1. HTTP/2 counts as 1.
	Minor int
	// Header has the fields that go from end to end.
	Header Header
	// Length of the body in bytes, or Chunked.
	Length int64
	// Close is set when the client does not want the connection kept.
	Close bool
	// Upgrade is the protocol that the client would change to, "" for none.
	Upgrade string
	// Continue is set when the client waits for "100 Continue".
	Continue bool
	// Trailers is set when the client takes trailers ("TE: trailers").
	Trailers bool

	head head
}

// Parse reads a whole head, which ends in an empty line. Header is used again.
// On an error, which is an [*Error], r is not valid.
func (r *Request) Parse(text string) error {
	line, rest, err := nextLine(text)
	if err != nil {
		return err
	}
	method, line, ok := strings.Cut(line, " ")
	if !ok || !isToken(method) {
		return malformed("the request line is not: method, space, target, space, version")
	}
	target, version, ok := strings.Cut(line, " ")
	if !ok || !ValidTarget(target) {
		return malformed("the request line is not: method, space, target, space, version")
	}
	minor, err := parseVersion(version)
	if err != nil {
		return err
	}
	if err := r.head.parse(rest, r.Header); err != nil {
		return err
	}
	h := &r.head
	*r = Request{
		Method: method, Minor: minor, Header: h.header, Host: h.host, Length: max(0, h.length),
		Close: h.close || (minor == 0 && !h.keepAlive), Trailers: h.te, head: r.head,
	}
	if h.chunked {
		r.Length = Chunked
	}
	if minor == 1 {
		r.Upgrade = h.upgradeTo()
	} else if h.chunked {
		return malformed("Transfer-Encoding in HTTP/1.0")
	}
	if err := r.checkHost(h.hosts); err != nil {
		return err
	}
	if err := r.setTarget(target); err != nil {
		return err
	}
	return r.setExpect(h.expect)
}

func parseVersion(s string) (minor int, err error) {
	switch {
	case s == "HTTP/1.1":
		return 1, nil
	case s == "HTTP/1.0":
		return 0, nil
	case len(s) == len("HTTP/x.y") && strings.HasPrefix(s, "HTTP/") && s[5] >= '0' && s[5] <= '9' && s[6] == '.' && s[7] >= '0' && s[7] <= '9':
		return 0, &Error{http.StatusHTTPVersionNotSupported, "an HTTP version other than 1.0 and 1.1"}
	}
	return 0, ErrNotHTTP
}

func (r *Request) checkHost(hosts int) error {
	switch {
	case hosts > 1:
		return malformed("several Host fields")
	case hosts == 0 && r.Minor == 0:
		return nil
	case hosts == 0:
		return malformed("no Host field")
	case !ValidHost(r.Host):
		return malformed("Host is not a name or an address with an optional port")
	}
	return nil
}

// Validate checks a request that came by another protocol, before it is written
// as HTTP/1: its method, target and host, and its header. A Host field has to
// agree with the authority, which is in r.Host, and a Content-Length with the body's
// length, which is in r.Length. Both are taken out of the header, as are fields that are
// not passed on.
func (r *Request) Validate() error {
	switch {
	case !isToken(r.Method):
		return malformed("the method is not a token")
	case !ValidTarget(r.Target):
		return malformed("the target has a character that is not allowed, or is empty")
	case !ValidHost(r.Host):
		return malformed("the authority is not a name or an address with an optional port")
	}
	hosts := 0
	for host := range r.Header.Values("Host") {
		if hosts++; hosts > 1 {
			return malformed("several Host fields")
		}
		if err := r.agree(host); err != nil {
			return err
		}
	}
	r.Header.Del("Host")
	declared := head{length: -1}
	for length := range r.Header.Values("Content-Length") {
		if err := declared.contentLength(length); err != nil {
			return err
		}
	}
	if declared.length >= 0 && declared.length != r.Length {
		return malformed("Content-Length is not the length of the body")
	}
	var err error
	if r.Header, err = fromOther(r.Header); err != nil {
		return err
	}
	return r.setTarget(r.Target)
}

// setTarget checks the four forms of a request target (RFC 9112, 3.2).
func (r *Request) setTarget(target string) error {
	switch {
	case r.Method == http.MethodConnect:
		if !ValidHost(target) {
			return malformed("the target of CONNECT is not host:port")
		}
		r.Target = target
		return r.agree(target)
	case target == "*" && r.Method == http.MethodOptions:
		r.Target = target
		return nil
	case target[0] != '/':
		var err error
		if target, err = r.fromAbsolute(target); err != nil {
			return err
		}
	}
	path, _, _ := strings.Cut(target, "?")
	if !validEscapes(path) {
		return malformed("the path has a % that two hexadecimal digits do not follow")
	}
	if strings.Contains(path, "%00") {
		return malformed("the path has an encoded zero byte, at which some backends end it")
	}
	r.Target = target
	return nil
}

// fromAbsolute takes scheme and host off a target in absolute form.
func (r *Request) fromAbsolute(target string) (string, error) {
	scheme, rest, ok := strings.Cut(target, "://")
	if !ok || (!EqualFold(scheme, "http") && !EqualFold(scheme, "https")) {
		return "", malformed("the request target is no path and no http URL")
	}
	end := strings.IndexAny(rest, "/?")
	if end < 0 {
		end = len(rest)
	}
	host := rest[:end]
	if !ValidHost(host) {
		return "", malformed("the URL's host is not a name or an address with an optional port")
	}
	if err := r.agree(host); err != nil {
		return "", err
	}
	if path := rest[end:]; strings.HasPrefix(path, "/") {
		return path, nil
	}
	return "/" + rest[end:], nil
}

// agree checks that the target names the host that the Host field does.
func (r *Request) agree(host string) error {
	if r.Host == "" && r.Minor == 0 {
		r.Host = host
	}
	if !EqualFold(host, r.Host) {
		return malformed("the target's host is not that of the Host field")
	}
	return nil
}

func (r *Request) setExpect(value string) error {
	switch {
	case value == "" || r.Minor == 0: // to be ignored in HTTP/1.0
		return nil
	case EqualFold(value, "100-continue"):
		r.Continue = r.Length != 0
		return nil
	}
	return &Error{http.StatusExpectationFailed, "an Expect other than 100-continue"}
}

// validEscapes reports whether every % begins an encoded byte.
func validEscapes(path string) bool {
	for i := strings.IndexByte(path, '%'); i >= 0; {
		if i+2 >= len(path) || classes[path[i+1]]&classes[path[i+2]]&hexChar == 0 {
			return false
		}
		next := strings.IndexByte(path[i+3:], '%')
		if next < 0 {
			break
		}
		i += 3 + next
	}
	return true
}

// ValidHost reports whether s is a name, an IPv4 address or an IPv6 address in
// brackets, with a port or without. User names, percent encoding and empty
// ports are not taken.
func ValidHost(s string) bool {
	var port string
	if strings.HasPrefix(s, "[") {
		inner, after, ok := strings.Cut(s[1:], "]")
		if !ok {
			return false
		}
		if addr, err := netip.ParseAddr(inner); err != nil || !addr.Is6() || addr.Zone() != "" {
			return false
		}
		if after == "" {
			return true
		}
		if after[0] != ':' {
			return false
		}
		port = after[1:]
	} else {
		name, after, hasPort := strings.Cut(s, ":")
		if name == "" || !all(name, hostChar) {
			return false
		}
		if !hasPort {
			return true
		}
		port = after
	}
	for i := range len(port) {
		if port[i] < '0' || port[i] > '9' {
			return false
		}
	}
	_, err := strconv.ParseUint(port, 10, 16)
	return err == nil
}
