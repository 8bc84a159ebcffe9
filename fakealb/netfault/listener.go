package netfault

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

const (
	servingBacklog = 4096
	// maxFillers bounds the attempts to fill a zero-long accept queue; one
	// connection does it unless clients come in between, and they fill it too.
	maxFillers    = 8
	fillerTimeout = 20 * time.Millisecond
)

// listener is a TCP listener that can refuse or fall silent and come back, while
// Accept goes on waiting.
type listener struct {
	ap   netip.AddrPort
	wrap func(*net.TCPConn) net.Conn

	// socket guards tcp; it is never held while waiting.
	socket sync.Mutex
	tcp    *net.TCPListener

	// accepting is held by Accept while it is inside the kernel's accept, and by
	// whoever changes the state below.
	accepting sync.Mutex
	changed   *sync.Cond
	kind      Kind
	detached  bool // Accept has ended; the socket is kept, silent
	ended     bool
	fillers   map[netip.AddrPort]net.Conn
}

func newListener(ap netip.AddrPort, wrap func(*net.TCPConn) net.Conn) (*listener, error) {
	tcp, err := net.ListenTCP("tcp4", net.TCPAddrFromAddrPort(ap))
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", ap, err)
	}
	l := &listener{
		ap: addrPort(tcp.Addr()), wrap: wrap, tcp: tcp, kind: None,
		fillers: map[netip.AddrPort]net.Conn{},
	}
	l.changed = sync.NewCond(&l.accepting)
	return l, nil
}

func (l *listener) Accept() (net.Conn, error) {
	l.accepting.Lock()
	defer l.accepting.Unlock()
	for {
		for !l.ended && !l.detached && l.kind != None {
			l.changed.Wait()
		}
		if l.ended || l.detached {
			return nil, net.ErrClosed
		}
		c, err := l.tcp.AcceptTCP()
		switch {
		case err == nil && l.isFiller(c):
			_ = c.Close()
		case err == nil:
			return l.wrap(c), nil
		case errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, net.ErrClosed):
			// A fault, or the end: let the one who woke us change the state.
			l.accepting.Unlock()
			l.socket.Lock() // held by interrupt until it has the state
			l.socket.Unlock()
			l.accepting.Lock()
		default:
			return nil, fmt.Errorf("accept on %s: %w", l.ap, err)
		}
	}
}

func (l *listener) isFiller(c *net.TCPConn) bool {
	peer := addrPort(c.RemoteAddr())
	_, ok := l.fillers[peer]
	delete(l.fillers, peer)
	return ok
}

// closes says whether a listener under k is closed, so that the kernel refuses.
func (k Kind) closes() bool { return k == Refuse || k == RefuseNew }

// set puts kind in force on new connections. None lifts what was there.
func (l *listener) set(kind Kind) error {
	unlock := l.interrupt()
	defer unlock()
	if kind == l.kind || l.ended {
		return nil
	}
	if l.kind.closes() && kind.closes() {
		l.kind = kind
		return nil
	}
	if l.kind.closes() {
		tcp, err := net.ListenTCP("tcp4", net.TCPAddrFromAddrPort(l.ap))
		if err != nil {
			return fmt.Errorf("listen again on %s: %w", l.ap, err)
		}
		l.tcp = tcp
	}
	l.kind = kind
	switch kind {
	case Refuse, RefuseNew:
		l.dropFillers()
		_ = l.tcp.Close()
		clear(l.fillers)
	case Silence, SilenceNew:
		return l.fill()
	default:
		l.dropFillers()
		return l.backlog(servingBacklog)
	}
	return nil
}

// interrupt gets Accept out of the kernel and returns holding both locks; the
// function returned lets go of them.
func (l *listener) interrupt() func() {
	l.socket.Lock()
	_ = l.tcp.SetDeadline(time.Unix(1, 0))
	l.accepting.Lock()
	return func() {
		_ = l.tcp.SetDeadline(time.Time{})
		l.changed.Broadcast()
		l.accepting.Unlock()
		l.socket.Unlock()
	}
}

// fill makes the accept queue zero long and puts a connection of our own in it.
// A queue of length zero holds one connection; after that SYNs are dropped.
func (l *listener) fill() error {
	if err := l.backlog(0); err != nil {
		return err
	}
	for range maxFillers {
		full, err := l.full()
		if err != nil || full {
			return err
		}
		ctx, cancel := context.WithTimeout(context.Background(), fillerTimeout)
		c, err := (&net.Dialer{}).DialContext(ctx, "tcp4", l.ap.String())
		cancel()
		if err == nil {
			l.fillers[addrPort(c.LocalAddr())] = c
		}
	}
	full, err := l.full()
	if err == nil && !full {
		err = fmt.Errorf("the accept queue of %s did not fill after %d connections", l.ap, maxFillers)
	}
	return err
}

// full says whether the accept queue takes no more.
func (l *listener) full() (full bool, err error) {
	err = l.control(func(fd int) (err error) {
		full, err = acceptsNoMore(fd)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("read the accept queue of %s: %w", l.ap, err)
	}
	return full, nil
}

func (l *listener) backlog(n int) error {
	if err := l.control(func(fd int) error { return unix.Listen(fd, n) }); err != nil {
		return fmt.Errorf("set the accept queue of %s to %d: %w", l.ap, n, err)
	}
	return nil
}

func (l *listener) control(f func(fd int) error) error {
	raw, err := l.tcp.SyscallConn()
	if err != nil {
		return err
	}
	var inner error
	if err := raw.Control(func(fd uintptr) { inner = f(int(fd)) }); err != nil {
		return err
	}
	return inner
}

// dropFillers closes our ends; Accept discards the other ends by their address.
func (l *listener) dropFillers() {
	for ap, c := range l.fillers {
		if c != nil {
			_ = c.Close()
		}
		l.fillers[ap] = nil
	}
}

// detach ends Accept but keeps the silent socket.
func (l *listener) detach() {
	unlock := l.interrupt()
	defer unlock()
	l.detached = true
}

// end frees the socket.
func (l *listener) end() {
	unlock := l.interrupt()
	defer unlock()
	if l.ended {
		return
	}
	l.ended = true
	l.dropFillers()
	_ = l.tcp.Close()
}

// Close ends the listener.
func (l *listener) Close() error { l.end(); return nil }

// Addr is the address listened on.
func (l *listener) Addr() net.Addr { return net.TCPAddrFromAddrPort(l.ap) }
