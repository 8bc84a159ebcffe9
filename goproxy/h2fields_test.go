package goproxy

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/proxychaos/proxychaos/goproxy/http1"
)

// request2 is a block of fields in any order and number, each "name: value", of which the
// name may begin with a colon.
func (c *rawH2) request2(fields ...string) []byte {
	c.block.Reset()
	for _, f := range fields {
		i := strings.Index(f[1:], ": ") + 1
		c.encode.WriteField(hpack.HeaderField{Name: f[:i], Value: f[i+2:]})
	}
	return bytes.Clone(c.block.Bytes())
}

// What HTTP/2 can say and HTTP/1 cannot, or reads as something else, reaches no upstream.
func TestFieldsOfHTTP2ThatAreNone(t *testing.T) {
	var reached atomic.Int64
	p, _, _ := startProtocols(t, protocolHTTP1, func(http.ResponseWriter, *http.Request) { reached.Add(1) })
	plain := []string{":method: GET", ":scheme: http", ":authority: h", ":path: /"}
	with := func(fields ...string) []string { return append(append([]string{}, plain...), fields...) }
	instead := func(field string) []string {
		out := append([]string{}, plain...)
		for i, f := range out {
			if name, _, _ := strings.Cut(field[1:], ": "); strings.HasPrefix(f[1:], name+": ") {
				out[i] = field
			}
		}
		return out
	}
	cases := map[string][]string{
		"two paths":                 with(":path: /other"),
		"two authorities":           with(":authority: other"),
		"two methods":               with(":method: POST"),
		"pseudo behind a field":     {":method: GET", ":scheme: http", "x-a: b", ":authority: h", ":path: /"},
		"status in a request":       with(":status: 200"),
		"protocol in a request":     with(":protocol: websocket"),
		"tunnel by CONNECT":         {":method: CONNECT", ":protocol: websocket", ":scheme: http", ":authority: h", ":path: /"},
		"unknown pseudo":            with(":x: y"),
		"no path":                   {":method: GET", ":scheme: http", ":authority: h"},
		"no method":                 {":scheme: http", ":authority: h", ":path: /"},
		"no scheme":                 {":method: GET", ":authority: h", ":path: /"},
		"two Hosts":                 with("host: h", "host: h"),
		"Host that disagrees":       with("host: other"),
		"Host with a port":          with("host: h:80"),
		"two lengths":               with("content-length: 0", "content-length: 5"),
		"name with a space":         with("x a: b"),
		"name in upper case":        with("X-A: b"),
		"name with a line's end":    with("x\r\na: b"),
		"name with a zero":          with("x\x00: b"),
		"name with a colon":         with("x:a: b"),
		"empty name":                with(": b"),
		"lookalike of a length":     with("content_length: 5"),
		"lookalike of a coding":     with("transfer.encoding: chunked"),
		"chunked":                   with("transfer-encoding: chunked"),
		"value with a line's end":   with("x-a: b\r\nx-role: admin"),
		"value with a bare LF":      with("x-a: b\nx-role: admin"),
		"value with a bare CR":      with("x-a: b\rx-role: admin"),
		"value with a zero":         with("x-a: b\x00"),
		"value with a request":      with("x-a: b\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n"),
		"more fields than HTTP/1's": with(strings.Split(strings.Repeat("x-a: b\n", 300), "\n")[:300]...),
	}
	for name, values := range map[string][]string{
		":path":          {"", "x", "*", "http://other/x", "//", "/a b", "/a\tb", "/a\r\nX: y", "/a\x00", "/%", "/%0", "/%zz", "/%00", "/a#b", "/\xff", "/../x", "/x/%2e%2e/../..", "/a HTTP/1.1\r\nHost: other\r\n\r\nGET /b"},
		":authority":     {"a,b", "a b", "user@h", "user:secret@h", "h:port", "h:99999", "h:", "[::1", "[::1]x", "[fe80::1%eth0]", "h/x", "h?x", "h#x", "h\r\nX: y", "h\x00", "h\\x", "%68"},
		":method":        {"", "G ET", "GET\r\n", "GET / HTTP/1.1\r\nHost: other\r\n\r\nGET", "GET\x00", "GÉT", "TRACE", "trace", "connect"},
		":scheme":        {"", "ftp", "http://other/", "http\r\nX: y", "ht tp"},
		"content-length": {"+5", "-1", "5, 5", "0x5", "5 5", "", "99999999999999999999"},
	} {
		for _, value := range values {
			field := name + ": " + value
			if name == "content-length" {
				cases[fmt.Sprintf("%q", field)] = with(field)
			} else {
				cases[fmt.Sprintf("%q", field)] = instead(field)
			}
		}
	}
	delete(cases, `":path: //"`) // it is "/"
	for name, fields := range cases {
		c := dialH2(t, dialTCP(t, p))
		c.must(c.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: c.request2(fields...), EndHeaders: true, EndStream: true}))
		switch got := c.next(); {
		case isEnd(got), strings.HasPrefix(got, "1: reset, "), strings.HasPrefix(got, "go away, "), strings.HasPrefix(got, "1: status 4"), strings.HasPrefix(got, "1: status 5"):
		default:
			t.Errorf("%s: %s", name, got)
		}
		if n := reached.Swap(0); n > 0 {
			t.Errorf("%s: reached the upstream", name)
		}
	}
	c := dialH2(t, dialTCP(t, p))
	c.must(c.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: c.request2(plain...), EndHeaders: true, EndStream: true}))
	c.expect("1: status 200")
}

// As many fields as HTTP/1 may have are served, also as the announcement of a trailer.
func TestFieldsOfHTTP2AreBounded(t *testing.T) {
	p, _, _ := startProtocols(t, protocolHTTP1, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(299) })
	for n, want := range map[int]string{200: "1: status 299", 257: "1: status 431", 1000: "1: status 431"} {
		for kind, field := range map[string]string{"fields": "x-%d: a", "trailers": "trailer: x-%d"} {
			c := dialH2(t, dialTCP(t, p))
			fields := []string{":method: POST", ":scheme: http", ":authority: h", ":path: /"}
			for i := range n {
				fields = append(fields, fmt.Sprintf(field, i))
			}
			block := c.request2(fields...)
			first := min(len(block), h2MaxFrame)
			c.must(c.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block[:first], EndHeaders: first == len(block)}))
			for rest := block[first:]; len(rest) > 0; {
				m := min(len(rest), h2MaxFrame)
				c.must(c.WriteContinuation(1, m == len(rest), rest[:m]))
				rest = rest[m:]
			}
			c.must(c.WriteData(1, true, []byte("x")))
			if got := c.next(); got != want {
				t.Errorf("%d %s: %s, want %s", n, kind, got, want)
			}
		}
	}
}

// A client can announce 30,000 fields of a trailer in a head. An HTTP/2 upstream is told of
// as many as can come.
func TestAnnouncedTrailersAreBounded(t *testing.T) {
	u := members(t, 1, func(u *Upstream) { u.Protocol = protocolH2C })
	var names strings.Builder
	for i := range 10_000 {
		fmt.Fprintf(&names, "x%d,", i)
	}
	r := &request{route: &boundRoute{}}
	r.Method, r.target = http.MethodPost, "/"
	r.header = http1.Header{{Name: "Trailer", Value: names.String()}, {Name: "Trailer", Value: "y, z"}}
	r.body.stream = newUpload(nil)
	if out := u.at(1).transport.(*h2Transport).request(r); len(out.Trailer) != mostTrailers {
		t.Errorf("%d fields are announced, want %d", len(out.Trailer), mostTrailers)
	}
}
