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
	go serveRawH2(t, l, respond)
	return l.Addr()
}

// serveRawH2 is what startRawH2 starts.
func serveRawH2(t *testing.T, l net.Listener, respond func(f *http2.Framer, headers func(end bool, fields ...string), stream uint32)) {
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

// A request that an upstream says that it has not processed is sent again, whatever its
// method: one above the last stream of a GOAWAY (RFC 9113, 6.8), and one that is refused
// (8.7).
func TestUnprocessedIsSentAgainByHTTP2(t *testing.T) {
	goAway := func(last uint32, code http2.ErrCode) func(*http2.Framer, uint32) {
		return func(f *http2.Framer, _ uint32) { f.WriteGoAway(last, code, nil) }
	}
	refused := func(f *http2.Framer, stream uint32) { f.WriteRSTStream(stream, http2.ErrCodeRefusedStream) }
	for name, test := range map[string]struct {
		warm   bool
		refuse func(f *http2.Framer, stream uint32)
	}{
		"GOAWAY":                        {true, goAway(1, http2.ErrCodeNo)},
		"GOAWAY with an error":          {true, goAway(1, http2.ErrCodeEnhanceYourCalm)},
		"GOAWAY at once":                {false, goAway(0, http2.ErrCodeNo)},
		"GOAWAY at once, with an error": {false, goAway(0, http2.ErrCodeInternal)},
		"refused":                       {true, refused},
		"refused at once":               {false, refused},
	} {
		for _, body := range []string{"", "x"} {
			t.Run(fmt.Sprintf("%s, body of %d", name, len(body)), func(t *testing.T) {
				var requests, posts atomic.Int32
				if !test.warm {
					requests.Store(1)
				}
				addr := startRawH2(t, func(f *http2.Framer, headers func(bool, ...string), stream uint32) {
					n := requests.Add(1)
					if n == 2 {
						test.refuse(f, stream)
						return
					}
					if n > 2 {
						posts.Add(1)
					}
					headers(true, ":status", "204")
				})
				p := startProxy(t, Config{
					DrainTimeout: Duration(2 * time.Second), Routes: []Route{{Upstream: "app"}},
					Upstreams: map[string]Upstream{"app": {URL: "http://" + addr.String(), Protocol: protocolH2C}},
				}, nil)
				c := dialProxy(t, p)
				if test.warm {
					c.send(plainGET)
					c.head()
				}
				c.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
				if head := c.head(); !strings.HasPrefix(head, "HTTP/1.1 204 ") {
					t.Errorf("got %q", head)
				}
				if n := posts.Load(); n != 1 {
					t.Errorf("the POST was processed %d times, want once", n)
				}
				if state := p.Endpoints()[0]; state.State != "ok" || state.Failures != 0 {
					t.Errorf("%+v: an upstream that says in time what it does not process is well", state)
				}
			})
		}
	}
}

// What was not processed goes elsewhere if its upstream takes no further connection.
func TestUnprocessedGoesElsewhere(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go serveRawH2(t, l, func(f *http2.Framer, _ func(bool, ...string), _ uint32) {
		l.Close()
		f.WriteGoAway(0, http2.ErrCodeNo, nil)
	})
	var spare atomic.Int32
	other := startRawH2(t, func(_ *http2.Framer, headers func(bool, ...string), _ uint32) {
		spare.Add(1)
		headers(true, ":status", "204")
	})
	p := startProxy(t, Config{
		DrainTimeout: Duration(2 * time.Second), Routes: []Route{{Upstream: "app"}},
		Upstreams: map[string]Upstream{"app": {
			Protocol: protocolH2C, Members: []Member{{URL: "http://" + l.Addr().String()}, {URL: "http://" + other.String(), Backup: true}},
		}},
	}, nil)
	c := dialProxy(t, p)
	c.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx")
	if head := c.head(); !strings.HasPrefix(head, "HTTP/1.1 204 ") || spare.Load() != 1 {
		t.Errorf("got %q, and the spare got %d requests, want 204 of it", head, spare.Load())
	}
}

// A POST that an upstream may have processed is not sent again, whatever else its GOAWAY
// says of other requests; nor is one of which a part was read from the client.
func TestProcessedIsNotSentAgainByHTTP2(t *testing.T) {
	for name, test := range map[string]struct {
		last uint32
		head string
	}{
		"the last one of a GOAWAY": {3, "Content-Length: 1\r\n\r\nx"},
		"above the last, streamed": {1, "Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			var requests atomic.Int32
			addr := startRawH2(t, func(f *http2.Framer, headers func(bool, ...string), stream uint32) {
				switch requests.Add(1) {
				case 1:
					headers(true, ":status", "204")
				case 2:
					if strings.Contains(test.head, "chunked") {
						f.ReadFrame() // some of the body has come
					}
					f.WriteGoAway(test.last, http2.ErrCodeNo, nil)
					if stream <= test.last {
						f.WriteRSTStream(stream, http2.ErrCodeInternal)
					}
				default:
					headers(true, ":status", "200")
				}
			})
			p := startProxy(t, Config{
				DrainTimeout: Duration(2 * time.Second), Routes: []Route{{Upstream: "app"}},
				Upstreams: map[string]Upstream{"app": {URL: "http://" + addr.String(), Protocol: protocolH2C}},
			}, nil)
			c := dialProxy(t, p)
			c.send(plainGET)
			c.head()
			c.send("POST / HTTP/1.1\r\nHost: h\r\n%s", test.head)
			if head := c.head(); !strings.HasPrefix(head, "HTTP/1.1 502 ") {
				t.Errorf("got %q", head)
			}
			if n := requests.Load(); n != 2 {
				t.Errorf("the upstream got %d requests, want 2", n)
			}
		})
	}
}

// A large header goes on a connection whose settings are known, or on one of its own: the
// upstream may end the connection for it.
func TestLargeHeaderDoesNotShareAnUnknownHTTP2Connection(t *testing.T) {
	type arrival struct {
		conn   *http2.Framer
		answer chan struct{}
	}
	arrived := make(chan arrival)
	addr := startRawH2(t, func(f *http2.Framer, headers func(bool, ...string), _ uint32) {
		a := arrival{f, make(chan struct{})}
		arrived <- a
		<-a.answer
		headers(true, ":status", "204")
	})
	p := startProxy(t, Config{
		DrainTimeout: Duration(2 * time.Second), Routes: []Route{{Upstream: "app"}},
		Upstreams: map[string]Upstream{"app": {URL: "http://" + addr.String(), Protocol: protocolH2C, Retries: Retries{HedgeAfter: Off}}},
	}, nil)
	request := func(size int) (*rawClient, arrival) {
		c := dialProxy(t, p)
		c.send("GET / HTTP/1.1\r\nHost: h\r\nA: %s\r\n\r\n", strings.Repeat("a", size))
		return c, <-arrived
	}
	small, first := request(1)
	large, second := request(2 * largeHeader)
	if first.conn == second.conn {
		t.Error("the large header went on the connection of which nothing is known yet")
	}
	const answer = "HTTP/1.1 204 No Content\r\n"
	close(first.answer)
	small.expectHead(answer)
	another, third := request(1)
	if third.conn == second.conn {
		t.Error("a small header went on the connection of the large one")
	}
	close(second.answer)
	close(third.answer)
	large.expectHead(answer)
	another.expectHead(answer)
	last, fourth := request(2 * largeHeader)
	if fourth.conn != first.conn && fourth.conn != second.conn {
		t.Error("a large header went on a third connection, though there were two that had answered")
	}
	close(fourth.answer)
	last.expectHead(answer)
}

// What an upstream sends faster than the client takes it fills no memory, of whatever
// many streams.
func TestHTTP2UpstreamIsNotReadAhead(t *testing.T) {
	var wrote atomic.Int64
	url := startHandler(t, func(w http.ResponseWriter, _ *http.Request) {
		for part := make([]byte, 4<<10); ; {
			n, err := w.Write(part)
			wrote.Add(int64(n))
			if err != nil {
				return
			}
		}
	})
	p := startProxy(t, Config{
		H2C: true, DrainTimeout: Duration(2 * time.Second), Routes: []Route{{Upstream: "h2"}},
		Upstreams: map[string]Upstream{"h2": {URL: url, Protocol: protocolH2C}},
	}, nil)
	c := dialH2(t, dialTCP(t, p))
	c.must(c.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0}))
	c.must(c.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: c.fields("GET"), EndHeaders: true, EndStream: true}))
	eventually(t, 10*time.Second, "the upstream sends", func() bool { return wrote.Load() > h2Ahead/2 })
	for before := int64(-1); wrote.Load() > before; time.Sleep(200 * time.Millisecond) { // until it can send no more
		before = wrote.Load()
	}
	if n, most := wrote.Load(), int64(h2Ahead+4*copyBufferSize); n > most {
		t.Errorf("the upstream sent %d bytes, want at most %d", n, most)
	}
}

// The head of a response is bounded as that from an HTTP/1 upstream is.
func TestHTTP2UpstreamWithALargeHead(t *testing.T) {
	for size, want := range map[int]string{maxResponseHead / 2: "200", 2 * maxResponseHead: "502"} {
		addr := startRawH2(t, func(f *http2.Framer, _ func(bool, ...string), stream uint32) {
			var block bytes.Buffer
			head := headersOf(hpack.NewEncoder(&block), &block, stream, true, ":status", "200", "x", strings.Repeat("x", size))
			rest := head.BlockFragment
			head.BlockFragment, rest, head.EndHeaders = rest[:1000], rest[1000:], false
			f.WriteHeaders(head)
			for len(rest) > 0 {
				n := min(len(rest), h2MaxFrame)
				f.WriteContinuation(stream, n == len(rest), rest[:n])
				rest = rest[n:]
			}
		})
		p := startProxy(t, Config{
			DrainTimeout: Duration(2 * time.Second), Routes: []Route{{Upstream: "h2"}},
			Upstreams: map[string]Upstream{"h2": {URL: "http://" + addr.String(), Protocol: protocolH2C, Retries: Retries{Attempts: 1}}},
		}, nil)
		c := dialProxy(t, p)
		c.send(plainGET)
		if head := c.head(); !strings.HasPrefix(head, "HTTP/1.1 "+want+" ") {
			t.Errorf("a head of %d bytes: got %.40q, want %s", size, head, want)
		}
	}
}
