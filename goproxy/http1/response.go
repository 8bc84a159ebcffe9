package http1

import (
	"net/http"
	"strings"
)

// Response is the head of a response.
type Response struct {
	Status int // 100 to 599
	Reason string
	Minor  int // 0 for HTTP/1.0, 1 for HTTP/1.1
	// Header has the fields that go from end to end.
	Header Header
	// Length of the body in bytes, Chunked or UntilClose. It is 0 where there
	// is none, whatever the head says of its size.
	Length int64
	// Declared is the Content-Length field, -1 without one. It differs from
	// Length in an answer to HEAD and in a 304.
	Declared int64
	// Close is set when the connection cannot be used again.
	Close bool
	// Upgrade is the protocol of a 101.
	Upgrade string

	head head
}

// Parse reads a whole head, which ends in an empty line, as the answer to a
// request with that method. Header is used again. On an error, which is an
// [*Error], r is not valid.
func (r *Response) Parse(text, method string) error {
	line, rest, err := nextLine(text)
	if err != nil {
		return err
	}
	version, line, _ := strings.Cut(line, " ")
	minor, err := parseVersion(version)
	if err != nil {
		return err
	}
	code, reason, _ := strings.Cut(line, " ")
	status, ok := parseStatus(code)
	if !ok || !all(reason, valueChar) {
		return malformed("the status line is not: version, space, status 100 to 599, space, reason")
	}
	if err := r.head.parse(rest, r.Header); err != nil {
		return err
	}
	h := &r.head
	*r = Response{
		Status: status, Reason: reason, Minor: minor, Header: h.header, Declared: h.length,
		Close: h.close || (minor == 0 && !h.keepAlive), head: r.head,
	}
	if h.chunked && minor == 0 {
		return malformed("Transfer-Encoding in HTTP/1.0")
	}
	return r.frame(method)
}

// Validate checks a response that came by another protocol, before it is written
// as HTTP/1 in answer to a request with that method. Status, Header and Declared,
// the length as far as it was said, have to be set; Length is set by it.
func (r *Response) Validate(method string) error {
	if r.Status < 100 || r.Status > 599 || r.Status == http.StatusSwitchingProtocols {
		return malformed("the status is not one of 100 to 599, or is 101")
	}
	var err error
	if r.Header, err = fromOther(r.Header); err != nil {
		return err
	}
	bodiless := r.Status < 200 || r.Status == http.StatusNoContent
	r.head = head{length: r.Declared, chunked: r.Declared < 0 && !bodiless}
	return r.frame(method)
}

// frame finds where the body ends (RFC 9112, 6.3).
func (r *Response) frame(method string) error {
	h := &r.head
	switch {
	case r.Status == http.StatusSwitchingProtocols:
		r.Upgrade = h.upgrade
		if !h.upgrading || h.upgrade == "" {
			return malformed("a 101 without Upgrade")
		}
		return nil
	case r.Status < 200 || r.Status == http.StatusNoContent:
		if h.chunked || h.length > 0 {
			return malformed("a status that has no body, with a body")
		}
		r.Declared = -1
	case method == http.MethodHead || r.Status == http.StatusNotModified:
	case h.chunked:
		r.Length = Chunked
	case h.length >= 0:
		r.Length = h.length
	default:
		r.Length = UntilClose
		r.Close = true
	}
	return nil
}

func parseStatus(s string) (int, bool) {
	if len(s) != 3 {
		return 0, false
	}
	n := 0
	for i := range 3 {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = n*10 + int(s[i]-'0')
	}
	return n, n >= 100 && n < 600
}
