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

const upgrade = "GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n"

// startTunnel opens a tunnel through a proxy and returns both of its ends.
func startTunnel(t *testing.T, idle time.Duration) (client *rawClient, upstream net.Conn, p *testProxy) {
	t.Helper()
	opened := make(chan net.Conn, 1)
	p = startRawProxy(t, startRaw(t, func(conn net.Conn, r *bufio.Reader) {
		if _, err := http.ReadRequest(r); err != nil {
			return
		}
		io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
		opened <- conn
	}), func(c *Config) {
		c.Upstreams["raw"] = Upstream{URL: c.Upstreams["raw"].URL, Timeouts: Timeouts{Tunnel: Duration(idle)}}
	})
	client = dialProxy(t, p)
	client.SetDeadline(time.Now().Add(time.Minute))
	client.send(upgrade)
	client.head()
	upstream = <-opened
	upstream.SetDeadline(time.Now().Add(time.Minute))
	return client, upstream, p
}

func expectEnds(t *testing.T, ends ...net.Conn) {
	t.Helper()
	for i, end := range ends {
		if _, err := io.Copy(io.Discard, end); isTimeout(err) {
			t.Errorf("end %d: %v", i, err)
		}
	}
}

// A tunnel on which nothing passes does not stay for ever, one on which something
// passes in one direction does.
func TestTunnelThatIsSilentEnds(t *testing.T) {
	const idle = 2 * time.Second
	t.Run("after use in one direction", func(t *testing.T) {
		t.Parallel()
		client, upstream, _ := startTunnel(t, idle)
		one := make([]byte, 1)
		for begin := time.Now(); time.Since(begin) < 3*idle; time.Sleep(100 * time.Millisecond) {
			if _, err := upstream.Write([]byte("x")); err != nil {
				t.Fatal(err)
			}
			if _, err := client.Read(one); err != nil {
				t.Fatalf("after %v: %v", time.Since(begin), err)
			}
		}
		expectEnds(t, client, upstream)
	})
	t.Run("half closed", func(t *testing.T) {
		t.Parallel()
		client, upstream, _ := startTunnel(t, idle)
		client.Conn.(*net.TCPConn).CloseWrite()
		expectEnds(t, client)
		if _, err := io.ReadAll(upstream); isTimeout(err) {
			t.Error(err)
		}
	})
	t.Run("to a client that takes nothing", func(t *testing.T) {
		t.Parallel()
		_, upstream, _ := startTunnel(t, idle)
		var err error
		for err == nil {
			_, err = upstream.Write(make([]byte, 64<<10))
		}
		if isTimeout(err) {
			t.Error(err)
		}
	})
}

// Much and little pass a tunnel alike, and it outlives the address's leaving DNS.
func TestTunnelPassesMuchAndOutlivesItsAddress(t *testing.T) {
	for name, idle := range map[string]time.Duration{"limited": time.Minute, "not limited": time.Duration(Off)} {
		t.Run(name, func(t *testing.T) {
			client, upstream, p := startTunnel(t, idle)
			go func() {
				io.Copy(upstream, upstream)
				upstream.(*net.TCPConn).CloseWrite()
			}()
			client.send("before")
			client.expect("before")
			for _, e := range p.table.Load().upstreams["raw"].set.Load().endpoints {
				e.depart()
			}
			client.send("after")
			client.expect("after")
			much := strings.Repeat("0123456789abcdef", 1<<18)
			go func() {
				io.WriteString(client.Conn, much)
				client.Conn.(*net.TCPConn).CloseWrite()
			}()
			client.expect(much)
			client.expectEnd()
		})
	}
}
