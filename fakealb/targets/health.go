package targets

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"time"
)

// State is the health of a target as one node sees it.
type State string

// The states that this fake has (3.2 D).
const (
	Initial   State = "initial"
	Healthy   State = "healthy"
	Unhealthy State = "unhealthy"
)

// Reasons of a state (3.2 D).
const (
	reasonInitial  = "Elb.InitialHealthChecking"
	reasonMismatch = "Target.ResponseCodeMismatch"
	reasonTimeout  = "Target.Timeout"
	reasonFailed   = "Target.FailedHealthChecks"
)

// Health is a target's state with its reason.
type Health struct {
	Target      netip.AddrPort `json:"target"`
	State       State          `json:"state"`
	Reason      string         `json:"reason,omitempty"`
	Description string         `json:"description,omitempty"`
}

// target is one registered target of a pool.
type target struct {
	addr netip.AddrPort
	stop context.CancelFunc

	// guarded by Pool.mu
	health Health
	streak int // checks in a row that spoke against the state
}

// checkResult is what one health check found.
type checkResult struct {
	ok                  bool
	reason, description string
}

// note takes one result. A newly registered target is healthy after one success,
// whatever the threshold (3.2 D); one failure makes it unhealthy (G).
func (t *target) note(r checkResult, h HealthCheck) {
	switch {
	case r.ok == (t.health.State == Healthy) && t.health.State != Initial:
		t.streak = 0
		if r.ok {
			return
		}
	case t.health.State == Initial,
		r.ok && t.streak+1 >= h.HealthyThreshold,
		!r.ok && t.streak+1 >= h.UnhealthyThreshold:
		t.streak = 0
		t.health.State = Unhealthy
		if r.ok {
			t.health.State = Healthy
		}
	default:
		t.streak++
		return
	}
	t.health.Reason, t.health.Description = r.reason, r.description
}

// watch checks a target until ctx ends.
func (p *Pool) watch(ctx context.Context, t *target, g Group) {
	defer p.checking.Done()
	tick := time.NewTicker(p.scaled(seconds(g.Health.IntervalSeconds)))
	defer tick.Stop()
	for {
		r := p.check(ctx, t.addr, g)
		if ctx.Err() != nil {
			return
		}
		p.mu.Lock()
		t.note(r, g.Health)
		p.mu.Unlock()
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// check makes one health check, on a connection of its own (3.2 D).
func (p *Pool) check(ctx context.Context, addr netip.AddrPort, g Group) checkResult {
	ctx, cancel := context.WithTimeout(ctx, p.scaled(seconds(g.Health.TimeoutSeconds)))
	defer cancel()
	tr := &http.Transport{DisableKeepAlives: true, DisableCompression: true, TLSClientConfig: anyCertificate()}
	defer tr.CloseIdleConnections()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.ToLower(g.Protocol)+"://"+addr.String()+g.Health.Path, nil)
	if err != nil {
		return checkResult{reason: reasonFailed, description: err.Error()}
	}
	req.Host = checkHost(addr, g.Protocol)
	req.Header.Set("User-Agent", "ELB-HealthChecker/2.0")
	resp, err := tr.RoundTrip(req)
	if err != nil {
		if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) {
			return checkResult{reason: reasonTimeout, description: "Request timed out"}
		}
		return checkResult{reason: reasonFailed, description: "Health checks failed"}
	}
	_, _ = io.CopyN(io.Discard, resp.Body, 1<<20)
	_ = resp.Body.Close()
	if !g.Health.matches(resp.StatusCode) {
		return checkResult{reason: reasonMismatch, description: fmt.Sprintf("Health checks failed with these codes: [%d]", resp.StatusCode)}
	}
	return checkResult{ok: true}
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
	return net.JoinHostPort(addr.Addr().String(), fmt.Sprint(addr.Port()))
}

// anyCertificate accepts whatever certificate a target shows, as an ALB does
// (3.1.4 D).
func anyCertificate() *tls.Config {
	return &tls.Config{InsecureSkipVerify: true} //nolint:gosec // that is the behaviour imitated
}
