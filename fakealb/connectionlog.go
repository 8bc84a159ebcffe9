package fakealb

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/proxychaos/proxychaos/fakealb/policy"
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
		protocol, cipher, exchange = policy.VersionName(state.Version), policy.CipherName(state.CipherSuite), policy.ExchangeName(state.CurveID)
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
