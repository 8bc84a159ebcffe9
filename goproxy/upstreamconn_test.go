package goproxy

import (
	"bufio"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// A response that readers could take in several ways is none, and its
// connection is not used again.
func TestMalformedResponsesGive502(t *testing.T) {
	for name, response := range map[string]string{
		"two lengths":       "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx",
		"length and chunks": "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"bare LF":           "HTTP/1.1 200 OK\nContent-Length: 1\n\nx",
		"folded line":       "HTTP/1.1 200 OK\r\nA: b\r\n c\r\nContent-Length: 1\r\n\r\nx",
		"no HTTP":           "hello\r\n\r\n",
		"101 unasked":       "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n",
		"chunk size":        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0x1\r\nx\r\n0\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := startRaw(t, answer(response))
			p := startRawProxy(t, u, nil)
			for want := 1; want <= 2; want++ {
				if resp := rawRequest(t, p, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"); resp.StatusCode != http.StatusBadGateway {
					t.Errorf("status %d, want 502", resp.StatusCode)
				}
				if got := u.accepted(); got != want {
					t.Errorf("%d connections after %d requests, want a new one for each", got, want)
				}
			}
		})
	}
}

// Bytes after a response are nobody's: they must not become the next
// request's response.
func TestBytesAfterAResponseCloseTheConnection(t *testing.T) {
	const once = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
	for name, response := range map[string]string{
		"at once": once + "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil",
		"HEAD":    once,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := startRaw(t, answer(response))
			p := startRawProxy(t, u, nil)
			method := http.MethodPost
			if name == "HEAD" {
				method = http.MethodHead
			}
			for want := 1; want <= 3; want++ {
				status, got := send(t, p, method, "")
				if status != http.StatusOK || (got != "ok" && got != "") {
					t.Errorf("%d %q", status, got)
				}
				if got := u.accepted(); got != want {
					t.Errorf("%d connections after %d requests, want a new one for each", got, want)
				}
			}
		})
	}
}

// The same inside of TLS, where the bytes wait in the record that had the
// response's end.
func TestBytesAfterAResponseInTLSCloseTheConnection(t *testing.T) {
	ca := newCA(t)
	_, pair := ca.issue(t, "127.0.0.1", nil)
	// Three full records, of which the last has the body's end and more: TLS
	// keeps what the reader did not ask for.
	const evil = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"
	const head = "HTTP/1.1 200 OK\r\nContent-Length: 48000\r\n\r\n"
	text := strings.Repeat("x", 48000)
	response := head + text + evil + strings.Repeat(" ", 3*16384-len(head)-len(text)-len(evil))
	u := startRaw(t, func(conn net.Conn, _ *bufio.Reader) {
		secure := tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{pair}, DynamicRecordSizingDisabled: true})
		answer(response)(secure, bufio.NewReader(secure))
	})
	p := startRawProxy(t, u, func(c *Config) {
		c.Upstreams["raw"] = Upstream{URL: "https://" + u.Addr().String(), TLS: UpstreamTLS{InsecureSkipVerify: true}}
	})
	for want := 1; want <= 3; want++ {
		if status, got := send(t, p, http.MethodGet, ""); status != http.StatusOK || got != text {
			t.Errorf("status %d, %d bytes", status, len(got))
		}
		if got := u.accepted(); got != want {
			t.Errorf("%d connections after %d requests, want a new one for each", got, want)
		}
	}
}

// An upstream that says 1xx for ever does not hold a client for ever.
func TestEndless1xxGives502(t *testing.T) {
	p := startRawProxy(t, startRaw(t, func(conn net.Conn, r *bufio.Reader) {
		for http.ReadRequest(r); ; {
			if _, err := io.WriteString(conn, "HTTP/1.1 103 Early Hints\r\n\r\n"); err != nil {
				return
			}
		}
	}), nil)
	if status, _ := send(t, p, http.MethodPost, ""); status != http.StatusBadGateway {
		t.Errorf("status %d, want 502", status)
	}
}

// An upstream that has closed an idle connection is found out before a POST
// is lost on it.
func TestClosedIdleConnectionIsSeenBeforeItIsUsed(t *testing.T) {
	for name, end := range map[string]func(net.Conn){
		"FIN":   func(c net.Conn) { c.(*net.TCPConn).CloseWrite() },
		"RST":   func(c net.Conn) { c.(*net.TCPConn).SetLinger(0); c.Close() },
		"bytes": func(c net.Conn) { io.WriteString(c, "HTTP/1.1 408 Timeout\r\nContent-Length: 0\r\n\r\n") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := startRaw(t, answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"))
			p := startRawProxy(t, u, nil)
			for range 5 {
				if status, got := send(t, p, http.MethodPost, ""); status != http.StatusOK || got != "ok" {
					t.Fatalf("got %d %q", status, got)
				}
				conn := <-u.conns
				end(conn)
				e := p.table.Load().upstreams["raw"].set.Load().endpoints[0]
				eventually(t, 3*time.Second, "the proxy's kernel knows", func() bool {
					e.pool.mu.Lock()
					defer e.pool.mu.Unlock()
					return len(e.pool.idle) == 1 && !e.pool.idle[0].alive()
				})
			}
		})
	}
}

// A client that goes away while the upstream is slow ends the attempt, and the
// connection with it.
func TestClientThatGoesAwayEndsTheAttempt(t *testing.T) {
	for name, warm := range map[string]bool{"pooled connection": true, "new connection": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			// Before the request is there, the client's going would end no
			// attempt: a new connection would stay, for the next request.
			arrived, gone := make(chan struct{}), make(chan struct{})
			u := startRaw(t, func(conn net.Conn, r *bufio.Reader) {
				for {
					req, err := http.ReadRequest(r)
					if err != nil {
						return
					}
					if req.URL.Path == "/warm" {
						io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
						continue
					}
					close(arrived)
					io.Copy(io.Discard, r)
					close(gone)
				}
			})
			p := startRawProxy(t, u, nil)
			c := dialProxy(t, p)
			if warm {
				c.send("GET /warm HTTP/1.1\r\nHost: h\r\n\r\n")
				c.expectHead("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n")
				c.expect("ok")
			}
			c.send("GET /slow HTTP/1.1\r\nHost: h\r\n\r\n")
			await(t, arrived, "the request reaches the upstream")
			c.Close()
			await(t, gone, "the upstream's connection ends")
			eventually(t, 3*time.Second, "status 499 in the access log", func() bool {
				return containsLine(p.access.String(), `"status":499`)
			})
			if got := u.accepted(); got != 1 {
				t.Errorf("%d connections to the upstream, want 1", got)
			}
		})
	}
}

// The next request may arrive while the client is being watched.
func TestRequestThatComesDuringALongWait(t *testing.T) {
	release := make(chan struct{})
	u := startRaw(t, func(conn net.Conn, r *bufio.Reader) {
		for {
			req, err := http.ReadRequest(r)
			if err != nil {
				return
			}
			if req.URL.Path == "/slow" {
				<-release
			}
			io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Path: "+req.URL.Path+"\r\n\r\n")
		}
	})
	p := startRawProxy(t, u, func(c *Config) {
		c.Upstreams["raw"] = Upstream{URL: "http://" + u.Addr().String(), Retries: Retries{HedgeAfter: Duration(20 * time.Millisecond)}}
	})
	c := dialProxy(t, p)
	for i := range 3 {
		c.send("POST /slow HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n")
		if i == 0 {
			time.Sleep(100 * time.Millisecond) // longer than hedge_after: the client is watched
		}
		c.send("GET /next HTTP/1.1\r\nHost: h\r\n\r\n")
		if i == 0 {
			close(release)
		}
		c.expectHead("HTTP/1.1 200 OK\r\nX-Path: /slow\r\nContent-Length: 0\r\n")
		c.expectHead("HTTP/1.1 200 OK\r\nX-Path: /next\r\nContent-Length: 0\r\n")
	}
}
