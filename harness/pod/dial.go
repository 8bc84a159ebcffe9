package pod

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/proxychaos/proxychaos/harness/fault"
)

// Source ports of the agent's own TCP connections. They lie below every port
// range that a kernel gives to clients by itself, so a record that shows one is
// of the harness, not of the proxy.
const (
	FirstProbePort = 700
	LastProbePort  = 799

	probePorts = LastProbePort - FirstProbePort + 1
)

func isProbePort(port uint16) bool { return port >= FirstProbePort && port <= LastProbePort }

// dialer opens marked connections. The source port moves on with each, so that
// none meets the leftovers of the one before.
type dialer struct{ next atomic.Uint32 }

// errPortsBusy is what dial gives when every probe port is in use.
var errPortsBusy = fmt.Errorf("pod: every source port from %d to %d is in use: keep fewer canaries", FirstProbePort, LastProbePort)

// port is the next of the source ports.
func (d *dialer) port() int { return FirstProbePort + int(d.next.Add(1)%probePorts) }

// dial connects from a probe port. Closing the connection sends a RST, which
// leaves nothing in TIME_WAIT.
func (d *dialer) dial(ctx context.Context, to netip.AddrPort) (*net.TCPConn, error) {
	for range probePorts {
		port := d.port()
		nd := net.Dialer{LocalAddr: &net.TCPAddr{Port: port}, Control: reuseAddress, KeepAlive: -1}
		conn, err := nd.DialContext(ctx, "tcp", to.String())
		switch {
		case err == nil:
			tcp := conn.(*net.TCPConn) //nolint:forcetypeassert // a "tcp" dial gives one
			if err := tcp.SetLinger(0); err != nil {
				return nil, errors.Join(err, tcp.Close())
			}
			return tcp, nil
		case errors.Is(err, unix.EADDRINUSE), errors.Is(err, unix.EADDRNOTAVAIL):
		default:
			return nil, err
		}
	}
	return nil, errPortsBusy
}

// dnsClient is the address from which a resolver is asked, so that IsProbe knows the query.
func (d *dialer) dnsClient(resolver netip.Addr) *net.UDPAddr {
	if resolver.Unmap().Is4() {
		return &net.UDPAddr{IP: ProbeClient.AsSlice()}
	}
	return &net.UDPAddr{IP: net.IPv6loopback, Port: d.port()}
}

func reuseAddress(_, _ string, raw syscall.RawConn) error {
	var bad error
	err := raw.Control(func(fd uintptr) {
		bad = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
	})
	return errors.Join(err, bad)
}

// connectResult names how a dial ended; an error that says nothing about the
// network is returned as it is.
func connectResult(err error) (fault.Result, error) {
	switch {
	case err == nil:
		return fault.Connected, nil
	case errors.Is(err, unix.ECONNREFUSED):
		return fault.Refused, nil
	case errors.Is(err, unix.ECONNRESET):
		return fault.Reset, nil
	case errors.Is(err, unix.EHOSTUNREACH), errors.Is(err, unix.ENETUNREACH):
		return fault.Unreachable, nil
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded), errors.Is(err, unix.ETIMEDOUT):
		return fault.TimedOut, nil
	}
	return "", err
}

// readResult names how waiting for an answer on an open connection ended.
func readResult(err error) fault.Result {
	switch {
	case err == nil:
		return fault.Answered
	case errors.Is(err, unix.ECONNRESET), errors.Is(err, unix.EPIPE):
		return fault.Reset
	case errors.Is(err, io.EOF):
		return fault.Closed
	case errors.Is(err, unix.ETIMEDOUT), errors.Is(err, os.ErrDeadlineExceeded):
		return fault.Silent
	case errors.Is(err, unix.EHOSTUNREACH), errors.Is(err, unix.ENETUNREACH):
		return fault.Unreachable
	}
	return fault.Garbled
}

// checkTarget refuses an address that cannot be dialled.
func checkTarget(addr netip.AddrPort) error {
	if !addr.IsValid() || addr.Port() == 0 {
		return invalid("addr", "got %q, want an address with a port, such as 198.18.1.10:80 or [fd00::10]:80", addr)
	}
	return nil
}

// ConnectRequest asks for one TCP handshake.
type ConnectRequest struct {
	Addr    netip.AddrPort `json:"addr"`
	Timeout Duration       `json:"timeout,omitempty"` // 0 is DefaultTimeout
}

// ConnectProbe is how a handshake went.
type ConnectProbe struct {
	Result fault.Result `json:"result"` // connected, refused, timeout, unreachable, reset
	At     time.Time    `json:"at"`     // when the SYN was sent
	Took   Duration     `json:"took"`
}

func (a *Agent) probeConnect(ctx context.Context, req ConnectRequest) (ConnectProbe, error) {
	if err := checkTarget(req.Addr); err != nil {
		return ConnectProbe{}, err
	}
	timeout, err := req.Timeout.orDefault()
	if err != nil {
		return ConnectProbe{}, err
	}
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	conn, err := a.dialer.dial(ctx, req.Addr)
	took := time.Since(began)
	result, err := connectResult(err)
	if err != nil {
		return ConnectProbe{}, err
	}
	if conn != nil {
		err = conn.Close()
	}
	return ConnectProbe{Result: result, At: began, Took: Duration(took)}, err
}
