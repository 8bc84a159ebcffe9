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
	tr := newTransport(p.group.overHTTP2(), p.node.TLS)
	dialer, connected := &net.Dialer{Timeout: p.scaled(ConnectTimeout)}, p.node.Connected
	tr.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := dialer.DialContext(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		if connected != nil {
			c = counted(c, connected)
		}
		return newHeldConn(c, &p.hold), nil
	}
	tr.TLSHandshakeTimeout = p.scaled(HandshakeTimeout)
	tr.ResponseHeaderTimeout = p.scaled(p.node.Idle)
	tr.IdleConnTimeout = p.scaled(p.node.Idle)
	tr.MaxResponseHeaderBytes = maxResponseHeader
	tr.MaxIdleConnsPerHost = 1024
	t.http = tr
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
