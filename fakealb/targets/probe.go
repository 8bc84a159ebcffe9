package targets

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// result is what one health check found.
type result struct {
	ok                  bool
	code                int // status, or gRPC code; -1 without one
	reason, description string
	logged              string // reason of the health check log; empty if ok
	tlsFailed           bool   // the handshake was not completed
}

// Reasons of the health check log (3.2 D).
const (
	logTimedOut        = "RequestTimedOut"
	logConnectTimedOut = "ConnectionTimedOut"
	logReset           = "ConnectionReset"
	logMismatch        = "ResponseCodeMismatch"
	logTargetError     = "TargetError"
	logGRPCEmpty       = "GRPCStatusHeaderEmpty"
	logGRPCUnexpected  = "GRPCUnexpectedStatus"
)

// watch checks a target at each interval until ctx ends. What a check takes does
// not put off the next one (3.2 D).
func (p *Pool) watch(ctx context.Context, t *target, g Group) {
	defer p.checking.Done()
	tick := time.NewTicker(p.scaled(seconds(g.Health.IntervalSeconds)))
	defer tick.Stop()
	for {
		begun := time.Now()
		r := p.check(ctx, t, g)
		if ctx.Err() != nil {
			return
		}
		p.took(t, g, r)
		if p.env.HealthLog != nil {
			p.env.HealthLog(p.entry(t, g, r, begun))
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// took notes the result of a check.
func (p *Pool) took(t *target, g Group, r result) {
	p.mu.Lock()
	changed := t.note(r, g.Health)
	if changed {
		p.yield(t)
		p.ramp(t)
		p.refresh()
	}
	p.mu.Unlock()
	if changed {
		p.changed()
	}
}

// check makes one health check, on a connection of its own (3.2 D).
func (p *Pool) check(ctx context.Context, t *target, g Group) result {
	ctx, cancel := context.WithTimeout(ctx, p.scaled(seconds(g.Health.TimeoutSeconds)))
	defer cancel()
	if t.builtIn != nil {
		return t.builtIn.check(g)
	}
	addr := t.addr
	if g.Health.Port != 0 {
		addr = netip.AddrPortFrom(addr.Addr(), uint16(g.Health.Port))
	}
	if g.Health.Protocol == ProtocolTCP {
		return g.checkTCP(ctx, addr)
	}
	p.mu.Lock()
	policy := p.node.TLS
	p.mu.Unlock()
	tr := newTransport(g.overHTTP2(), policy)
	tr.DisableKeepAlives = true
	tr.DialContext = g.dialCheck
	defer tr.CloseIdleConnections()
	req, err := checkRequest(ctx, addr, g)
	if err != nil {
		return result{code: -1, reason: reasonFailed, description: err.Error(), logged: logReset}
	}
	if g.Network() {
		req.Host = p.checkHost()
	}
	var shaking atomic.Bool // a handshake goes on after its check was given up
	req = req.WithContext(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		TLSHandshakeStart: func() { shaking.Store(true) },
		TLSHandshakeDone:  func(_ tls.ConnectionState, err error) { shaking.Store(err != nil) },
	}))
	resp, err := tr.RoundTrip(req)
	if err != nil {
		r := failure(err)
		r.tlsFailed = shaking.Load()
		return r
	}
	_, err = io.CopyN(io.Discard, resp.Body, 1<<20)
	_ = resp.Body.Close()
	if err != nil && !errors.Is(err, io.EOF) {
		return failure(err)
	}
	if g.ProtocolVersion == VersionGRPC {
		return judgeGRPC(resp, g)
	}
	return judge(resp.StatusCode, g)
}

// checkRequest is the request of a health check.
func checkRequest(ctx context.Context, addr netip.AddrPort, g Group) (*http.Request, error) {
	method, body := http.MethodGet, io.Reader(nil)
	if g.ProtocolVersion == VersionGRPC {
		method, body = http.MethodPost, strings.NewReader("\x00\x00\x00\x00\x00") // an empty message
	}
	url := strings.ToLower(g.Health.Protocol) + "://" + addr.String() + g.Health.Path
	req, err := http.NewRequestWithContext(ctx, method, url, body)
	if err != nil {
		return nil, err
	}
	req.Host = checkHost(addr, g.Health.Protocol)
	req.Header.Set("User-Agent", "ELB-HealthChecker/2.0")
	if g.ProtocolVersion == VersionGRPC {
		req.Header.Set("Content-Type", grpcType)
		req.Header.Set("TE", "trailers")
	}
	return req, nil
}

// judge compares a status with the matcher.
func judge(status int, g Group) result {
	r := result{ok: g.Health.matches(status, g.ProtocolVersion), code: status}
	if !r.ok {
		r.reason, r.description = reasonMismatch, fmt.Sprintf("Health checks failed with these codes: [%d]", status)
		r.logged = logMismatch
		if status >= 500 {
			r.logged = logTargetError
		}
	}
	return r
}

// judgeGRPC compares a gRPC code with the matcher.
func judgeGRPC(resp *http.Response, g Group) result {
	text := resp.Trailer.Get("Grpc-Status")
	if text == "" {
		text = resp.Header.Get("Grpc-Status") // a response of trailers only
	}
	code, err := strconv.Atoi(text)
	if err != nil {
		return result{code: -1, reason: reasonFailed, description: descriptions[reasonFailed], logged: logGRPCEmpty}
	}
	r := result{ok: g.Health.matches(code, g.ProtocolVersion), code: code}
	if !r.ok {
		r.reason, r.description = reasonMismatch, fmt.Sprintf("Health checks failed with these codes: [%d]", code)
		r.logged = logGRPCUnexpected
	}
	return r
}

// failure is the result of a check without a response.
func failure(err error) result {
	r := result{code: -1, reason: reasonFailed, logged: logReset}
	var dial *net.OpError
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, unix.ETIMEDOUT) {
		r.reason, r.logged = reasonTimeout, logTimedOut
		if errors.As(err, &dial) && dial.Op == "dial" {
			r.logged = logConnectTimedOut
		}
	}
	r.description = descriptions[r.reason]
	return r
}

// check is the health of a built-in target, which is as it is told to be.
func (b *builtIn) check(g Group) result {
	if b.is.Load().Unhealthy {
		return judge(http.StatusServiceUnavailable, g)
	}
	spans, _ := parseMatcher(g.Health.Matcher, g.ProtocolVersion) // check has parsed it before
	return result{ok: true, code: spans[0].low}
}

// checkHost is the Host of health checks: without the port if that is the
// protocol's own (3.2 D).
func checkHost(addr netip.AddrPort, protocol string) string {
	if (protocol == ProtocolHTTP && addr.Port() == 80) || (protocol == ProtocolHTTPS && addr.Port() == 443) {
		if addr.Addr().Is6() {
			return "[" + addr.Addr().String() + "]"
		}
		return addr.Addr().String()
	}
	return addr.String()
}

// anyCertificate accepts whatever certificate a target shows, as an ALB does
// (3.1.4 D).
func anyCertificate(policy *tls.Config) *tls.Config {
	config := policy.Clone() // nil for nil
	if config == nil {
		config = &tls.Config{} //nolint:gosec // Go's defaults
	}
	config.InsecureSkipVerify = true //nolint:gosec // that is the behaviour imitated
	return config
}
