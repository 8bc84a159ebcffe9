package goproxy

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/proxychaos/proxychaos/goproxy/http1"
	"github.com/proxychaos/proxychaos/goproxy/wire"
)

// unusedGrace is how long a drain waits for the first request on a connection
// that was accepted before it. Browsers and HTTP clients open such spare
// connections all the time.
const unusedGrace = 250 * time.Millisecond

// keptGrace is how long a drain waits for the next request on a connection that
// the client was told is kept. Closing it at once would reset a request that is
// on its way; the answer to that one says that the connection ends.
const keptGrace = time.Second

// clients is every HTTP/1 connection from clients.
type clients struct {
	most     int // 0 for no limit
	draining atomic.Bool

	mu      sync.Mutex
	conns   map[*clientConn]struct{}
	apart   int           // tunnels and HTTP/2
	changed chan struct{} // a drain waits on it; nil before
}

// add takes a connection in and reports whether there is room for it.
func (l *clients) add(c *clientConn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.most > 0 && len(l.conns) >= l.most {
		return false
	}
	l.conns[c] = struct{}{}
	return true
}

func (l *clients) remove(c *clientConn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, ok := l.conns[c]; !ok {
		return
	}
	delete(l.conns, c)
	if c.state.Swap(connClosed) == connApart {
		l.apart--
	}
	l.tell()
}

// setApart notes that a connection became a tunnel, which no drain waits for,
// or HTTP/2, which has a drain of its own. It reports whether the connection
// is still in use.
func (l *clients) setApart(c *clientConn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if c.state.Swap(connApart) == connClosed {
		c.state.Store(connClosed)
		return false
	}
	l.apart++
	l.tell()
	return true
}

func (l *clients) tell() {
	if l.changed == nil {
		return
	}
	select {
	case l.changed <- struct{}{}:
	default:
	}
}

// drain closes what has no request after a grace, and the rest when its request
// is over. It returns when that is done or ctx ends, and reports which.
func (l *clients) drain(ctx context.Context) bool {
	l.mu.Lock()
	l.changed = make(chan struct{}, 1)
	l.mu.Unlock()
	l.draining.Store(true)
	defer time.AfterFunc(keptGrace, func() { l.closeAll(connIdle) }).Stop()
	defer time.AfterFunc(unusedGrace, func() { l.closeAll(connNew) }).Stop()
	for {
		l.mu.Lock()
		busy := len(l.conns) - l.apart
		l.mu.Unlock()
		if busy == 0 {
			return true
		}
		select {
		case <-l.changed:
		case <-ctx.Done():
			return false
		}
	}
}

// closeAll closes the connections in a state.
func (l *clients) closeAll(state int32) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range l.conns {
		if c.state.CompareAndSwap(state, connClosed) {
			_ = c.Close() // the client may have been faster
		}
	}
}

// closeRest closes every connection, whatever it does. A response that is not
// whole must not look so.
func (l *clients) closeRest() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range l.conns {
		if c.state.Load() == connActive {
			c.breakOff()
		}
		_ = c.Close() // the client may have been faster
	}
}

// accept serves the connections of a listener until it is closed.
func (p *Proxy) accept(l net.Listener, wrap func(net.Conn) net.Conn) error {
	const mostPause = time.Second
	pause := time.Duration(0)
	for {
		conn, err := l.Accept()
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return err
			}
			// Out of files, or a client that was gone at once: both pass.
			pause = min(max(2*pause, 5*time.Millisecond), mostPause)
			p.log.Warn("accept", "error", err.Error(), "pause", pause.String())
			time.Sleep(pause)
			continue
		}
		pause = 0
		socket, err := wire.New(conn.(*net.TCPConn))
		if err != nil {
			return err // it is no connection
		}
		conn = socket
		c := &clientConn{proxy: p, secure: l == p.secure, remote: conn.RemoteAddr().String()}
		if p.proxyProtocol && p.table.Load().trust.has(hostname(c.remote)) {
			c.proxied = &proxiedConn{Conn: conn, tcp: socket}
			conn = c.proxied
		}
		c.Conn = wrap(conn)
		if !p.clients.add(c) {
			_ = conn.Close() // clients.max_connections
			continue
		}
		// Done here, these do not let the stack of a goroutine grow that may
		// never do more than wait.
		c.r = http1.NewReader(c.Conn)
		c.arm(time.Now().Add(p.limits.idle))
		p.handlers.Add(1)
		go c.serve()
	}
}
