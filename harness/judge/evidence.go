package judge

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/proxychaos/proxychaos/harness/recording"
)

// row is one row of the recording, by its index.
type row struct {
	file  string
	index int
}

// maxEvidence is how many rows a finding quotes. The rest is counted.
const maxEvidence = 5

// quote gives the rows as "file:line what stands there".
func (c *brief) quote(rows ...row) []string {
	lines := []string{}
	for i, r := range rows {
		if i == maxEvidence {
			return append(lines, fmt.Sprintf("and %s more", comma(len(rows)-maxEvidence)))
		}
		lines = append(lines, fmt.Sprintf("%s:%d %s", r.file, r.index+1, c.describe(r)))
	}
	return lines
}

// requestRows are the rows of the requests that are meant, in the order of their file.
func (c *brief) requestRows(meant func(recording.Request) bool) []row {
	var rows []row
	for i, request := range c.Requests {
		if meant(request) {
			rows = append(rows, row{recording.RequestsFile, i})
		}
	}
	return rows
}

func (c *brief) describe(r row) string {
	switch r.file {
	case recording.AttemptsFile:
		a := c.Attempts[r.index]
		return fmt.Sprintf("%s %s %s (seq %d) at %s on connection %d: %s%s", at(a.At), a.Method, a.Path, a.Seq, a.Node, a.Conn, status(a.Status), passedOn(a))
	case recording.PacketsFile:
		p := c.Packets[r.index]
		if p.Kind == recording.SYN {
			return fmt.Sprintf("%s connection attempt to %s from %s", at(p.At), p.Node, p.Peer)
		}
		return fmt.Sprintf("%s request (seq %d) sent to %s from %s", at(p.At), p.Seq, p.Node, p.Peer)
	case recording.ConnectionsFile:
		conn := c.Connections[r.index]
		return fmt.Sprintf("%s connection %d to %s, %s", at(conn.Opened), conn.Conn, conn.Node, requests(conn.Requests))
	case recording.QueriesFile:
		q := c.Queries[r.index]
		return fmt.Sprintf("%s %s %s: %s %s TTL %s", at(q.At), q.Type, q.Name, q.Rcode, addresses(q.Answers), span(q.TTL))
	case recording.ChecksFile:
		k := c.Checks[r.index]
		return fmt.Sprintf("%s health check of %s by %s: %s after %s, %s", at(k.At), k.Target, k.Node, checked(k), span(k.Done-k.At), k.State)
	case recording.SocketsFile:
		return socket(c.Sockets[r.index])
	case recording.RequestsFile:
		q := c.Requests[r.index]
		return fmt.Sprintf("%s seq %d: %s after %s", at(q.Sent), q.Seq, q.Outcome, span(q.Latency))
	}
	line := c.ProxyLog[r.index]
	return fmt.Sprintf("%s %s", at(line.At), line.Text)
}

// passedOn says of a request in front what became of it at the proxy.
func passedOn(a recording.Attempt) string {
	if a.Target == "" {
		return ""
	}
	on := "a new connection"
	if a.TargetIdle > 0 {
		on = "a connection idle for " + span(a.TargetIdle)
	}
	because := ""
	if a.TargetTLSFailed {
		because = ", no TLS handshake"
	}
	return fmt.Sprintf("; passed on to %s on %s: %s%s", a.Target, on, status(a.TargetStatus), because)
}

// socket says what became of a WebSocket.
func socket(s recording.Socket) string {
	if s.Opened == 0 {
		return fmt.Sprintf("%s client %d asked for a WebSocket: %s after %s", at(s.Asked), s.Client, s.Outcome, span(s.Ended-s.Asked))
	}
	return fmt.Sprintf("%s WebSocket of client %d at %s, open since %s: %s, after %s", at(s.Ended), s.Client, s.Node, at(s.Opened), s.Outcome, count(s.Messages, "message", "messages"))
}

// checked gives the result of a health check.
func checked(k recording.Check) string {
	switch {
	case k.Passed:
		return "passed"
	case k.TLSFailed:
		return "no TLS handshake"
	case k.Code != 0:
		return status(k.Code)
	}
	return k.Reason
}

func at(s recording.Seconds) string { return fmt.Sprintf("t=%.3f s", float64(s)) }

func status(code int) string {
	if code == 0 {
		return "no answer"
	}
	return fmt.Sprint(code)
}

func addresses(list []netip.Addr) string {
	var parts []string
	for _, address := range list {
		parts = append(parts, address.String())
	}
	return strings.Join(parts, ", ")
}
