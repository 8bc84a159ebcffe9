package goproxy

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// headersOf is a block of fields, given as names and values.
func headersOf(encode *hpack.Encoder, block *bytes.Buffer, stream uint32, end bool, fields ...string) http2.HeadersFrameParam {
	block.Reset()
	for i := 0; i < len(fields); i += 2 {
		encode.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]})
	}
	return http2.HeadersFrameParam{StreamID: stream, BlockFragment: bytes.Clone(block.Bytes()), EndHeaders: true, EndStream: end}
}

// startRawH2 is an upstream that speaks HTTP/2 and answers each request by calling
// respond, which may write any frames.
func startRawH2(t *testing.T, respond func(f *http2.Framer, headers func(end bool, fields ...string), stream uint32)) net.Addr {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { conn.Close() })
			go func() {
				if _, err := io.ReadFull(conn, make([]byte, len(http2.ClientPreface))); err != nil {
					return
				}
				f := http2.NewFramer(conn, conn)
				var block bytes.Buffer
				encode := hpack.NewEncoder(&block)
				f.WriteSettings()
				for {
					frame, err := f.ReadFrame()
					if err != nil {
						return
					}
					switch frame := frame.(type) {
					case *http2.SettingsFrame:
						if !frame.IsAck() {
							f.WriteSettingsAck()
						}
					case *http2.HeadersFrame:
						respond(f, func(end bool, fields ...string) {
							f.WriteHeaders(headersOf(encode, &block, frame.StreamID, end, fields...))
						}, frame.StreamID)
					}
				}
			}()
		}
	}()
	return l.Addr()
}

// What HTTP/2 lets an upstream say, and HTTP/1 has no way to say or another
// meaning for, does not reach an HTTP/1 client.
func TestWhatHTTP2UpstreamsMustNotSay(t *testing.T) {
	const refused = "HTTP/1.1 502 Bad Gateway\r\n"
	for name, test := range map[string]struct {
		fields   []string
		infos    [][]string
		trailers []string
		want     string // how the response begins, without Date
		end      string
	}{
		"plain":             {fields: []string{":status", "200", "content-length", "5"}, want: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n", end: "hello"},
		"chunked":           {fields: []string{":status", "200", "content-length", "5", "transfer-encoding", "chunked"}, want: refused},
		"connection":        {fields: []string{":status", "200", "connection", "close, x-secret"}, want: refused},
		"keep-alive":        {fields: []string{":status", "200", "keep-alive", "timeout=5"}, want: refused},
		"upgrade":           {fields: []string{":status", "200", "upgrade", "h2c"}, want: refused},
		"proxy-connection":  {fields: []string{":status", "200", "proxy-connection", "keep-alive"}, want: refused},
		"looks like length": {fields: []string{":status", "200", "content_length", "5"}, want: refused},
		"status 42":         {fields: []string{":status", "42"}, want: refused},
		"status -1":         {fields: []string{":status", "-1"}, want: refused},
		"status 600":        {fields: []string{":status", "600"}, want: refused},
		"204 with a length": {fields: []string{":status", "204", "content-length", "5"}, want: refused},
		"204 with data":     {fields: []string{":status", "204"}, want: "HTTP/1.1 204 No Content\r\n\r\n"},
		"304 with data":     {fields: []string{":status", "304", "content-length", "5"}, want: "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n"},
		"101":               {fields: []string{":status", "200", "content-length", "5"}, infos: [][]string{{":status", "101"}}, want: refused},
		"103 that is upgraded": {
			fields: []string{":status", "200", "content-length", "5"}, infos: [][]string{{":status", "103", "upgrade", "x"}},
			want: refused,
		},
		"103 with a length": {
			fields: []string{":status", "200", "content-length", "5"}, infos: [][]string{{":status", "103", "link", "<x>", "content-length", "7"}},
			want: "HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\nHTTP/1.1 200 OK\r\n", end: "hello",
		},
		"trailers": {
			fields: []string{":status", "200", "trailer", "content-length, set-cookie, x-sum"}, trailers: []string{"content-length", "0", "set-cookie", "a=b", "transfer-encoding", "chunked", "x-sum", "7"},
			want: "HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n", end: "5\r\nhello\r\n0\r\nX-Sum: 7\r\n\r\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			addr := startRawH2(t, func(f *http2.Framer, headers func(end bool, fields ...string), stream uint32) {
				for _, info := range test.infos {
					headers(false, info...)
				}
				headers(false, test.fields...)
				f.WriteData(stream, test.trailers == nil, []byte("hello"))
				if test.trailers != nil {
					headers(true, test.trailers...)
				}
			})
			p := startProxy(t, Config{
				Routes:    []Route{{Upstream: "h2"}},
				Upstreams: map[string]Upstream{"h2": {URL: "http://" + addr.String(), Protocol: protocolH2C, Retries: Retries{Attempts: 1}}},
			}, nil)
			c := dialProxy(t, p)
			// The second request shows where the client takes the first response to end.
			c.send("GET / HTTP/1.1\r\nHost: h\r\nTE: trailers\r\n\r\nGET /second HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
			all, err := io.ReadAll(c.Reader)
			if err != nil {
				t.Fatal(err)
			}
			got := withoutDate(string(all))
			if !strings.HasPrefix(got, test.want) {
				t.Fatalf("the client got\n%s\nwant it to begin\n%s", got, test.want)
			}
			if test.end != "" && !strings.Contains(got, "\r\n\r\n"+test.end+"HTTP/1.1 ") {
				t.Errorf("the client got\n%s\nwant the body\n%s", got, test.end)
			}
			if strings.HasSuffix(test.want, "\r\n\r\n") && !strings.HasPrefix(got[len(test.want):], "HTTP/1.1 ") {
				t.Errorf("the client got\n%s\nwant no body", got)
			}
		})
	}
}

// withoutDate leaves out the Date lines.
func withoutDate(text string) string {
	var out strings.Builder
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "Date:") {
			out.WriteString(line)
		}
	}
	return out.String()
}

// 1xx responses without end are not passed on without end.
func TestHTTP2UpstreamInformsWithoutEnd(t *testing.T) {
	addr := startRawH2(t, func(_ *http2.Framer, headers func(end bool, fields ...string), _ uint32) {
		for range 3 * maxInformed {
			headers(false, ":status", "103", "link", "<x>")
		}
		headers(true, ":status", "200")
	})
	p := startProxy(t, Config{
		Routes:    []Route{{Upstream: "h2"}},
		Upstreams: map[string]Upstream{"h2": {URL: "http://" + addr.String(), Protocol: protocolH2C, Retries: Retries{Attempts: 1}}},
	}, nil)
	c := dialProxy(t, p)
	c.send("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
	all, err := io.ReadAll(c.Reader)
	if n := strings.Count(string(all), "HTTP/1.1 103 "); err != nil || n > maxInformed || !strings.Contains(string(all), "HTTP/1.1 502 ") {
		t.Errorf("%d informational responses, %v, and then\n%s", n, err, all[max(0, len(all)-200):])
	}
}

// Trailer announces what comes behind the body; what cannot come there is not
// announced to the upstream, which would refuse the request.
func TestHTTP2UpstreamTrailersThatCannotCome(t *testing.T) {
	p := startProxy(t, Config{
		Routes:    []Route{{Upstream: "h2"}},
		Upstreams: map[string]Upstream{"h2": {URL: startPlain(t), Protocol: protocolH2C}},
	}, nil)
	for _, name := range []string{"Content-Length", "Transfer-Encoding", "Trailer", "a b"} {
		c := dialProxy(t, p)
		c.send("POST / HTTP/1.1\r\nHost: h\r\nTrailer: %s\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", name)
		if head := c.head(); !strings.HasPrefix(head, "HTTP/1.1 200 ") {
			t.Errorf("Trailer: %s: got\n%s", name, head)
		}
	}
}

// A client that waits for 100 gets the upstream's, also where that speaks HTTP/2.
func TestHTTP2UpstreamExpectContinue(t *testing.T) {
	p := startProxy(t, Config{
		Routes:    []Route{{Upstream: "h2"}},
		Upstreams: map[string]Upstream{"h2": {URL: startPlain(t), Protocol: protocolH2C}},
	}, nil)
	c := dialProxy(t, p)
	for _, framing := range []string{"Content-Length: 5", "Transfer-Encoding: chunked"} {
		c.send("POST / HTTP/1.1\r\nHost: h\r\n%s\r\nExpect: 100-continue\r\n\r\n", framing)
		c.expectHead("HTTP/1.1 100 Continue\r\n")
		if strings.HasPrefix(framing, "Content") {
			c.send("hello")
		} else {
			c.send("5\r\nhello\r\n0\r\n\r\n")
		}
		c.expectHead("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n")
	}
}

// Clients cannot make connections to the upstream by naming hosts.
func TestHTTP2UpstreamOneConnectionForAllHosts(t *testing.T) {
	var conns atomic.Int32
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Header().Set("Got", r.Host) }))
	s.Config.Protocols = &http.Protocols{}
	s.Config.Protocols.SetUnencryptedHTTP2(true)
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			conns.Add(1)
		}
	}
	s.Start()
	t.Cleanup(s.Close)
	p := startProxy(t, Config{
		Routes:    []Route{{Upstream: "h2", PreserveHost: true}},
		Upstreams: map[string]Upstream{"h2": {URL: s.URL, Protocol: protocolH2C}},
	}, nil)
	c := dialProxy(t, p)
	for _, host := range []string{"a.example", "b.example", "c.example:81", "[::1]:80"} {
		c.send("GET /x?y HTTP/1.1\r\nHost: %s\r\n\r\n", host)
		c.expectHead("HTTP/1.1 200 OK\r\nGot: " + host + "\r\nContent-Length: 0\r\n")
	}
	if n := conns.Load(); n != 1 {
		t.Errorf("%d connections, want 1", n)
	}
}

// A POST that an upstream resets, whatever it says, is not sent again.
func TestPOSTIsSentOnceToHTTP2(t *testing.T) {
	for _, code := range []http2.ErrCode{http2.ErrCodeProtocol, http2.ErrCodeInternal, http2.ErrCodeCancel} {
		for _, body := range []string{"", "x"} {
			for name, warm := range map[string]bool{"a fresh connection": false, "a used one": true} {
				t.Run(fmt.Sprintf("%v, body of %d, %s", code, len(body), name), func(t *testing.T) {
					var posts atomic.Int32
					addr := startRawH2(t, func(f *http2.Framer, headers func(bool, ...string), stream uint32) {
						if warm {
							warm = false
							headers(true, ":status", "204")
							return
						}
						posts.Add(1)
						f.WriteRSTStream(stream, code)
					})
					p := startProxy(t, Config{
						DrainTimeout: Duration(2 * time.Second), Routes: []Route{{Upstream: "app"}},
						Upstreams: map[string]Upstream{"app": {URL: "http://" + addr.String(), Protocol: protocolH2C}},
					}, nil)
					c := dialProxy(t, p)
					if warm {
						c.send(plainGET)
						c.head()
					}
					c.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
					if head := c.head(); !strings.HasPrefix(head, "HTTP/1.1 502 ") {
						t.Errorf("got %q", head)
					}
					if n := posts.Load(); n != 1 {
						t.Errorf("the POST was sent %d times, want once", n)
					}
				})
			}
		}
	}
}
