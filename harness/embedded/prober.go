package embedded

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/miekg/dns"

	"github.com/proxychaos/proxychaos/harness/fault"
)

// Prober looks at the nodes from this process. It implements fault.Prober.
// Ports below 1024 are not for an ordinary user, so it remembers which
// connections are its own.
type Prober struct {
	mu   sync.Mutex
	own  map[netip.AddrPort]bool
	held map[netip.AddrPort]net.Conn
}

// Probe is the bed's prober.
func (b *Bed) Probe() *Prober { return &b.probe }

// IsOwn says whether a connection or query from that address was a probe.
func (p *Prober) IsOwn(peer netip.AddrPort) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.own[peer]
}

func (p *Prober) note(addr net.Addr) {
	local, err := netip.ParseAddrPort(addr.String())
	if err != nil {
		return // every address of a socket here has a port
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.own == nil {
		p.own, p.held = map[netip.AddrPort]bool{}, map[netip.AddrPort]net.Conn{}
	}
	p.own[local] = true
}

// dial connects and gives the result.
func (p *Prober) dial(ctx context.Context, to netip.AddrPort, timeout time.Duration) (net.Conn, fault.Result, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	// The socket must be known as a probe's before the node sees it.
	dialer := net.Dialer{ControlContext: func(_ context.Context, _, _ string, c syscall.RawConn) error {
		var bindErr error
		err := c.Control(func(fd uintptr) {
			if bindErr = syscall.Bind(int(fd), &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); bindErr != nil {
				return
			}
			var local syscall.Sockaddr
			if local, bindErr = syscall.Getsockname(int(fd)); bindErr == nil {
				if in, ok := local.(*syscall.SockaddrInet4); ok {
					p.note(&net.TCPAddr{IP: in.Addr[:], Port: in.Port})
				}
			}
		})
		return errors.Join(err, bindErr)
	}}
	conn, err := dialer.DialContext(ctx, "tcp4", to.String())
	if err != nil {
		result, err := ended(err)
		return nil, result, err
	}
	return conn, fault.Connected, nil
}

// open is dial for a caller that needs a connection: anything else is an error.
func (p *Prober) open(ctx context.Context, to netip.AddrPort, timeout time.Duration) (net.Conn, error) {
	conn, result, err := p.dial(ctx, to, timeout)
	if conn == nil && err == nil {
		err = fmt.Errorf("got %s, want a connection", result)
	}
	return conn, err
}

// ended names how a connection failed, or returns an error it does not know.
func ended(err error) (fault.Result, error) {
	var timeout net.Error
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return fault.Refused, nil
	case errors.Is(err, syscall.ECONNRESET):
		return fault.Reset, nil
	case errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return fault.TimedOut, nil
	default:
		return "", err
	}
}

// Lookup implements fault.Prober.
func (p *Prober) Lookup(ctx context.Context, resolver netip.AddrPort, name, qtype string) ([]netip.Addr, error) {
	conn, err := dns.DialTimeout("udp", resolver.String(), time.Second)
	if err != nil {
		return nil, err
	}
	p.note(conn.LocalAddr())
	client := dns.Client{Timeout: 2 * time.Second}
	reply, _, err := client.ExchangeWithConnContext(ctx, new(dns.Msg).SetQuestion(dns.Fqdn(name), dns.StringToType[qtype]), conn)
	if err = errors.Join(err, conn.Close()); err != nil {
		return nil, err
	}
	if reply.Rcode != dns.RcodeSuccess {
		return nil, fmt.Errorf("got %s, want an answer", dns.RcodeToString[reply.Rcode])
	}
	return fault.Addresses(reply.Answer), nil
}

// Connect implements fault.Prober.
func (p *Prober) Connect(ctx context.Context, to netip.AddrPort, timeout time.Duration) (fault.Result, error) {
	conn, result, err := p.dial(ctx, to, timeout)
	if conn != nil {
		err = conn.Close()
	}
	return result, err
}

// Hold implements fault.Prober.
func (p *Prober) Hold(ctx context.Context, to netip.AddrPort) error {
	conn, err := p.open(ctx, to, 2*time.Second)
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.held[to] = conn
	return nil
}

// Ask implements fault.Prober.
func (p *Prober) Ask(_ context.Context, to netip.AddrPort, timeout time.Duration) (fault.Result, error) {
	p.mu.Lock()
	conn := p.held[to]
	p.mu.Unlock()
	if conn == nil {
		return "", fmt.Errorf("no connection to %s was opened before", to)
	}
	answer, err := question(conn, to, timeout)
	return answer.Result, err
}

// question makes one request on an open connection and gives the result.
func question(conn net.Conn, to netip.AddrPort, timeout time.Duration) (fault.Answer, error) {
	answer, err := get(conn, to, timeout)
	if err == nil {
		return answer, nil
	}
	switch result, unknown := ended(err); {
	case result == fault.TimedOut:
		return fault.Answer{Result: fault.Silent}, nil
	case result != "":
		return fault.Answer{Result: result}, nil
	case errors.Is(err, syscall.EPIPE):
		return fault.Answer{Result: fault.Reset}, nil
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fault.Answer{Result: fault.Closed}, nil
	default:
		return fault.Answer{}, unknown
	}
}

// Get implements fault.Prober.
func (p *Prober) Get(ctx context.Context, to netip.AddrPort, timeout time.Duration) (fault.Answer, error) {
	began := time.Now()
	conn, result, err := p.dial(ctx, to, timeout)
	if conn == nil {
		return fault.Answer{Result: result, Took: time.Since(began)}, err
	}
	answer, err := question(conn, to, timeout)
	answer.Took = time.Since(began)
	return answer, errors.Join(err, conn.Close())
}

// Handshake implements fault.Prober.
func (p *Prober) Handshake(ctx context.Context, to netip.AddrPort, name string, ca []byte, timeout time.Duration) (fault.Handshake, error) {
	conn, err := p.open(ctx, to, timeout)
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	result, err := fault.ShakeHands(ctx, conn, name, ca)
	if closeErr := conn.Close(); !errors.Is(closeErr, net.ErrClosed) { // as it is after a timeout
		err = errors.Join(err, closeErr)
	}
	return result, err
}

// get makes one request on an open connection.
func get(conn net.Conn, to netip.AddrPort, timeout time.Duration) (fault.Answer, error) {
	if err := conn.SetDeadline(time.Now().Add(timeout)); err != nil {
		return fault.Answer{}, err
	}
	if _, err := fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: %s\r\n\r\n", to); err != nil {
		return fault.Answer{}, err
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return fault.Answer{}, err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return fault.Answer{Result: fault.Answered, Status: resp.StatusCode, Server: resp.Header.Get("Server")}, errors.Join(err, resp.Body.Close())
}

func (p *Prober) drop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, conn := range p.held {
		_ = conn.Close() // its node may have ended it long ago
	}
}
