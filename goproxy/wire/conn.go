package wire

import (
	"io"
	"net"
	"os"
	"syscall"
)

// Conn is a TCP connection. Like a net.Conn it may be read by one goroutine
// while another writes; unlike one, not by several at a time.
type Conn struct {
	*net.TCPConn
	raw     syscall.RawConn
	in, out transfer
	quiet   bool // what look found

	// Kept, so that a call allocates nothing.
	receive, send func(fd uintptr) bool
	peek          func(fd uintptr)
}

// transfer is one Read or Write.
type transfer struct {
	data []byte
	n    int
	err  error
}

// New returns a Conn in place of tcp, which must not be used beside it. An
// error says that tcp is nil.
func New(tcp *net.TCPConn) (*Conn, error) {
	raw, err := tcp.SyscallConn()
	if err != nil {
		return nil, err
	}
	c := &Conn{TCPConn: tcp, raw: raw}
	c.receive, c.send, c.peek = c.tryRead, c.tryWrite, c.look
	return c, nil
}

// Read implements net.Conn.
func (c *Conn) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	c.in = transfer{data: p}
	err := c.raw.Read(c.receive)
	done := c.in
	c.in = transfer{}
	if err != nil {
		return 0, err
	}
	return done.n, done.err
}

// tryRead reports whether that settled anything; the poller else waits.
func (c *Conn) tryRead(fd uintptr) bool {
	n, err := Read(fd, c.in.data)
	switch {
	case err == syscall.EAGAIN: //nolint:errorlint // a bare errno
		return false
	case err != nil:
		c.in.err = c.failed("read", err)
	case n == 0:
		c.in.err = io.EOF
	}
	c.in.n = n
	return true
}

// Write implements net.Conn.
func (c *Conn) Write(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	c.out = transfer{data: p}
	err := c.raw.Write(c.send)
	done := c.out
	c.out = transfer{}
	if err == nil {
		err = done.err
	}
	return done.n, err
}

// tryWrite reports whether all is written, or can never be.
func (c *Conn) tryWrite(fd uintptr) bool {
	for c.out.n < len(c.out.data) {
		n, err := write(fd, c.out.data[c.out.n:])
		if err == syscall.EAGAIN { //nolint:errorlint // a bare errno
			return false
		}
		if err != nil {
			c.out.err = c.failed("write", err)
			return true
		}
		c.out.n += n
	}
	return true
}

// Quiet reports whether there is nothing to read, and not the end either.
func (c *Conn) Quiet() bool {
	c.quiet = false
	err := c.raw.Control(c.peek)
	return err == nil && c.quiet
}

func (c *Conn) look(fd uintptr) {
	var one [1]byte
	_, err := peek(fd, one[:])
	c.quiet = err == syscall.EAGAIN //nolint:errorlint // a bare errno
}

func (c *Conn) failed(call string, err error) error {
	return &net.OpError{Op: call, Net: "tcp", Source: c.LocalAddr(), Addr: c.RemoteAddr(), Err: os.NewSyscallError(call, err)}
}
