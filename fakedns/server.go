package fakedns

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Server is a fake DNS server. Make one with [New].
type Server struct {
	cfg   Config
	log   *queryLog
	state atomic.Pointer[state]

	mu      sync.Mutex // guards what follows, and every replacement of state
	history []Change
	binds   []*binding
	running bool
	closed  bool

	control *http.Server
	ctlSock net.Listener

	closing chan struct{} // closed by Close
	failed  chan error    // the first socket error while running
	work    sync.WaitGroup
}

// New checks the configuration and opens its sockets, so that [Server.Addrs] is
// known; they are served once [Server.Run] is called. Errors about the
// configuration are *Error.
func New(cfg Config) (*Server, error) {
	checked, bad := cfg.normalize()
	if bad != nil {
		return nil, bad
	}
	initial, _, bad := newTable().with(checked.Names, time.Now())
	if bad != nil {
		return nil, bad
	}
	s := &Server{
		cfg: checked, log: newQueryLog(),
		closing: make(chan struct{}), failed: make(chan error, 1),
	}
	s.state.Store(&state{table: initial})
	ctx := context.Background()
	for _, addr := range checked.Listen {
		if err := s.Listen(ctx, addr); err != nil {
			return nil, errors.Join(err, s.Close())
		}
	}
	if checked.Control.IsValid() {
		if err := s.openControl(ctx, checked.Control); err != nil {
			return nil, errors.Join(err, s.Close())
		}
	}
	return s, nil
}

func (s *Server) openControl(ctx context.Context, addr netip.AddrPort) error {
	sock, err := new(net.ListenConfig).Listen(ctx, "tcp", addr.String())
	if err != nil {
		return err
	}
	s.ctlSock = sock
	s.control = &http.Server{Handler: s.Handler(), ReadHeaderTimeout: 10 * time.Second}
	return nil
}

// Run serves until ctx ends, Close is called or a socket fails, then closes the
// server and returns; nil unless a socket failed. A server runs once.
func (s *Server) Run(ctx context.Context) error {
	if err := s.start(); err != nil {
		return err
	}
	var failure error
	select {
	case <-ctx.Done():
	case <-s.closing:
	case failure = <-s.failed:
	}
	return errors.Join(failure, s.Close())
}

func (s *Server) start() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errClosed()
	}
	if s.running {
		return invalid("", "Run was called twice, want once")
	}
	s.running = true
	for _, b := range s.binds {
		s.serve(b)
	}
	if s.control != nil {
		s.work.Go(func() {
			if err := s.control.Serve(s.ctlSock); !errors.Is(err, http.ErrServerClosed) {
				s.fail(err)
			}
		})
	}
	return nil
}

// Close stops serving, closes every socket and waits until all work has ended. It
// may be called more than once, with or without Run.
func (s *Server) Close() error {
	s.mu.Lock()
	first := !s.closed
	s.closed = true
	binds := s.binds
	s.mu.Unlock()
	var errs []error
	if first {
		close(s.closing)
		for _, b := range binds {
			errs = append(errs, b.close())
		}
		errs = append(errs, s.closeControl())
	}
	s.work.Wait()
	return errors.Join(errs...)
}

func (s *Server) closeControl() error {
	if s.control == nil {
		return nil
	}
	// The http.Server knows its socket only once it serves.
	err := s.control.Close()
	if sockErr := s.ctlSock.Close(); !errors.Is(sockErr, net.ErrClosed) {
		err = errors.Join(err, sockErr)
	}
	return err
}

// Listen adds an address to answer on, over UDP and TCP, at any time; the address
// must exist on this machine. With port 0, Addrs tells the port.
func (s *Server) Listen(ctx context.Context, addr netip.AddrPort) error {
	if !addr.IsValid() {
		return invalid("listen", "not an address with a port, want one such as 127.0.0.1:53")
	}
	b, err := bind(ctx, net.ListenConfig{Control: s.cfg.SocketOptions}, addr)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errors.Join(errClosed(), b.close())
	}
	s.binds = append(s.binds, b)
	if s.running {
		s.serve(b)
	}
	return nil
}

// Addrs returns the addresses that are answered on, in the order they were added.
func (s *Server) Addrs() []netip.AddrPort {
	s.mu.Lock()
	defer s.mu.Unlock()
	addrs := make([]netip.AddrPort, len(s.binds))
	for i, b := range s.binds {
		addrs[i] = b.addr
	}
	return slices.Clip(addrs)
}

// ControlURL returns the base URL of the control API, such as
// "http://127.0.0.1:40001"; "" without Config.Control.
func (s *Server) ControlURL() string {
	if s.ctlSock == nil {
		return ""
	}
	return "http://" + s.ctlSock.Addr().String()
}

// fail reports a socket error that ends Run; later ones say nothing new.
func (s *Server) fail(err error) {
	select {
	case s.failed <- err:
	default:
	}
}

func (s *Server) isClosing() bool {
	select {
	case <-s.closing:
		return true
	default:
		return false
	}
}
