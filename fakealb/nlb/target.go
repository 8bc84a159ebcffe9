package nlb

import (
	"context"
	"crypto/tls"
	"net"
	"time"
)

// targetConn is a connection to a target.
type targetConn struct{ *net.TCPConn }

// Reset closes the connection with RST.
func (c targetConn) Reset() {
	_ = c.SetLinger(0)
	_ = c.Close()
}

// handshake makes TLS with a target, whose certificate is not looked at (4.10 D).
func handshake(conn targetConn, alpn string, within time.Duration) (*tls.Conn, error) {
	config := &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS10} //nolint:gosec // that is the behaviour imitated
	if alpn != "" {
		config.NextProtos = []string{alpn}
	}
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	stream := tls.Client(conn, config)
	if err := stream.HandshakeContext(ctx); err != nil {
		return nil, err
	}
	return stream, nil
}
