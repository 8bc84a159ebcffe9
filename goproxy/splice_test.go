//go:build linux && (amd64 || arm64)

package goproxy

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/proxychaos/proxychaos/goproxy/wire"
)

// A long body of known length arrives byte for byte, and what an upstream sends
// behind it does not.
func TestLongBodyIsPassedOnExactly(t *testing.T) {
	want := make([]byte, 5<<20+123)
	if _, err := rand.Read(want); err != nil {
		t.Fatal(err)
	}
	p := startRawProxy(t, startRaw(t, func(conn net.Conn, r *bufio.Reader) {
		for {
			if _, err := http.ReadRequest(r); err != nil {
				return
			}
			fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%sHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", len(want), want)
		}
	}), nil)
	c := dialProxy(t, p)
	for range 3 {
		c.send(plainGET)
		resp, err := http.ReadResponse(c.Reader, nil)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(resp.Body)
		if err != nil || !bytes.Equal(got, want) {
			t.Fatalf("got %d bytes, %v: want the %d of the upstream", len(got), err, len(want))
		}
	}
	if n := c.Buffered(); n > 0 {
		t.Errorf("%d bytes came after the last response", n)
	}
	eventually(t, time.Second, "its size in the access log", func() bool {
		return strings.Count(p.access.String(), fmt.Sprintf(`"bytes":%d,`, len(want))) == 3
	})
}

// longBody starts a proxy before an upstream that announces a long body, sends
// a part of it, and then does what the test wants.
func longBody(t *testing.T, change func(*Config), then func(conn net.Conn)) *testProxy {
	return startRawProxy(t, startRaw(t, func(conn net.Conn, r *bufio.Reader) {
		http.ReadRequest(r)
		fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n%s", make([]byte, 100<<10))
		then(conn)
	}), change)
}

func TestLongBodyThatBreaksOffIsBrokenForTheClient(t *testing.T) {
	p := longBody(t, nil, func(conn net.Conn) { conn.Close() })
	resp := rawRequest(t, p, plainGET)
	data, err := io.ReadAll(resp.Body)
	if err == nil {
		t.Errorf("the client took %d bytes for whole", len(data))
	}
	eventually(t, time.Second, "the reason in the access log", func() bool {
		return strings.Contains(p.access.String(), "unexpected EOF")
	})
}

func TestLongBodyThatFallsSilentEndsTheResponse(t *testing.T) {
	parts := make(chan struct{})
	p := longBody(t, func(c *Config) {
		u := c.Upstreams["raw"]
		u.Timeouts.Body = Duration(200 * time.Millisecond)
		c.Upstreams["raw"] = u
	}, func(conn net.Conn) {
		for range 4 { // slower in all than the limit, never silent for so long
			time.Sleep(100 * time.Millisecond)
			conn.Write(make([]byte, 1000))
		}
		close(parts)
	})
	resp := rawRequest(t, p, plainGET)
	n, err := io.Copy(io.Discard, resp.Body)
	if want := int64(100<<10 + 4*1000); err == nil || n != want {
		t.Errorf("got %d bytes, %v: want %d and an error", n, err, want)
	}
	<-parts
	eventually(t, time.Second, "the reason in the access log", func() bool {
		return strings.Contains(p.access.String(), "silent for 200ms")
	})
}

// endless sends until it cannot, and says why.
func endless(over chan<- error) func(net.Conn) {
	return func(conn net.Conn) {
		for data := make([]byte, 1<<20); ; {
			if _, err := conn.Write(data); err != nil {
				over <- err
				return
			}
		}
	}
}

func TestClientThatTakesNothingOfALongBodyIsGivenUp(t *testing.T) {
	over := make(chan error, 1)
	p := longBody(t, func(c *Config) { c.Clients.SendTimeout = Duration(300 * time.Millisecond) }, endless(over))
	c := dialProxy(t, p)
	c.send(plainGET)
	select {
	case <-over: // and the upstream need not send it either
	case <-time.After(10 * time.Second):
		t.Fatal("the upstream's connection is still open")
	}
	eventually(t, time.Second, "the reason in the access log", func() bool {
		return strings.Contains(p.access.String(), "i/o timeout")
	})
}

// A client that takes a little within each limit is slow, not gone.
func TestSlowClientOfAPipeIsServed(t *testing.T) {
	const limit, size = time.Second, 128 << 10
	from, source := tcpPair(t)
	to, sink := tcpPair(t)
	if err := errors.Join(to.SetWriteBuffer(4<<10), sink.SetReadBuffer(4<<10)); err != nil {
		t.Fatal(err)
	}
	go source.Write(make([]byte, size))
	drained := make(chan error, 1)
	began := time.Now()
	go func() {
		defer to.CloseWrite()
		pipe := wire.GetPipe()
		defer pipe.Put()
		c := &clientConn{Conn: to, proxy: &Proxy{limits: limits{send: limit}}}
		for left := int64(size); left > 0; {
			n, err := pipe.Fill(from, left)
			if err == nil {
				_, err = c.drain(pipe, to)
			}
			if err != nil {
				drained <- err
				return
			}
			left -= int64(n)
		}
		drained <- nil
	}()
	buf := make([]byte, 8<<10)
	for {
		_, err := io.ReadFull(sink, buf)
		if err != nil {
			break // the end of all, or of what was drained
		}
		time.Sleep(limit / 8)
	}
	if err := <-drained; err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took < limit {
		t.Errorf("all was taken within %v: the limit was not put to the test", took)
	}
}

// tcpPair is both ends of a connection. Its segments are as small as those of a
// network: with loopback's, which are larger than a small window, the kernel may
// send nothing for seconds although there is room.
func tcpPair(t *testing.T) (*wire.Conn, *net.TCPConn) {
	t.Helper()
	small := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		var failed error
		err := c.Control(func(fd uintptr) { failed = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_MAXSEG, 1460) })
		return errors.Join(err, failed)
	}}
	l, err := small.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	far, err := net.DialTCP("tcp", nil, l.Addr().(*net.TCPAddr))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { far.Close() })
	accepted, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { accepted.Close() })
	near, err := wire.New(accepted.(*net.TCPConn))
	if err != nil {
		t.Fatal(err)
	}
	return near, far
}
