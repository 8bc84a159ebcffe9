package read

import (
	"net/http"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// maxKeptFields is how large a map of fields may be that the next request uses
// again: to clear a large one takes long.
const maxKeptFields = 64

// emptyHeader is the map for the fields of the next request, with room for the
// value of each line.
func (r *Reader) emptyHeader(lines string) http.Header {
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

// parseFields reads header fields up to the empty line. It returns false where a
// field that says how long the body is has a control character, or goes on in the
// next line: what others make of that is another length.
//
// An ALB does not support fields of several lines: it makes a line without a colon
// into a field of its own, with a colon behind it (2.5.7 D).
func (r *Reader) parseFields(lines string) bool {
	r.Names = NameKinds{}
	lengthAbove := false
	for {
		line, rest := cutLine(lines)
		if line == "" {
			return true
		}
		if lengthAbove && (line[0] == ' ' || line[0] == '\t') {
			return false
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok {
			name = trimSpace(name)
		}
		lengthAbove = false
		if r.Names.Note(name) {
			name = http.CanonicalHeaderKey(name)
			value = trimSpace(value)
			plain := httpguts.ValidHeaderFieldValue(value)
			if lengthAbove = name == "Content-Length" || name == "Transfer-Encoding"; lengthAbove && !plain {
				return false
			}
			if !plain {
				value = spaced(value)
			}
			r.add(name, value)
		}
		lines = rest
	}
}

// NameKinds is what kinds of field names a head has that are not [-A-Za-z0-9]+
// (2.5.4 D).
type NameKinds struct {
	Odd    bool // at least one that is a token
	Broken bool // at least one that is not, and so cannot be sent on
}

// Note notes a name and reports whether it can be sent on.
func (k *NameKinds) Note(name string) bool {
	switch {
	case IsPlainName(name):
		return true
	case httpguts.ValidHeaderFieldName(name):
		k.Odd = true
		return true
	}
	k.Broken = true
	return false
}

// spaced has spaces for control characters, as RFC 9110, 5.5, allows.
func spaced(value string) string {
	b := []byte(value)
	for i, c := range b {
		if c < ' ' && c != '\t' || c == 0x7f {
			b[i] = ' '
		}
	}
	return trimSpace(string(b))
}

// add puts a field in the map. Its slice is a piece of one that all fields share.
func (r *Reader) add(name, value string) {
	if present := r.header[name]; present != nil {
		r.header[name] = append(present, value)
		return
	}
	r.values = append(r.values, value)
	n := len(r.values)
	r.header[name] = r.values[n-1 : n : n]
}

func trimSpace(s string) string { return strings.Trim(s, " \t") }

// IsPlainName reports whether a field name is [-A-Za-z0-9]+ (2.5.4 D).
func IsPlainName(name string) bool {
	for _, c := range []byte(name) {
		if c != '-' && (c < '0' || '9' < c) && (c < 'a' || 'z' < c) && (c < 'A' || 'Z' < c) {
			return false
		}
	}
	return name != ""
}
