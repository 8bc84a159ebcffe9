package fault

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"

	"golang.org/x/sys/unix"
)

// Handshake is the result of a TLS handshake.
type Handshake string

// The ends of a handshake.
const (
	HandshakeDone      Handshake = "done"
	HandshakeAlert     Handshake = "alert"      // a fatal alert
	HandshakeTimeout   Handshake = "timeout"    // no answer in time
	HandshakeReset     Handshake = "reset"      // RST
	HandshakeClosed    Handshake = "closed"     // FIN
	HandshakeWrongName Handshake = "wrong-name" // a trusted certificate of another name
	HandshakeExpired   Handshake = "expired"    // a certificate whose time is over
	HandshakeUntrusted Handshake = "untrusted"  // a certificate of nobody who is trusted
)

// ShakeHands does a TLS handshake over conn as a client that trusts ca (PEM)
// and wants a certificate for name, until ctx ends, and gives the result.
// Probers in the pod and in this process share it.
func ShakeHands(ctx context.Context, conn net.Conn, name string, ca []byte) (Handshake, error) {
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(ca) {
		return "", errors.New("got no certificate of an authority in PEM")
	}
	err := tls.Client(conn, &tls.Config{RootCAs: roots, ServerName: name, MinVersion: tls.VersionTLS12}).HandshakeContext(ctx)
	var (
		alert     tls.AlertError
		remote    *net.OpError // how crypto/tls wraps the alert of a peer
		wrongName x509.HostnameError
		invalid   x509.CertificateInvalidError
		unknown   x509.UnknownAuthorityError
	)
	switch {
	case err == nil:
		return HandshakeDone, nil
	case errors.As(err, &wrongName):
		return HandshakeWrongName, nil
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return HandshakeExpired, nil
	case errors.As(err, &unknown):
		return HandshakeUntrusted, nil
	case errors.Is(err, unix.ECONNRESET):
		return HandshakeReset, nil
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return HandshakeClosed, nil
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		return HandshakeTimeout, nil
	case errors.As(err, &alert), errors.As(err, &remote) && remote.Op == "remote error":
		return HandshakeAlert, nil
	}
	return "", fmt.Errorf("a TLS handshake ended in a way that has no name here: %w", err)
}
