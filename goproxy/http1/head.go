package http1

import (
	"net/http"
	"strings"
)

// head is what the heads of requests and responses have in common.
type head struct {
	header Header

	host             string
	hosts            int
	length           int64 // of Content-Length, -1 without one
	chunked          bool
	te               bool // TE lists "trailers"
	expect           string
	upgrade          string
	close, keepAlive bool
	upgrading        bool // Connection lists "upgrade"
	nominated        []string
}

var tooManyFields = &Error{http.StatusRequestHeaderFieldsTooLarge, "more than 256 header fields"}

// framing are the names of the fields that say where a body ends, without what
// is no letter.
var framing = [...]string{"contentlength", "transferencoding"}

// checkLookalike refuses a name that is none of those but that other readers
// take for one: gateways that turn "-" into "_" see no difference, and there are
// servers that drop whatever is no letter (AWS's http-desync-guardian, cases
// "Transfer-Encoding with multiple hyphens" and "with multiple delimiters").
func checkLookalike(name string) error {
	for _, word := range framing {
		if hasLettersOf(name, word) {
			return malformed("a header name that other readers take for Content-Length or Transfer-Encoding")
		}
	}
	return nil
}

// hasLettersOf reports whether the letters and digits of name are those of word.
func hasLettersOf(name, word string) bool {
	at := 0
	for i := range len(name) {
		c := name[i] | 0x20 // lower case; no other character of a token becomes a letter or digit
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			continue
		}
		if at == len(word) || c != word[at] {
			return false
		}
		at++
	}
	return at == len(word)
}

// nextLine cuts one line off text, which ends in CRLF.
func nextLine(text string) (line, rest string, err error) {
	i := strings.IndexByte(text, '\n')
	if i < 1 || text[i-1] != '\r' {
		return "", "", malformed("a line does not end in CR LF")
	}
	return text[:i-1], text[i+1:], nil
}

// parseField splits a field line.
func parseField(line string) (Field, error) {
	colon := strings.IndexByte(line, ':')
	if colon < 0 {
		return Field{}, malformed("a header line has no colon")
	}
	f := Field{line[:colon], trim(line[colon+1:])}
	switch {
	case ValidField(f.Name, f.Value):
		return f, nil
	case !isToken(f.Name):
		if f.Name != "" && (line[0] == ' ' || line[0] == '\t') {
			return f, malformed("a header line is folded")
		}
		return f, malformed("a header name has a character that is not allowed, or is empty")
	}
	return f, malformed("a header value has a control character")
}

// parse reads the field lines up to the empty line that must end text.
func (h *head) parse(text string, into Header) error {
	*h = head{header: into[:0], length: -1, nominated: h.nominated[:0]}
	for {
		line, rest, err := nextLine(text)
		if err != nil {
			return err
		}
		if line == "" {
			if rest != "" {
				return malformed("bytes after the head")
			}
			break
		}
		text = rest
		f, err := parseField(line)
		if err != nil {
			return err
		}
		if err := h.take(f); err != nil {
			return err
		}
		if len(h.header) > maxFields {
			return tooManyFields
		}
	}
	if h.chunked && h.length >= 0 {
		return malformed("both Content-Length and Transfer-Encoding")
	}
	for _, name := range h.nominated {
		h.header.Del(name)
	}
	return nil
}

// take puts a field where it belongs.
func (h *head) take(f Field) error {
	switch len(f.Name) {
	case len("TE"):
		if EqualFold(f.Name, "te") {
			for token := range Tokens(f.Value) {
				h.te = h.te || EqualFold(token, "trailers")
			}
			return nil
		}
	case len("Host"):
		if EqualFold(f.Name, "host") {
			h.host = f.Value
			h.hosts++
			return nil
		}
	case len("Expect"):
		if EqualFold(f.Name, "expect") {
			h.expect = f.Value
			return nil
		}
	case len("Upgrade"):
		if EqualFold(f.Name, "upgrade") {
			if h.upgrade != "" {
				return malformed("several Upgrade fields")
			}
			h.upgrade = f.Value
			return nil
		}
	case len("Connection"):
		if EqualFold(f.Name, "connection") {
			return h.options(f.Value)
		}
		if EqualFold(f.Name, "keep-alive") {
			return nil
		}
	case len("Content-Length"):
		if EqualFold(f.Name, "content-length") {
			return h.contentLength(f.Value)
		}
	case len("Proxy-Connection"):
		if EqualFold(f.Name, "proxy-connection") {
			return nil
		}
	case len("Transfer-Encoding"):
		if EqualFold(f.Name, "transfer-encoding") {
			return h.transferEncoding(f.Value)
		}
	case len("Proxy-Authenticate"):
		if EqualFold(f.Name, "proxy-authenticate") {
			return nil
		}
	case len("Proxy-Authorization"):
		if EqualFold(f.Name, "proxy-authorization") {
			return nil
		}
	}
	if err := checkLookalike(f.Name); err != nil {
		return err
	}
	h.header = append(h.header, f)
	return nil
}

// forAll reports whether a field is meant for all who get the message, so that no
// Connection can name it (RFC 9110, 7.6.1). A proxy in front may pass on the options that
// its client sent, HAProxy does: they would take away what it says of that client.
func forAll(name string) bool {
	return Forwarded(name) || EqualFold(name, "forwarded") || EqualFold(name, "x-real-ip") || EqualFold(name, "via")
}

// options reads Connection. What it names goes no further.
func (h *head) options(value string) error {
	for option := range Tokens(value) {
		switch {
		case EqualFold(option, "close"):
			h.close = true
		case EqualFold(option, "keep-alive"):
			h.keepAlive = true
		case EqualFold(option, "upgrade"):
			h.upgrading = true
		case !isToken(option):
			return malformed("a Connection option is not a token")
		case forAll(option):
		case len(h.nominated) == maxFields:
			return &Error{http.StatusRequestHeaderFieldsTooLarge, "more than 256 Connection options"}
		default:
			h.nominated = append(h.nominated, option)
		}
	}
	return nil
}

func (h *head) contentLength(value string) error {
	if h.length >= 0 {
		return malformed("several Content-Length fields")
	}
	if value == "" || len(value) > 18 { // what 18 digits hold cannot overflow
		return malformed("Content-Length is not a number of 1 to 18 digits")
	}
	var n int64
	for i := range len(value) {
		if value[i] < '0' || value[i] > '9' {
			return malformed("Content-Length is not a number of 1 to 18 digits")
		}
		n = n*10 + int64(value[i]-'0')
	}
	h.length = n
	return nil
}

func (h *head) transferEncoding(value string) error {
	if h.chunked {
		return malformed("several Transfer-Encoding fields")
	}
	if !EqualFold(value, "chunked") {
		return &Error{http.StatusNotImplemented, "a Transfer-Encoding other than chunked"}
	}
	h.chunked = true
	return nil
}

// upgradeTo is the protocol to change to, "" for none. HTTP/2 is not one: its
// upgrade would let a client speak past the proxy.
func (h *head) upgradeTo() string {
	if !h.upgrading || h.upgrade == "" || h.length > 0 || h.chunked {
		return ""
	}
	for protocol := range Tokens(h.upgrade) {
		name, _, _ := strings.Cut(protocol, "/")
		if !isToken(name) || EqualFold(name, "h2c") || EqualFold(name, "HTTP") {
			return ""
		}
	}
	return h.upgrade
}
