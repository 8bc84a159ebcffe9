package netfault

import (
	"maps"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// conn is an accepted connection that a fault can freeze or reset.
// It embeds the interface, not *net.TCPConn, so that no promoted method
// (ReadFrom, WriteTo) can pass by the gate.
type conn struct {
	net.Conn
	tcp    *net.TCPConn
	gate   *gate
	held   Held
	set    *connSet
	killed atomic.Bool
	// inHand: something was read that nothing was written after, as of a request
	// whose response is still to come.
	inHand atomic.Bool
	gone   chan struct{} // closed by Reset: wakes what waits at the gate
	once   sync.Once
}

// Read keeps what it got back while the connection is frozen, until the thaw. So
// the caller learns nothing, but what the peer sent is known: one read's worth.
func (c *conn) Read(b []byte) (int, error) {
	n, err := c.tcp.Read(b)
	if n > 0 {
		c.inHand.Store(true)
	}
	if c.killed.Load() {
		return 0, ErrReset
	}
	if barrier := c.gate.barrier(); barrier != nil {
		if n > 0 && c.held != nil {
			c.held(addrPort(c.LocalAddr()), addrPort(c.RemoteAddr()), b[:n])
		}
		c.pass()
		if c.killed.Load() {
			return 0, ErrReset
		}
	}
	return n, err
}

// Write waits while the connection is frozen.
func (c *conn) Write(b []byte) (int, error) {
	c.pass()
	n, err := c.tcp.Write(b)
	c.inHand.Store(false)
	if err != nil && c.killed.Load() {
		return n, ErrReset
	}
	return n, err
}

// Close closes the connection. While it is frozen no FIN may leave, so the real
// close then happens at the thaw.
func (c *conn) Close() error {
	c.set.remove(c)
	if c.gate.barrier() == nil {
		return c.tcp.Close()
	}
	go func() {
		c.pass()
		_ = c.tcp.Close()
	}()
	return nil
}

// CloseWrite sends a FIN after what was written, and waits while frozen.
func (c *conn) CloseWrite() error {
	c.pass()
	return c.tcp.CloseWrite()
}

// SyscallConn is for reading the kernel's view of the connection and for setting
// its options. Bytes that pass through it would pass by the faults.
func (c *conn) SyscallConn() (syscall.RawConn, error) { return c.tcp.SyscallConn() }

// pass returns when the connection is not frozen, or is reset.
func (c *conn) pass() {
	for {
		barrier := c.gate.barrier()
		if barrier == nil {
			return
		}
		select {
		case <-barrier:
		case <-c.gone:
			return
		}
	}
}

// Reset closes the connection so that the kernel sends RST, and wakes its users.
func (c *conn) Reset() {
	c.once.Do(func() {
		c.killed.Store(true)
		_ = c.tcp.SetLinger(0)
		_ = c.tcp.Close()
		close(c.gone)
	})
}

// AwaitSent waits until the kernel's send queue is empty.
func (c *conn) AwaitSent(within time.Duration) { AwaitSent(c.tcp, within) }

// AwaitSent waits until the peer of a TCP connection has acknowledged all that was
// written, or the time is over.
func AwaitSent(c syscall.Conn, within time.Duration) {
	raw, err := c.SyscallConn()
	if err != nil {
		return
	}
	for end := time.Now().Add(within); time.Now().Before(end); time.Sleep(time.Millisecond) {
		left := 0
		err := raw.Control(func(fd uintptr) { left = unsent(int(fd)) })
		if err != nil || left == 0 {
			return
		}
	}
}

// connSet holds the open connections of one address.
type connSet struct {
	mu    sync.Mutex
	conns map[*conn]struct{}
	// refusing makes add reset what it is given: a connection that was in the
	// accept queue when the refusal began.
	refusing bool
}

func newConnSet() *connSet { return &connSet{conns: map[*conn]struct{}{}} }

func (s *connSet) add(tcp *net.TCPConn, g *gate, held Held) *conn {
	c := &conn{Conn: tcp, tcp: tcp, gate: g, held: held, set: s, gone: make(chan struct{})}
	s.mu.Lock()
	refusing := s.refusing
	s.conns[c] = struct{}{}
	s.mu.Unlock()
	if refusing {
		c.Reset()
	}
	return c
}

func (s *connSet) remove(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
}

// answerLimit is how long a node that begins to refuse takes at most to answer
// the requests it has in hand.
const answerLimit = 100 * time.Millisecond

// refuse sets whether new members are reset. The present ones are for endAll.
func (s *connSet) refuse(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refusing = on
}

// endAll resets the present members of the sets: at once, or those with a request in hand after
// its answer, within patience.
func endAll(patience time.Duration, sets ...*connSet) {
	var victims []*conn
	for _, s := range sets {
		s.mu.Lock()
		victims = slices.AppendSeq(victims, maps.Keys(s.conns))
		clear(s.conns)
		s.mu.Unlock()
	}
	end := time.Now().Add(patience)
	for len(victims) > 0 {
		late := !time.Now().Before(end)
		victims = slices.DeleteFunc(victims, func(c *conn) bool {
			if c.inHand.Load() && !late {
				return false
			}
			c.Reset()
			return true
		})
		if len(victims) > 0 {
			time.Sleep(time.Millisecond)
		}
	}
}

func addrPort(a net.Addr) netip.AddrPort {
	t, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.AddrPort{}
	}
	ap := t.AddrPort()
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}
