package pod

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// BesideRequest says which node answers for the applications beside the proxy: it is sent
// what the proxy sends to a port at which nothing listens, of a loopback address or of one of
// [AddressesRequest] or that the proxy listens at, and to [AppSocket].
type BesideRequest struct {
	Node netip.Addr `json:"node"`
}

func (r BesideRequest) validate() error {
	if !r.Node.IsValid() || r.Node.IsLoopback() {
		return invalid("node", "got %q, want the address of a node", r.Node)
	}
	return nil
}

// AppSocket is the name in Config.Sockets of the socket at which an application answers. The
// node is asked at AppSocketPort.
const (
	AppSocket     = "application"
	AppSocketPort = 80
)

const (
	// besidePort is where connections to applications are taken. It is above those of
	// connections, as renew.Port is.
	besidePort = 61102
	// besideTimeout is how long a connect to the node may take. It is never struck.
	besideTimeout = 5 * time.Second
)

// beside passes on connections to applications beside the proxy.
type beside struct {
	node netip.Addr
	way  *diversion // nil until there is one
	work sync.WaitGroup

	mu     sync.Mutex
	open   map[io.Closer]bool
	closed bool
}

// startBeside listens, and has connections to loopback addresses delivered if nothing else
// takes them.
func startBeside(req BesideRequest, sockets string) (*beside, error) {
	if err := req.validate(); err != nil {
		return nil, err
	}
	b := &beside{node: req.Node, open: map[io.Closer]bool{}}
	for _, family := range families() {
		address := netip.AddrPortFrom(loopbackOf[family], besidePort)
		config := net.ListenConfig{Control: transparent}
		l, err := config.Listen(context.Background(), "tcp", address.String())
		if err != nil {
			return nil, errors.Join(fmt.Errorf("pod: listen for applications: %w", err), b.stop())
		}
		b.accept(l)
	}
	if sockets != "" {
		l, err := listenApp(filepath.Join(sockets, AppSocket))
		if err != nil {
			return nil, errors.Join(fmt.Errorf("pod: listen for applications: %w", err), b.stop())
		}
		b.accept(l)
	}
	var err error
	if b.way, err = divertLoopback(besidePort); err != nil {
		return nil, errors.Join(err, b.stop())
	}
	return b, nil
}

// listenApp makes the socket, in place of that of an agent before this one.
func listenApp(socket string) (net.Listener, error) {
	if err := clearSocket(socket); err != nil {
		return nil, err
	}
	l, err := new(net.ListenConfig).Listen(context.Background(), "unix", socket)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(socket, 0o666); err != nil { //nolint:gosec // workers run as any user
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

func (b *beside) accept(l net.Listener) {
	b.keep(l)
	b.work.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			b.work.Go(func() { b.relay(conn) })
		}
	})
}

// relay connects to the node, at the port that the proxy asked for, and copies bytes both
// ways.
func (b *beside) relay(conn net.Conn) {
	defer b.drop(conn)
	if !b.keep(conn) {
		return
	}
	port := uint16(AppSocketPort)
	if at, is := conn.LocalAddr().(*net.TCPAddr); is {
		port = at.AddrPort().Port()
	}
	dialer := net.Dialer{Timeout: besideTimeout}
	node, err := dialer.DialContext(context.Background(), "tcp", netip.AddrPortFrom(b.node, port).String())
	if err != nil {
		return // so the proxy's connection is closed, as by an application that fails
	}
	defer b.drop(node)
	if !b.keep(node) {
		return
	}
	var ways sync.WaitGroup
	ways.Go(func() { pass(node, conn) })
	ways.Go(func() { pass(conn, node) })
	ways.Wait()
}

// pass copies what comes from one connection to another, and its end.
func pass(to, from net.Conn) {
	_, _ = io.Copy(to, from) // an error ends the connection, which is all that can be told
	if half, is := to.(interface{ CloseWrite() error }); is {
		_ = half.CloseWrite()
	}
}

// keep has something closed by stop. It says no if that has been.
func (b *beside) keep(c io.Closer) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.closed {
		b.open[c] = true
	}
	return !b.closed
}

func (b *beside) drop(c io.Closer) {
	b.mu.Lock()
	delete(b.open, c)
	b.mu.Unlock()
	_ = c.Close() // nothing is written to it any more
}

// stop undoes what startBeside did.
func (b *beside) stop() error {
	err := b.way.stop()
	b.mu.Lock()
	b.closed = true
	for c := range b.open {
		_ = c.Close() // they are given up
	}
	b.mu.Unlock()
	b.work.Wait()
	return err
}
