package fakealb

import (
	"bytes"
	"fmt"
	"strings"

	"golang.org/x/net/http2"

	"github.com/proxychaos/proxychaos/fakealb/read"
)

// spokenHTTP2 is HTTP/2 with prior knowledge (RFC 9113, 3.3).
const spokenHTTP2 = "HTTP/2 without TLS"

// beginnings are how clients begin that speak neither TLS nor HTTP/1. What another one
// begins with comes after it.
var beginnings = []struct{ first, name string }{
	{http2.ClientPreface[:len("PRI * HTTP/2.0\r\n")], spokenHTTP2},
	{"\x01\x01", "FastCGI"}, // version 1, begin of a request
	{"\x124", "AJP"},
	{"PROXY ", "the PROXY protocol"}, // version 1
	{"\r\n\r\n\x00\r\nQUIT\n", "the PROXY protocol"},
	{"\x80", "memcached"}, // its binary protocol: magic byte of a request
	{"*", "Redis"},        // a command is an array
	{"AMQP", "AMQP"},
	{"SSH-", "SSH"},
	{"\x10", "MQTT"},           // CONNECT
	{"\x00\x00", "PostgreSQL"}, // the length of a start-up message, below 65536
	{"\x00", "uwsgi"},          // modifier of a WSGI request; the length that follows is not 0
}

// spoken names what is spoken on a plain connection that begins with b, or nothing if
// that is HTTP/1. It is not sure while more bytes could decide otherwise.
func spoken(b []byte) (name string, sure bool) {
	for _, known := range beginnings {
		if bytes.HasPrefix(b, []byte(known.first)) {
			return known.name, true
		}
		if strings.HasPrefix(known.first, string(b)) {
			return "", false
		}
	}
	switch first := b[0]; {
	case first == 'g':
		return memcachedText(b)
	case '0' <= first && first <= '9':
		return simpleCGI(b)
	case first < ' ' && first != '\r' && first != '\n', first > '~':
		return fmt.Sprintf("an unknown protocol, which begins with 0x%02x", first), true
	}
	return "", true
}

// memcachedText tells "get key" from a request of HTTP/1 with a small letter.
func memcachedText(b []byte) (name string, sure bool) {
	for _, command := range []string{"get ", "gets "} {
		if strings.HasPrefix(command, string(b)) {
			return "", false
		}
		if !bytes.HasPrefix(b, []byte(command)) {
			continue
		}
		line, _, whole := bytes.Cut(b, []byte("\n"))
		switch {
		case bytes.Contains(line, []byte(" HTTP/")), len(line) >= read.MaxRequestLine:
			return "", true
		case whole:
			return "memcached", true
		}
		return "", false
	}
	return "", true
}

// simpleCGI tells SCGI, which begins with a length and a field.
func simpleCGI(b []byte) (name string, sure bool) {
	const field = ":CONTENT_LENGTH\x00"
	rest := strings.TrimLeft(string(b), "0123456789")
	switch {
	case len(b)-len(rest) > len("65536"):
		return "", true
	case strings.HasPrefix(rest, field):
		return "SCGI", true
	}
	return "", !strings.HasPrefix(field, rest)
}

// sniff reads as much as it takes to name what the client speaks, and keeps it to be
// read again.
func (c *clientConn) sniff() string {
	for {
		name, sure := spoken(c.first)
		if sure {
			return name
		}
		more := make([]byte, 512)
		n, err := c.Conn.Read(more)
		c.noteError(err)
		c.first = append(c.first, more[:n]...)
		if err != nil {
			return "" // the next read meets the end too
		}
	}
}
