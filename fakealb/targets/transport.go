package targets

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"sync"
	"time"
)

// Timers and limits towards targets.
const (
	ConnectTimeout    = 10 * time.Second // 3.1.3 D
	HandshakeTimeout  = 10 * time.Second // 3.1.3 D
	maxResponseHeader = 32 << 10         // 2.1.3 D
)

// newTransport speaks HTTP/1.1, or HTTP/2 with prior knowledge, and validates no
// certificate. Policy is Node.TLS.
func newTransport(http2 bool, policy *tls.Config) *http.Transport {
	var protocols http.Protocols
	protocols.SetHTTP1(!http2)
	protocols.SetHTTP2(http2)
	protocols.SetUnencryptedHTTP2(http2)
	return &http.Transport{Protocols: &protocols, TLSClientConfig: anyCertificate(policy), DisableCompression: true}
}

// connect gives a target a transport of its own, which keeps connections for
// further requests and opens none ahead (3.1.1 D). mu is held.
func (p *Pool) connect(t *target) {
	if t.builtIn != nil {
		return
	}
	t.disconnect()
	dialer, connected := &net.Dialer{Timeout: p.scaled(ConnectTimeout)}, p.node.Connected
	dial := func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := dialer.DialContext(ctx, network, addr)
		if err != nil || connected == nil {
			return c, err
		}
		return counted(c, connected), nil
	}
	if !p.group.overHTTP2() {
		t.http = p.newHTTP1(t.addr.String(), dial)
		return
	}
	tr := newTransport(true, p.node.TLS)
	tr.DialContext = dial
	tr.TLSHandshakeTimeout = p.scaled(HandshakeTimeout)
	tr.ResponseHeaderTimeout = p.scaled(p.node.Idle)
	tr.IdleConnTimeout = p.kept()
	tr.MaxResponseHeaderBytes = maxResponseHeader
	tr.MaxIdleConnsPerHost = 1024
	t.http = tr
}

// newHTTP1 is what speaks HTTP/1.1 to the target at an address. mu is held.
func (p *Pool) newHTTP1(addr string, dial func(ctx context.Context, network, addr string) (net.Conn, error)) *http1 {
	within := p.scaled(HandshakeTimeout)
	var config *tls.Config // nil without TLS
	if p.group.Protocol == "HTTPS" {
		config = anyCertificate(p.node.TLS)
	}
	return &http1{idle: p.scaled(p.node.Idle), kept: p.kept(), hold: &p.hold, dial: func(ctx context.Context) (net.Conn, error) {
		c, err := dial(ctx, "tcp", addr)
		if err != nil || config == nil {
			return c, err
		}
		return handshake(ctx, c, config, within)
	}}
}

// transport speaks to one target over connections that it keeps.
type transport interface {
	http.RoundTripper
	CloseIdleConnections()
}

// countedConn tells of its end.
type countedConn struct {
	net.Conn
	ended func()
}

func counted(c net.Conn, connected func(int)) net.Conn {
	connected(1)
	return &countedConn{c, sync.OnceFunc(func() { connected(-1) })}
}

// NetConn is the connection itself, as of tls.Conn.
func (c *countedConn) NetConn() net.Conn { return c.Conn }

// Close closes the connection.
func (c *countedConn) Close() error {
	defer c.ended()
	return c.Conn.Close()
}

// disconnect closes the connections to a target that are idle.
func (t *target) disconnect() {
	if t.http != nil {
		t.http.CloseIdleConnections()
	}
}
