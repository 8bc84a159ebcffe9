package goproxy

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"
)

// A body that stops is ended in HTTP/2 too, and the connection goes on.
func TestSlowBodiesEndInHTTP2(t *testing.T) {
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
	}), func(c *Config) { c.H2C, c.Clients.BodyTimeout = true, soon })
	for _, fields := range [][]string{{"content-length: 10"}, {"content-length: 1000000"}, nil} {
		c := dialH2(t, dialTCP(t, p))
		c.must(c.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: c.fields("POST", fields...), EndHeaders: true}))
		c.must(c.WriteData(1, false, []byte("abc")))
		c.expect("1: status 408")
		c.must(c.WriteHeaders(http2.HeadersFrameParam{StreamID: 3, BlockFragment: c.fields("GET"), EndHeaders: true, EndStream: true}))
		for got := c.next(); got != "3: status 200"; got = c.next() {
			if got != "1: reset, NO_ERROR" {
				t.Fatalf("%v: got %q for the next request", fields, got)
			}
		}
	}
}

// Fields that do not come in time end the connection, whatever else is on it.
func TestSlowFieldsEndInHTTP2(t *testing.T) {
	p := startRawProxy(t, startRaw(t, answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")), func(c *Config) {
		c.H2C, c.Clients.HeaderTimeout = true, soon
	})
	for name, slow := range map[string]func(c *rawH2, i int) error{
		"many frames": func(c *rawH2, _ int) error { return c.WriteContinuation(3, false, nil) },
		"a frame in bits": func(c *rawH2, i int) error {
			_, err := c.conn.Write([]byte("\x00\x40\x00\x09\x00\x00\x00\x00\x03"[min(i, 8):][:1]))
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := dialH2(t, dialTCP(t, p))
			c.must(c.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: c.fields("POST"), EndHeaders: true})) // left open
			c.must(c.WriteHeaders(http2.HeadersFrameParam{StreamID: 3, BlockFragment: c.fields("GET"), EndStream: true}))
			go func() {
				for i := 0; slow(c, i) == nil; i++ {
					time.Sleep(20 * time.Millisecond) // a client that is slow
				}
			}()
			for got := c.next(); !isEnd(got); got = c.next() {
				if strings.HasPrefix(got, "3:") || strings.Contains(got, "timeout") {
					t.Fatalf("got %q, want the connection's end", got)
				}
			}
		})
	}
	served(t, p)
}

// isEnd reports whether what rawH2.next told is the end of the connection.
func isEnd(got string) bool { return got == "EOF" || strings.Contains(got, "reset by peer") }

// A stream whose client takes nothing of the response is reset in time, and
// lets go of the upstream; a silence of the upstream's is none of the client's.
func TestHTTP2ClientThatTakesNothing(t *testing.T) {
	for name, size := range map[string]int{"of 2 bytes": 2, "of 1 MiB": 1 << 20} {
		t.Run(name, func(t *testing.T) {
			p := startRawProxy(t, startRaw(t, func(conn net.Conn, r *bufio.Reader) {
				for {
					if _, err := http.ReadRequest(r); err != nil {
						return
					}
					fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", size)
					conn.Write(make([]byte, size))
				}
			}), func(c *Config) { c.H2C, c.Clients.SendTimeout = true, soon })
			c := dialH2(t, dialTCP(t, p))
			c.must(c.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0}))
			c.must(c.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: c.fields("GET"), EndHeaders: true, EndStream: true}))
			c.expect("1: status 200")
			c.expect("1: reset, INTERNAL_ERROR")
			c.must(c.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1 << 20}))
			c.must(c.WriteHeaders(http2.HeadersFrameParam{StreamID: 3, BlockFragment: c.fields("HEAD"), EndHeaders: true, EndStream: true}))
			c.expect("3: status 200")
		})
	}
}

// The same where the client does not even read from its connection.
func TestHTTP2ClientThatReadsNothing(t *testing.T) {
	ended := make(chan error, 1)
	p := startRawProxy(t, startRaw(t, func(conn net.Conn, r *bufio.Reader) {
		http.ReadRequest(r)
		io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 10000000000\r\n\r\n")
		_, err := io.Copy(conn, zeros{})
		ended <- err
	}), func(c *Config) { c.H2C, c.Clients.SendTimeout = true, soon })
	c := dialH2(t, dialTCP(t, p))
	c.must(c.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1<<31 - 1}))
	c.must(c.WriteWindowUpdate(0, 1<<30))
	c.must(c.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: c.fields("GET"), EndHeaders: true, EndStream: true}))
	select {
	case err := <-ended:
		if err == nil {
			t.Error("the upstream wrote without end")
		}
	case <-time.After(10 * time.Second):
		t.Error("the upstream's connection is held for ever")
	}
}

// A response in which the upstream pauses for longer than a client may is whole.
func TestPausesOfTheUpstreamInHTTP2(t *testing.T) {
	p := startRawProxy(t, startRaw(t, func(conn net.Conn, r *bufio.Reader) {
		http.ReadRequest(r)
		io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 100002\r\n\r\n")
		conn.Write(make([]byte, 100_000))
		time.Sleep(2 * time.Duration(soon)) // the pause is what is tested
		io.WriteString(conn, "ok")
	}), func(c *Config) { c.H2C, c.Clients.SendTimeout, c.Clients.BodyTimeout = true, soon, soon })
	protocols := &http.Protocols{}
	protocols.SetUnencryptedHTTP2(true)
	transport := &http.Transport{Protocols: protocols}
	t.Cleanup(transport.CloseIdleConnections)
	resp, err := (&http.Client{Transport: transport}).Get(p.url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if data, err := io.ReadAll(resp.Body); err != nil || len(data) != 100_002 {
		t.Errorf("got %d bytes, %v", len(data), err)
	}
}
