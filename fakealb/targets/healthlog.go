package targets

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// CheckEntry is one line of an ALB's health check log (3.2 D).
type CheckEntry struct {
	Type    string // http, https, h2 or grpc
	Time    time.Time
	Latency time.Duration // real time, as in every log
	Target  string        // ip:port, or the name of a built-in one
	Group   string
	Passed  bool
	Code    int    // status or gRPC code; -1 without one
	Reason  string // empty if it passed

	// What follows is not in the line: which node of which load balancer checked, whether the
	// target is a built-in one, whether the TLS handshake was not completed, and the
	// target's state after the check.
	Node         netip.Addr
	LoadBalancer string
	BuiltIn      bool
	TLSFailed    bool
	State        State
}

// entry describes a check that was begun at that time and has just ended.
func (p *Pool) entry(t *target, g Group, r result, begun time.Time) CheckEntry {
	kind := strings.ToLower(g.Health.Protocol)
	switch g.ProtocolVersion {
	case VersionGRPC:
		kind = "grpc"
	case VersionHTTP2:
		kind = "h2"
	}
	name := t.id
	if g.Health.Port != 0 && t.builtIn == nil {
		name = fmt.Sprintf("%s:%d", t.addr.Addr(), g.Health.Port)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return CheckEntry{
		Type: kind, Time: begun, Latency: time.Since(begun),
		Target: name, Group: g.Name, Passed: r.ok, Code: r.code, Reason: r.logged,
		Node: p.node.Addr, LoadBalancer: p.node.LoadBalancer, BuiltIn: t.builtIn != nil, TLSFailed: r.tlsFailed, State: t.now.state,
	}
}

// Line is the entry as the log has it, with the end of the line.
func (e CheckEntry) Line() string {
	verdict, code, reason := "FAIL", "-", e.Reason
	if e.Passed {
		verdict, reason = "PASS", "-"
	}
	if e.Code >= 0 {
		code = strconv.Itoa(e.Code)
	}
	return fmt.Sprintf("%s %s %.9f %s %s %s %s %s\n", e.Type, e.Time.UTC().Format("2006-01-02T15:04:05.000000Z"),
		e.Latency.Seconds(), e.Target, e.Group, verdict, code, reason)
}
