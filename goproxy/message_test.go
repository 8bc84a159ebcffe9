package goproxy

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// What each kind of response looks like to each kind of client, byte by byte.
func TestResponseForms(t *testing.T) {
	for name, test := range map[string]struct {
		response, request, head, body string
		kept                          bool
	}{
		"length": {
			"HTTP/1.1 200 Fine\r\nX-a: b\r\nContent-Length: 5\r\n\r\nhello",
			"GET / HTTP/1.1\r\nHost: h\r\n\r\n",
			"HTTP/1.1 200 Fine\r\nX-a: b\r\nContent-Length: 5\r\n", "hello", true,
		},
		"chunks": {
			"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n",
			"GET / HTTP/1.1\r\nHost: h\r\n\r\n",
			"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\n\r\n", true,
		},
		"chunks with a trailer": {
			"HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 7\r\n\r\n",
			"GET / HTTP/1.1\r\nHost: h\r\n\r\n",
			"HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\nX-Sum: 7\r\n\r\n", true,
		},
		"chunks to HTTP/1.0": {
			"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n",
			"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
			"HTTP/1.1 200 OK\r\nConnection: close\r\n", "hello", false,
		},
		"length to HTTP/1.0": {
			"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "GET / HTTP/1.0\r\n\r\n",
			"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n", "hello", false,
		},
		"length to HTTP/1.0, kept": {
			"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
			"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n", "hello", true,
		},
		"close asked for": {
			"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
			"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n", "hello", false,
		},
		"HEAD": {
			"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "HEAD / HTTP/1.1\r\nHost: h\r\n\r\n",
			"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n", "", true,
		},
		"204": {
			"HTTP/1.1 204 No Content\r\n\r\n", "GET / HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 204 No Content\r\n", "", true,
		},
		"304": {
			"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\nETag: x\r\n\r\n", "GET / HTTP/1.1\r\nHost: h\r\n\r\n",
			"HTTP/1.1 304 Not Modified\r\nETag: x\r\nContent-Length: 5\r\n", "", true,
		},
		"empty": {
			"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "GET / HTTP/1.1\r\nHost: h\r\n\r\n",
			"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n", "", true,
		},
		"1xx before": {
			"HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
			"GET / HTTP/1.1\r\nHost: h\r\n\r\n",
			"HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n", "HTTP/1.1 200 OK\r\n", false,
		},
		"1xx is not for HTTP/1.0": {
			"HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
			"GET / HTTP/1.0\r\n\r\n",
			"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n", "hello", false,
		},
		"hop-by-hop fields": {
			"HTTP/1.1 200 OK\r\nConnection: X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\nProxy-Authenticate: x\r\nContent-Length: 0\r\n\r\n",
			"GET / HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n", "", true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := startRawProxy(t, startRaw(t, answer(test.response)), nil)
			// The first request makes the upstream's connection, the second one uses it.
			for range 2 {
				c := dialProxy(t, p)
				c.send("%s", test.request)
				c.expectHead(test.head)
				c.expect(test.body)
				if name == "1xx before" {
					continue
				}
				if !test.kept {
					c.expectEnd()
					continue
				}
				c.send("%s", test.request)
				c.expectHead(test.head)
				c.expect(test.body)
			}
		})
	}
}

// A body that only the connection's end ends has chunks for the client.
func TestResponseUntilClose(t *testing.T) {
	p := startRawProxy(t, startRaw(t, func(conn net.Conn, r *bufio.Reader) {
		http.ReadRequest(r)
		io.WriteString(conn, "HTTP/1.0 200 OK\r\n\r\nhello")
		conn.Close()
	}), nil)
	c := dialProxy(t, p)
	for range 2 {
		c.send(plainGET)
		c.expectHead("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n")
		c.expect("5\r\nhello\r\n0\r\n\r\n")
	}
}

func TestPipelinedRequests(t *testing.T) {
	p := startRawProxy(t, startRaw(t, func(conn net.Conn, r *bufio.Reader) {
		for {
			req, err := http.ReadRequest(r)
			if err != nil {
				return
			}
			data, _ := io.ReadAll(req.Body)
			time.Sleep(5 * time.Millisecond)
			io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nX-Got: "+req.URL.Path+" "+string(data)+"\r\n\r\n.")
		}
	}), nil)
	c := dialProxy(t, p)
	c.send("POST /1 HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabcPUT /2 HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\ndef\r\n0\r\n\r\nGET /3 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
	for _, got := range []string{"/1 abc", "/2 def"} {
		c.expectHead("HTTP/1.1 200 OK\r\nX-Got: " + got + "\r\nContent-Length: 1\r\n")
		c.expect(".")
	}
	c.expectHead("HTTP/1.1 200 OK\r\nX-Got: /3\r\nContent-Length: 1\r\nConnection: close\r\n")
	c.expect(".")
	c.expectEnd()
}

// The upstream's 100 reaches the client, which only then sends its body.
func TestExpectContinue(t *testing.T) {
	p := startRawProxy(t, startRaw(t, func(conn net.Conn, r *bufio.Reader) {
		for {
			req, err := http.ReadRequest(r)
			if err != nil {
				return
			}
			if req.Header.Get("Expect") != "100-continue" || r.Buffered() > 0 {
				io.WriteString(conn, "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n")
				return
			}
			io.WriteString(conn, "HTTP/1.1 100 Continue\r\n\r\n")
			data, _ := io.ReadAll(req.Body)
			io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Got: "+string(data)+"\r\n\r\n")
		}
	}), nil)
	c := dialProxy(t, p)
	for range 2 {
		c.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
		c.expectHead("HTTP/1.1 100 Continue\r\n")
		c.send("hello")
		c.expectHead("HTTP/1.1 200 OK\r\nX-Got: hello\r\nContent-Length: 0\r\n")
	}
}

// A refusal ends the request although its body never came.
func TestExpectRefused(t *testing.T) {
	p := startRawProxy(t, startRaw(t, answer("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno")), nil)
	c := dialProxy(t, p)
	c.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
	c.expectHead("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\nConnection: close\r\n")
	c.expect("no")
	c.expectEnd()
}

// Both bodies flow at the same time.
func TestBodyStreamsBothWays(t *testing.T) {
	p := startRawProxy(t, startRaw(t, func(conn net.Conn, r *bufio.Reader) {
		req, err := http.ReadRequest(r)
		if err != nil {
			return
		}
		io.WriteString(conn, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
		for buf := make([]byte, 1); ; {
			if _, err := req.Body.Read(buf); err != nil {
				io.WriteString(conn, "0\r\nX-Echo: "+req.Trailer.Get("X-Sum")+"\r\n\r\n")
				return
			}
			io.WriteString(conn, "1\r\n"+string(buf)+"\r\n")
		}
	}), nil)
	c := dialProxy(t, p)
	c.send("POST / HTTP/1.1\r\nHost: h\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n")
	c.expectHead("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n")
	for _, b := range "hello" {
		c.send("1\r\n%c\r\n", b)
		c.expect("1\r\n" + string(b) + "\r\n")
	}
	c.send("0\r\nX-Sum: 7\r\n\r\n")
	c.expect("0\r\nX-Echo: 7\r\n\r\n")
	c.expectEnd()
}

// A large upload that the upstream does not want ends with its answer.
func TestEarlyResponseToALargeBody(t *testing.T) {
	p := startRawProxy(t, startRaw(t, func(conn net.Conn, r *bufio.Reader) {
		if _, err := http.ReadRequest(r); err == nil {
			io.WriteString(conn, "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno")
		}
	}), nil)
	c := dialProxy(t, p)
	c.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100000000\r\n\r\n")
	go io.Copy(c.Conn, io.LimitReader(zeros{}, 1<<20))
	c.expectHead("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\nConnection: close\r\n")
	c.expect("no")
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// A client that breaks off its upload must not look whole to the upstream.
func TestBrokenUploadIsBrokenForTheUpstream(t *testing.T) {
	for name, head := range map[string]string{
		"length": "Content-Length: 100000\r\n\r\nabc", "chunks": "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", "malformed": "Transfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ended := make(chan error, 1)
			p := startRawProxy(t, startRaw(t, func(_ net.Conn, r *bufio.Reader) {
				req, err := http.ReadRequest(r)
				if err != nil {
					return
				}
				_, err = io.ReadAll(req.Body)
				ended <- err
			}), nil)
			c := dialProxy(t, p)
			c.send("POST / HTTP/1.1\r\nHost: h\r\n%s", head)
			c.Conn.(*net.TCPConn).CloseWrite()
			select {
			case err := <-ended:
				if err == nil {
					t.Error("the upstream took the body for whole")
				}
			case <-time.After(5 * time.Second):
				t.Error("the upstream waits for ever")
			}
			if resp, err := http.ReadResponse(c.Reader, nil); err != nil || resp.StatusCode != http.StatusBadRequest {
				t.Errorf("got %v, %v; want 400", resp, err)
			}
		})
	}
}

// A response that breaks off must not look whole to the client.
func TestBrokenResponseIsBrokenForTheClient(t *testing.T) {
	for name, response := range map[string]string{
		"length":    "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nabc",
		"chunks":    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
		"malformed": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nxyz\r\n",
	} {
		for _, request := range []string{plainGET, "GET / HTTP/1.0\r\n\r\n"} {
			t.Run(name+" "+request[6:14], func(t *testing.T) {
				t.Parallel()
				p := startRawProxy(t, startRaw(t, func(conn net.Conn, r *bufio.Reader) {
					http.ReadRequest(r)
					io.WriteString(conn, response)
					conn.Close()
				}), nil)
				c := dialProxy(t, p)
				c.send("%s", request)
				resp, err := http.ReadResponse(c.Reader, nil)
				if err != nil {
					return // broken before its head: as good
				}
				if data, err := io.ReadAll(resp.Body); err == nil && resp.StatusCode == http.StatusOK {
					t.Errorf("the client took %q for whole", data)
				}
			})
		}
	}
}

// What an upgraded connection carries begins with what came along with the
// request and the 101.
func TestUpgradePassesEveryByte(t *testing.T) {
	p := startRawProxy(t, startRaw(t, func(conn net.Conn, r *bufio.Reader) {
		req, err := http.ReadRequest(r)
		if err != nil || req.Header.Get("Upgrade") != "echo" || req.Header.Get("Connection") != "Upgrade" {
			io.WriteString(conn, "HTTP/1.1 400 No\r\nContent-Length: 0\r\n\r\n")
			return
		}
		io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nready ")
		io.Copy(conn, r)
		io.WriteString(conn, "bye")
		conn.Close()
	}), nil)
	c := dialProxy(t, p)
	c.send("GET / HTTP/1.1\r\nHost: h\r\nConnection: keep-alive, Upgrade\r\nUpgrade: echo\r\n\r\nfirst ")
	c.expectHead("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n")
	c.expect("ready first ")
	c.send("second")
	c.expect("second")
	c.Conn.(*net.TCPConn).CloseWrite()
	c.expect("bye")
	c.expectEnd()
}

// An upgrade to HTTP/2 would let the client speak past the proxy.
func TestUpgradeToHTTP2IsNotPassed(t *testing.T) {
	p := startEcho(t, nil)
	c := dialProxy(t, p)
	c.send("GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n")
	resp, err := http.ReadResponse(c.Reader, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := body(t, resp); resp.StatusCode != http.StatusOK || strings.Contains(got, "Upgrade") || strings.Contains(got, "Http2-Settings") {
		t.Errorf("status %d; the backend saw\n%s", resp.StatusCode, got)
	}
}
