package goproxy

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// soon is a limit that a test waits for.
const soon = Duration(300 * time.Millisecond)

// crowd opens connections that do the same thing, and returns when all have
// begun to.
func crowd(t *testing.T, p *testProxy, n int, do func(net.Conn)) {
	t.Helper()
	for range n {
		conn, err := net.Dial("tcp", p.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		do(conn)
	}
}

// served requires that others are served.
func served(t *testing.T, p *testProxy) {
	t.Helper()
	for range 20 {
		if status, _ := send(t, p, http.MethodGet, ""); status != http.StatusOK {
			t.Fatalf("status %d", status)
		}
	}
}

// dribble sends a byte now and then until the connection ends, and returns
// what came back.
func dribble(conn net.Conn, text string) string {
	go func() {
		for i := 0; ; i++ {
			if _, err := conn.Write([]byte{text[i%len(text)]}); err != nil {
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
	}()
	data, _ := io.ReadAll(conn) // the end may be a reset
	return string(data)
}

// Slow and endless heads are ended in time, and others are served meanwhile.
func TestSlowHeadsEnd(t *testing.T) {
	p := startRawProxy(t, startRaw(t, answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")), func(c *Config) {
		c.Clients.HeaderTimeout = soon
	})
	answers := make(chan string, 200)
	crowd(t, p, cap(answers), func(conn net.Conn) {
		io.WriteString(conn, "GET / HTTP/1.1\r\n")
		go func() { answers <- dribble(conn, "X-A: bbbbbbbb\r\n") }()
	})
	served(t, p)
	for range cap(answers) {
		select {
		case got := <-answers:
			if !strings.HasPrefix(got, "HTTP/1.1 408 ") {
				t.Fatalf("got %q, want 408", got)
			}
		case <-time.After(20 * time.Second):
			t.Fatal("a slow head is never ended")
		}
	}
}

func TestEndlessHeadsEnd(t *testing.T) {
	p := startRawProxy(t, startRaw(t, answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")), nil)
	for name, test := range map[string]struct{ start, more, want string }{
		"target": {"GET /", "aaaaaaaaaaaaaaaa", "HTTP/1.1 414 "},
		"fields": {"GET / HTTP/1.1\r\n", "X-A: bbbbbbbbb\r\n", "HTTP/1.1 431 "},
		"value":  {"GET / HTTP/1.1\r\nX-A: ", "bbbbbbbbbbbbbbbb", "HTTP/1.1 431 "},
	} {
		c := dialProxy(t, p)
		go func() {
			io.WriteString(c.Conn, test.start)
			io.WriteString(c.Conn, strings.Repeat(test.more, 1<<16)) // 1 MiB; broken off by the proxy
		}()
		if head := c.head(); !strings.HasPrefix(head, test.want) {
			t.Errorf("%s: got %q, want %s", name, head, test.want)
		}
	}
	served(t, p)
}

// A body that stops is ended, whether it was to be kept or streamed.
func TestSlowBodiesEnd(t *testing.T) {
	p := startRawProxy(t, startRaw(t, func(conn net.Conn, r *bufio.Reader) {
		for {
			req, err := http.ReadRequest(r)
			if err != nil {
				return
			}
			if _, err := io.Copy(io.Discard, req.Body); err != nil {
				return
			}
			io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
		}
	}), func(c *Config) { c.Clients.BodyTimeout = soon })
	var all sync.WaitGroup
	for range 50 {
		for _, length := range []string{"Content-Length: 10\r\n\r\nabc", "Content-Length: 1000000\r\n\r\nabc", "Transfer-Encoding: chunked\r\n\r\n5\r\nabc"} {
			c := dialProxy(t, p)
			c.send("POST / HTTP/1.1\r\nHost: h\r\n%s", length)
			all.Go(func() {
				resp, err := http.ReadResponse(c.Reader, nil)
				if err != nil || resp.StatusCode != http.StatusRequestTimeout {
					t.Errorf("%q: %v, %v; want 408", length, resp, err)
				}
			})
		}
	}
	served(t, p)
	all.Wait()
}

func TestIdleConnectionsEnd(t *testing.T) {
	p := startRawProxy(t, startRaw(t, answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")), func(c *Config) {
		c.Clients.IdleTimeout = soon
	})
	unused, used := dialProxy(t, p), dialProxy(t, p)
	used.send(plainGET)
	used.expectHead("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n")
	used.expect("ok")
	unused.expectEnd()
	used.expectEnd()
}

// A client that does not take its response lets go of the upstream in time.
func TestClientThatReadsNothing(t *testing.T) {
	ended := make(chan error, 1)
	p := startRawProxy(t, startRaw(t, func(conn net.Conn, r *bufio.Reader) {
		http.ReadRequest(r)
		io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 10000000000\r\n\r\n")
		_, err := io.Copy(conn, zeros{})
		ended <- err
	}), func(c *Config) { c.Clients.SendTimeout = soon })
	dialProxy(t, p).send(plainGET)
	select {
	case err := <-ended:
		if err == nil {
			t.Error("the upstream wrote without end")
		}
	case <-time.After(10 * time.Second):
		t.Error("the upstream's connection is held for ever")
	}
}

func TestMaxConnections(t *testing.T) {
	p := startRawProxy(t, startRaw(t, answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")), func(c *Config) {
		c.Clients.MaxConnections = 2
	})
	first, second := dialProxy(t, p), dialProxy(t, p)
	for _, c := range []*rawClient{first, second} {
		c.send(plainGET)
		c.expectHead("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n")
		c.expect("ok")
	}
	third := dialProxy(t, p)
	if _, err := third.ReadByte(); err == nil || isTimeout(err) {
		t.Errorf("the third connection: %v, want it closed", err)
	}
	first.Close()
	eventually(t, 3*time.Second, "there is room again", func() bool {
		conn, err := net.Dial("tcp", p.Addr().String())
		if err != nil {
			return false
		}
		defer conn.Close()
		conn.SetDeadline(time.Now().Add(3 * time.Second))
		io.WriteString(conn, plainGET)
		_, err = http.ReadResponse(bufio.NewReader(conn), nil)
		return err == nil
	})
}

// A request for HTTP by mistake, or the other way round, is told so at once.
func TestOtherProtocolsAreRefusedAtOnce(t *testing.T) {
	p := startEcho(t, nil)
	for name, text := range map[string]string{"TLS": "\x16\x03\x01\x02\x00\x01", "SMTP": "EHLO x\n", "bare LF": "GET / HTTP/1.1\nHost: h\n\n"} {
		c := dialProxy(t, p)
		c.send("%s", text)
		if head := c.head(); !strings.HasPrefix(head, "HTTP/1.1 400 ") {
			t.Errorf("%s: got %q", name, head)
		}
		if _, err := io.Copy(io.Discard, c.Reader); err != nil && !errors.Is(err, net.ErrClosed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
