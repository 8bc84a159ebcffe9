package fakealb

import (
	"cmp"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/http2"

	"github.com/proxychaos/proxychaos/fakealb/desync"
	"github.com/proxychaos/proxychaos/fakealb/policy"
	"github.com/proxychaos/proxychaos/fakealb/rules"
)

// accessLog writes the lines of an ALB's access log: 33 fields (6.2 D). A request
// that a fault cut off has no line: the node is taken to have died.
type accessLog struct {
	mu sync.Mutex
	to io.Writer // nil for none
}

// The account and region of the ARNs in the log.
const (
	logRegion  = "us-east-1"
	logAccount = "000000000000"
	logTime    = "2006-01-02T15:04:05.000000Z"
)

// logEntry is what a line says.
type logEntry struct {
	x          *exchange // nil for what was no request
	c          *clientConn
	v          view
	tls        *tls.ConnectionState
	start, end time.Time
	status     int   // 0 for the end of a connection (000, 2.4.1 D)
	received   int64 // bytes, with the head
	sent       int64
	verdict    desync.Verdict
}

func (l *accessLog) write(e logEntry) {
	if l.to == nil {
		return
	}
	line := e.line()
	l.mu.Lock()
	defer l.mu.Unlock()
	_, _ = io.WriteString(l.to, line) // the log is best effort, as AWS's is
}

// line puts the fields in their order; the numbers are those of fact 6.2.
func (e *logEntry) line() string {
	lb := e.v.lb
	cipher, protocol, domain, certificate := "-", "-", "-", "-"
	if e.tls != nil {
		cipher, protocol = policy.CipherName(e.tls.CipherSuite), policy.VersionName(e.tls.Version)
		domain = orDash(e.tls.ServerName)
		certificate = "session-reused"
		if !e.tls.DidResume {
			certificate = fmt.Sprintf("arn:aws:acm:%s:%s:certificate/%s", logRegion, logAccount, uuid("certificate "+e.c.certificate))
		}
	}
	request, agent, trace := fmt.Sprintf("- %s://%s:%d- -", e.scheme(), lb.DNSName, e.c.port), "-", "-"
	target, targetStatus, times := "-", "-", [3]string{"-1", "-1", "-1"}
	priority, actions, redirect, class, group := "-1", "-", "-", "-", "-"
	targetList, statusList := "-", "-"
	if e.verdict.Class != desync.Compliant {
		class = e.verdict.Class.String()
	}
	if x := e.x; x != nil {
		request = fmt.Sprintf("%s %s://%s%s %s", x.req.Method, e.scheme(), e.hostPort(), e.path(), x.req.Proto)
		agent, trace = orDash(x.req.UserAgent()), x.traceID()
		target, targetStatus = orDash(x.targetName()), statusText(x.targetStatus)
		times = x.times(e.end)
		targetList, statusList = x.attempts()
		if x.refused == 0 { // a fault answers in place of a target
			priority, actions, redirect = strconv.Itoa(x.routing.priority), cmp.Or(x.routing.action, rules.Forward), orDash(x.routing.redirect)
		}
		if actions == rules.Forward {
			name := cmp.Or(x.group, lb.Name)
			group = fmt.Sprintf("arn:aws:elasticloadbalancing:%s:%s:targetgroup/%s/%s", logRegion, logAccount, name, hexID("group "+name))
		}
	}
	fields := []string{
		e.kind(), e.end.UTC().Format(logTime), "app/" + lb.Name + "/" + hexID(lb.Name), // 1 to 3
		e.c.peer.String(), target, times[0], times[1], times[2], // 4 to 8
		fmt.Sprintf("%03d", e.status), targetStatus, fmt.Sprint(e.received), fmt.Sprint(e.sent), // 9 to 12
		quoted(request), quoted(agent), cipher, protocol, // 13 to 16
		group,                                              // 17
		quoted(trace), quoted(domain), quoted(certificate), // 18 to 20
		priority, e.start.UTC().Truncate(time.Millisecond).Format(logTime), // 21, 22
		quoted(actions), quoted(redirect), quoted("-"), // 23 to 25
		quoted(targetList), quoted(statusList), // 26, 27
		quoted(class), quoted(orDash(e.verdict.Reason.String())), // 28, 29
		e.c.traceID(),                         // 30
		quoted("-"), quoted("-"), quoted("-"), // 31 to 33
	}
	return strings.Join(fields, " ") + "\n"
}

// attempts are fields 26 and 27: every target that was tried, and its status.
func (x *exchange) attempts() (names, statuses string) {
	names, statuses = orDash(x.targetName()), statusText(x.targetStatus)
	for _, t := range slices.Backward(x.tried) {
		names, statuses = t+" "+names, "- "+statuses
	}
	return names, statuses
}

// kind is field 1.
func (e *logEntry) kind() string {
	isSocket := e.status == http.StatusSwitchingProtocols
	switch {
	case isSocket && e.tls == nil:
		return "ws"
	case isSocket:
		return "wss"
	case e.tls == nil:
		return "http"
	case e.tls.NegotiatedProtocol == http2.NextProtoTLS && e.x != nil && isGRPC(e.x.req):
		return "grpcs"
	case e.tls.NegotiatedProtocol == http2.NextProtoTLS:
		return "h2"
	}
	return "https"
}

func (e *logEntry) scheme() string {
	if e.tls != nil {
		return "https"
	}
	return "http"
}

// path is what the client sent, as it is (6.2 D).
func (e *logEntry) path() string {
	if u := e.x.req.URL; u.IsAbs() {
		return u.RequestURI()
	}
	return e.x.req.RequestURI
}

// hostPort is the host that the request names, with the listener's port.
func (e *logEntry) hostPort() string {
	host, _, found := strings.Cut(e.x.req.Host, ":")
	if !found && host == "" {
		host = e.v.lb.DNSName
	}
	return host + ":" + strconv.Itoa(int(e.c.port))
}

// times are fields 6 to 8: until the request was with a target, until the head of
// its response came, until that was passed on. -1 is what did not happen.
func (x *exchange) times(end time.Time) [3]string {
	t := [3]string{"-1", "-1", "-1"}
	if x.sentAt.IsZero() {
		return t
	}
	t[0] = secondsText(x.sentAt.Sub(x.start))
	if x.headAt.IsZero() {
		return t
	}
	t[1] = secondsText(x.headAt.Sub(x.sentAt))
	if x.targetStatus != 0 {
		t[2] = secondsText(end.Sub(x.headAt))
	}
	return t
}

func secondsText(d time.Duration) string { return strconv.FormatFloat(max(d, 0).Seconds(), 'f', 3, 64) }

func statusText(s int) string {
	if s == 0 {
		return "-"
	}
	return strconv.Itoa(s)
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// quoted puts s in double quotes. How AWS writes a quote inside is not
// documented; here it and control characters become \xNN (G).
func quoted(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, c := range []byte(s) {
		if c < ' ' || c == '"' || c == 0x7f {
			fmt.Fprintf(&b, `\x%02X`, c)
		} else {
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// digest makes identifiers that stay the same from run to run.
func digest(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:])
}

func hexID(name string) string { return digest("id", name)[:16] }

func uuid(name string) string {
	h := digest("uuid", name)
	return strings.Join([]string{h[:8], h[8:12], h[12:16], h[16:20], h[20:32]}, "-")
}

// headBytes is about what the head of a request over HTTP/2 takes before HPACK.
func headBytes(req *http.Request) int64 {
	return fieldBytes(req.Header) + int64(len(req.Method)+len(req.RequestURI)+len("  HTTP/2.0\r\n\r\n"))
}

// fieldBytes is about what header fields take on an HTTP/1 connection.
func fieldBytes(h http.Header) int64 {
	n := 0
	for name, values := range h {
		for _, v := range values {
			n += len(name) + len(v) + len(": \r\n")
		}
	}
	return int64(n)
}
