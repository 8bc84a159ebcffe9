package fakedns

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"syscall"
)

// binding is one address with its two sockets.
type binding struct {
	addr netip.AddrPort
	udp  *net.UDPConn
	tcp  *net.TCPListener
	// wild: bound to 0.0.0.0 or ::, so each datagram says which address it came to.
	wild bool
}

// portTries is how often a free TCP port may turn out to be taken for UDP.
const portTries = 16

func bind(ctx context.Context, lc net.ListenConfig, addr netip.AddrPort) (*binding, error) {
	var err error
	for range portTries {
		var b *binding
		b, err = bindBoth(ctx, lc, addr)
		if err == nil {
			return b, nil
		}
		if addr.Port() != 0 || !errors.Is(err, syscall.EADDRINUSE) {
			break
		}
	}
	return nil, fmt.Errorf("fakedns: listen on %s: %w", addr, err)
}

func bindBoth(ctx context.Context, lc net.ListenConfig, addr netip.AddrPort) (*binding, error) {
	family := "4"
	if addr.Addr().Is6() && !addr.Addr().Is4In6() {
		family = "6"
	}
	tcp, err := lc.Listen(ctx, "tcp"+family, addr.String())
	if err != nil {
		return nil, err
	}
	port := tcp.Addr().(*net.TCPAddr).AddrPort().Port()
	b := &binding{
		addr: netip.AddrPortFrom(addr.Addr().Unmap(), port),
		tcp:  tcp.(*net.TCPListener),
		wild: addr.Addr().Unmap().IsUnspecified(),
	}
	udp, err := lc.ListenPacket(ctx, "udp"+family, b.addr.String())
	if err != nil {
		return nil, errors.Join(err, tcp.Close())
	}
	b.udp = udp.(*net.UDPConn)
	// A burst must not be lost in the kernel, or a test would see a timeout that
	// nobody asked for. The kernel caps this without an error.
	const receiveBuffer = 4 << 20
	err = b.udp.SetReadBuffer(receiveBuffer)
	if err == nil && b.wild {
		err = askDestination(b.udp, family)
	}
	if err != nil {
		return nil, errors.Join(err, b.close())
	}
	return b, nil
}

func (b *binding) close() error {
	err := b.tcp.Close()
	if b.udp != nil {
		err = errors.Join(err, b.udp.Close())
	}
	return err
}

// serve starts answering on b. The caller holds s.mu.
func (s *Server) serve(b *binding) {
	// One worker for every two cores: each more makes batches smaller, and whoever
	// asks needs a core too.
	for range max(1, runtime.GOMAXPROCS(0)/2) {
		s.work.Go(func() { s.serveUDP(b) })
	}
	s.work.Go(func() { s.serveTCP(b) })
}
