package fakealb

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// connectionLog writes the lines of an ALB's connection log, one a connection:
// 13 fields (6.3 D).
type connectionLog struct {
	mu sync.Mutex
	to io.Writer // nil for none
}

// What field 11 says.
const (
	verifySuccess  = "Success"
	verifyUnmapped = "Failed:UnmappedConnectionError"
)

// verifyStatus is what the log says of a handshake that ended with err.
func verifyStatus(err error) string {
	var refused *clientCertError
	switch {
	case err == nil:
		return verifySuccess
	case errors.As(err, &refused):
		return "Failed:" + refused.code
	}
	return verifyUnmapped
}

// write logs a connection that was established, or was not. State is nil for one
// without TLS; latency is that of a handshake that succeeded.
func (l *connectionLog) write(c *clientConn, state *tls.ConnectionState, latency time.Duration, status string) {
	if l.to == nil || c.node.view().lb.Type == TypeNetwork { // which has no such log
		return
	}
	protocol, cipher, took, exchange := "-", "-", "-", "-"
	if state != nil {
		protocol, cipher, exchange = protocolName(state.Version), cipherName(state.CipherSuite), exchangeName(state.CurveID)
		if status == verifySuccess {
			took = secondsText(latency)
		}
	}
	subject, validity, serial := "-", "-", "-"
	if len(c.clientChain) > 0 {
		leaf := c.clientChain[0]
		subject, validity, serial = nameText(leaf.RawSubject), validityText(leaf), serialText(leaf)
	}
	line := strings.Join([]string{
		time.Now().UTC().Format(logTime), c.peer.Addr().String(), fmt.Sprint(c.peer.Port()), fmt.Sprint(c.port), // 1 to 4
		protocol, cipher, took, quoted(subject), validity, serial, status, c.traceID(), exchange, // 5 to 13
	}, " ") + "\n"
	l.mu.Lock()
	defer l.mu.Unlock()
	_, _ = io.WriteString(l.to, line) // best effort, as the access log
}

// traceID joins the lines of the connection log and of the access log.
func (c *clientConn) traceID() string {
	return "TID_" + digest("connection", c.opened.String(), fmt.Sprint(c.id))[:32]
}

// protocolName is the name that OpenSSL, and so AWS, gives a version: TLSv1 and on.
func protocolName(version uint16) string {
	if version == 0 {
		return "-"
	}
	return strings.TrimSuffix(strings.Replace(tls.VersionName(version), "TLS ", "TLSv", 1), ".0")
}

// cipherName is the name that OpenSSL, and so AWS, gives a cipher suite.
func cipherName(id uint16) string {
	if id == 0 {
		return "-"
	}
	name := tls.CipherSuiteName(id)
	exchange, cipher, ok := strings.Cut(strings.TrimPrefix(name, "TLS_"), "_WITH_")
	if !ok {
		return name // of TLS 1.3, where the names are the same
	}
	cipher = strings.NewReplacer("AES_", "AES", "_CBC", "", "_", "-").Replace(cipher)
	if exchange == "RSA" {
		return cipher
	}
	return strings.ReplaceAll(exchange, "_", "-") + "-" + cipher
}

// classicExchanges are the names of field 13 for key exchanges of the present: those
// of OpenSSL (G). The hybrid ones have the same names in Go as in AWS's guide (D).
var classicExchanges = map[tls.CurveID]string{
	0: "-", tls.X25519: "x25519", tls.CurveP256: "secp256r1", tls.CurveP384: "secp384r1", tls.CurveP521: "secp521r1",
}

func exchangeName(id tls.CurveID) string {
	if name, ok := classicExchanges[id]; ok {
		return name
	}
	return id.String()
}
