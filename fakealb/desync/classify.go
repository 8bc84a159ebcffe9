package desync

import "bytes"

// Classify judges the head of an HTTP/1 request: its bytes from the request line
// to the empty line. It allocates nothing.
//
// Lines may end with CRLF or all with a bare LF; a bare LF among CRLFs counts as
// part of the line, and is as bad as a CR in one. A head without the empty line
// is judged as far as it goes.
func Classify(head []byte) Verdict {
	var v Verdict
	line, rest, end := cutLine(head)
	method, uri, version := splitRequestLine(line)

	f := framing{bodyless: string(method) == "GET" || string(method) == "HEAD", version: version}
	for len(rest) > 0 {
		var field []byte
		var fieldEnd lineEnd
		field, rest, fieldEnd = cutLine(rest)
		switch {
		case end == endLF && fieldEnd == endCRLF:
			v.worsen(BadURI) // the first LF was no end of a line for somebody
		case end == endCRLF && fieldEnd == endLF:
			v.worsen(BadHeader)
		}
		if len(field) == 0 {
			break
		}
		v.header(&f, field)
	}
	f.judge(&v)

	if !isToken(method) {
		v.worsen(BadMethod)
	}
	v.uri(uri, version)
	v.version(version)
	if end == endLF {
		// AWS's library calls this class Acceptable under a name that the access
		// log does not have (G: which of the log's reasons it is).
		v.worsen(NonCompliantHeader)
	}
	return v
}

// lineEnd is how a line ends.
type lineEnd uint8

const (
	noEnd lineEnd = iota
	endLF
	endCRLF
)

// cutLine cuts b after its first LF.
func cutLine(b []byte) (line, rest []byte, end lineEnd) {
	i := bytes.IndexByte(b, '\n')
	if i < 0 {
		return b, nil, noEnd
	}
	line, rest = b[:i], b[i+1:]
	if n := len(line); n > 0 && line[n-1] == '\r' {
		return line[:n-1], rest, endCRLF
	}
	return line, rest, endLF
}

// splitRequestLine splits at the first and the last space. A line of two words
// only has no version: that is HTTP/0.9. White space after the version is
// left with it.
func splitRequestLine(line []byte) (method, uri, version []byte) {
	method, uri, _ = bytes.Cut(line, []byte(" "))
	end := len(bytes.TrimRight(uri, " \t"))
	if i := bytes.LastIndexByte(uri[:end], ' '); i >= 0 {
		return method, uri[:i], uri[i+1:]
	}
	return method, uri, nil
}

// uri judges the target of the request.
func (v *Verdict) uri(uri, version []byte) {
	for _, c := range uri {
		switch {
		case c == 0 || c == '\r' || c == '\n':
			v.worsen(BadURI)
		case c == ' ':
			v.worsen(SpaceInURI)
		case isControl(c):
			v.worsen(AmbiguousURI)
		}
	}
	if i := bytes.Index(uri, []byte("HTTP/")); i > 0 {
		// What looks like the version is not the end of the line: where the target
		// ends depends on who reads it.
		switch c := uri[i-1]; {
		case c == ' ':
			v.worsen(BadVersion)
		case c == '\t' && len(version) == 0:
			v.worsen(BadURI)
		}
	}
}

// version judges the version. Without one the request is HTTP/0.9.
func (v *Verdict) version(version []byte) {
	word := bytes.TrimRight(version, " \t")
	switch {
	case string(version) == "HTTP/1.1" || string(version) == "HTTP/1.0":
	case len(word) == 0 || string(word) == "HTTP/0.9" || isHTTP1(word):
		v.worsen(NonCompliantVersion)
	default:
		v.worsen(BadVersion)
	}
}

// isHTTP1 reports whether a version is HTTP/1 with one more digit.
func isHTTP1(version []byte) bool {
	return len(version) == len("HTTP/1.x") && string(version[:7]) == "HTTP/1." && isDigit(version[7])
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isControl(c byte) bool { return c < ' ' || c == 0x7f }

// tokenChars are the characters of a token (RFC 7230, 3.2.6).
var tokenChars = func() (set [256]bool) {
	for _, c := range "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz" {
		set[c] = true
	}
	return set
}()

func isToken(b []byte) bool {
	for _, c := range b {
		if !tokenChars[c] {
			return false
		}
	}
	return len(b) > 0
}
