package netfault_test

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/proxychaos/proxychaos/fakealb/netfault"
)

// echoing is a user-space network with one address on which a server echoes.
func echoing(t *testing.T, addr string, held netfault.Held) (netfault.Network, netip.Addr, string) {
	t.Helper()
	n := netfault.OpenUserspace(held)
	t.Cleanup(func() { _ = n.Close() })
	a := netip.MustParseAddr(addr)
	if err := n.Add(a); err != nil {
		t.Fatal(err)
	}
	l, err := n.Listen(netip.AddrPortFrom(a, 0))
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(c, c); _ = c.Close() }()
		}
	}()
	return n, a, l.Addr().String()
}

func set(t *testing.T, n netfault.Network, a netip.Addr, kinds ...netfault.Kind) {
	t.Helper()
	for _, k := range kinds {
		if err := n.Set(map[netip.Addr]netfault.Kind{a: k}); err != nil {
			t.Fatal(err)
		}
	}
}

func dial(t *testing.T, addr string) net.Conn {
	t.Helper()
	c, err := net.DialTimeout("tcp4", addr, 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	echo(t, c)
	return c
}

func echo(t *testing.T, c net.Conn) {
	t.Helper()
	if _, err := c.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if err := read(c, 5*time.Second); err != nil {
		t.Fatalf("no echo: %v", err)
	}
}

func read(c net.Conn, d time.Duration) error {
	_ = c.SetReadDeadline(time.Now().Add(d))
	_, err := c.Read(make([]byte, 1))
	return err
}

// Every way from one kind to another, with a client connection throughout.
func TestEverySwitch(t *testing.T) {
	n, a, addr := echoing(t, "127.0.73.1", nil)
	kinds := []netfault.Kind{netfault.None, netfault.Silence, netfault.SilenceNew, netfault.Refuse, netfault.RefuseNew}
	for _, from := range kinds {
		for _, to := range kinds {
			set(t, n, a, netfault.None)
			c := dial(t, addr)
			set(t, n, a, from, to)
			begin := time.Now()
			_, err := net.DialTimeout("tcp4", addr, 50*time.Millisecond)
			var timeout net.Error
			switch to {
			case netfault.None:
				if err != nil {
					t.Errorf("%s to %s: a new connection: %v", from, to, err)
				}
			case netfault.Refuse, netfault.RefuseNew:
				if !errors.Is(err, syscall.ECONNREFUSED) {
					t.Errorf("%s to %s: a new connection: got %v after %s, want it refused", from, to, err, time.Since(begin))
				}
			default:
				if !errors.As(err, &timeout) || !timeout.Timeout() {
					t.Errorf("%s to %s: a new connection: got %v, want no answer", from, to, err)
				}
			}
			if from != netfault.Refuse && (to == netfault.None || to == netfault.SilenceNew || to == netfault.RefuseNew) {
				echo(t, c)
			}
		}
	}
}

func TestFrozenServerCannotClose(t *testing.T) {
	n, a, addr := echoing(t, "127.0.73.2", nil)
	c := dial(t, addr).(*net.TCPConn)
	set(t, n, a, netfault.Silence)
	_ = c.CloseWrite() // the echo server answers this with a close of its own
	if err := read(c, 100*time.Millisecond); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("while frozen: got %v, want nothing", err)
	}
	set(t, n, a, netfault.None)
	if err := read(c, 5*time.Second); !errors.Is(err, io.EOF) {
		t.Errorf("after the thaw: got %v, want the FIN", err)
	}
}

func TestHeldBytesAreToldOnce(t *testing.T) {
	var told atomic.Int64
	n, a, addr := echoing(t, "127.0.73.3", func(local, peer netip.AddrPort, payload []byte) {
		if local.Addr().String() == "127.0.73.3" && peer.IsValid() && string(payload) == "x" {
			told.Add(1)
		}
	})
	c := dial(t, addr)
	set(t, n, a, netfault.Silence)
	_, _ = c.Write([]byte("x"))
	if err := read(c, 100*time.Millisecond); err == nil {
		t.Error("got an echo from a frozen server")
	}
	set(t, n, a, netfault.None)
	if err := read(c, 5*time.Second); err != nil || told.Load() != 1 {
		t.Errorf("got %v and %d calls, want the echo and 1 call", err, told.Load())
	}
}

func TestAddressesAreChecked(t *testing.T) {
	n, a, _ := echoing(t, "127.0.73.4", nil)
	if err := n.Add(a); err == nil {
		t.Error("got no error for an address added twice")
	}
	if err := n.Add(netip.MustParseAddr("198.18.0.1")); err == nil {
		t.Error("got no error for an address outside 127.0.0.0/8")
	}
	other := netip.MustParseAddr("127.0.73.5")
	if err := n.Set(map[netip.Addr]netfault.Kind{other: netfault.Refuse}); err == nil {
		t.Error("got no error for a fault on an address never added")
	}
	if _, err := n.Listen(netip.AddrPortFrom(other, 0)); err == nil {
		t.Error("got no error for listening on an address never added")
	}
	if err := n.Remove(other); err == nil {
		t.Error("got no error for removing an address never added")
	}
}
