//go:build linux

package capture

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mdlayher/packet"
	"golang.org/x/sys/unix"
)

// receiveBuffer is the socket's buffer in bytes: some 3,000 small packets at the
// kernel's accounting of about 1.3 KB each.
const receiveBuffer = 4 << 20

// Capture is a running capture. Its methods may be called from any goroutine.
type Capture struct {
	sources []*source
	closing atomic.Bool

	mu      sync.Mutex
	watched map[netip.Addr]bool
	dropped uint64
}

// source is the socket of one family.
type source struct {
	*family
	conn   *packet.Conn
	handle func(Segment)
	done   chan struct{}
	err    error // why reading ended, valid once done is closed
}

// Open starts to capture on the interface named ifname. It calls handle, once at a time,
// for each SYN to any address, and for each payload segment to a watched one.
func Open(ifname string, handle func(Segment)) (*Capture, error) {
	ifi, err := net.InterfaceByName(ifname)
	if err != nil {
		return nil, fmt.Errorf("find interface %q: %w", ifname, err)
	}
	var handling sync.Mutex
	c := &Capture{watched: map[netip.Addr]bool{}}
	for _, f := range []*family{&ipv4, &ipv6} {
		s, err := f.open(ifi, func(seg Segment) {
			handling.Lock()
			defer handling.Unlock()
			handle(seg)
		})
		if err != nil {
			return nil, errors.Join(err, c.Close())
		}
		c.sources = append(c.sources, s)
		go s.read(&c.closing)
	}
	return c, nil
}

func (f *family) open(ifi *net.Interface, handle func(Segment)) (*source, error) {
	filter, err := f.program(nil)
	if err != nil {
		return nil, err
	}
	// Datagram: packets begin at the IP header, whatever the link is.
	conn, err := packet.Listen(ifi, packet.Datagram, f.protocol, &packet.Config{Filter: filter})
	if err != nil {
		return nil, fmt.Errorf("open a packet socket on %s: %w (the capability NET_RAW is needed)", ifi.Name, err)
	}
	s := &source{family: f, conn: conn, handle: handle, done: make(chan struct{})}
	if err := s.configure(); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return s, nil
}

func (s *source) configure() error {
	raw, err := s.conn.SyscallConn()
	if err != nil {
		return fmt.Errorf("configure the packet socket: %w", err)
	}
	var inner error
	err = raw.Control(func(fd uintptr) {
		inner = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1)
		// Without NET_ADMIN the kernel clips the size; then more may be dropped,
		// which Dropped tells.
		if unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, receiveBuffer) != nil {
			_ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, receiveBuffer)
		}
	})
	if err := errors.Join(err, inner); err != nil {
		return fmt.Errorf("configure the packet socket: %w", err)
	}
	return nil
}

// Watch adds and removes addresses whose payload segments are wanted. From its
// return on they are captured.
func (c *Capture) Watch(add, remove []netip.Addr) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	next := maps.Clone(c.watched)
	for _, a := range remove {
		delete(next, a)
	}
	for _, a := range add {
		next[a] = true
	}
	if maps.Equal(next, c.watched) {
		return nil
	}
	for _, s := range c.sources {
		if err := s.watch(slices.SortedFunc(maps.Keys(next), netip.Addr.Compare)); err != nil {
			return err
		}
	}
	c.watched = next
	return nil
}

// watch has the payload segments captured of those addresses that are of the family.
func (s *source) watch(addrs []netip.Addr) error {
	filter, err := s.program(slices.DeleteFunc(addrs, func(a netip.Addr) bool { return a.BitLen() != s.bits }))
	if err != nil {
		return err
	}
	if err := s.conn.SetBPF(filter); err != nil {
		return fmt.Errorf("set the capture filter: %w", err)
	}
	return nil
}

// Dropped returns how many packets the kernel had to drop since Open because
// they were not read in time. It fails once the capture has ended.
func (c *Capture) Dropped() (uint64, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.sources {
		select {
		case <-s.done:
			return 0, errors.Join(errors.New("the capture has ended"), s.err)
		default:
		}
		stats, err := s.conn.Stats()
		if err != nil {
			return 0, fmt.Errorf("read the drop count of the capture: %w", err)
		}
		c.dropped += uint64(stats.Drops) // the kernel's count restarts at each reading
	}
	return c.dropped, nil
}

// Close ends the capture and waits for the last call of handle.
func (c *Capture) Close() error {
	c.closing.Store(true)
	var errs []error
	for _, s := range c.sources {
		err := s.conn.Close()
		<-s.done
		errs = append(errs, err, s.err)
	}
	return errors.Join(errs...)
}

func (s *source) read(closing *atomic.Bool) {
	defer close(s.done)
	raw, err := s.conn.SyscallConn()
	if err != nil {
		s.err = fmt.Errorf("read the packet socket: %w", err)
		return
	}
	d := s.decoder()
	buf, control := make([]byte, 1<<16), make([]byte, 128)
	for {
		var n, controlLen int
		var inner error
		err := raw.Read(func(fd uintptr) bool {
			n, controlLen, _, _, inner = unix.Recvmsg(int(fd), buf, control, 0)
			return !errors.Is(inner, unix.EAGAIN)
		})
		switch {
		case err != nil && closing.Load():
			return
		case err != nil:
			s.err = fmt.Errorf("read the packet socket: %w", err)
			return
		case errors.Is(inner, unix.EINTR):
			continue
		case inner != nil:
			s.err = fmt.Errorf("read the packet socket: %w", inner)
			return
		}
		if seg, ok := d.decode(buf[:n], timestamp(control[:controlLen])); ok {
			s.handle(seg)
		}
	}
}

// timestamp returns the kernel's time of a packet, or the present where the
// kernel sent none.
func timestamp(control []byte) time.Time {
	messages, err := unix.ParseSocketControlMessage(control)
	if err != nil {
		return time.Now()
	}
	for _, m := range messages {
		if m.Header.Level == unix.SOL_SOCKET && m.Header.Type == unix.SCM_TIMESTAMPNS && len(m.Data) >= 16 {
			return timespec(m.Data)
		}
	}
	return time.Now()
}
