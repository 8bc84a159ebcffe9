package goproxy

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// health is what the health checks of one endpoint say.
type health struct {
	sick   atomic.Bool
	passed atomic.Uint64
	failed atomic.Uint64
	row    int // checks in a row against the present state; the checker's own
}

// checked takes in a result and reports whether it changed the state.
func (h *health) checked(ok bool, cfg *HealthCheck) bool {
	if ok {
		h.passed.Add(1)
	} else {
		h.failed.Add(1)
	}
	sick := h.sick.Load()
	if ok != sick {
		h.row = 0
		return false
	}
	h.row++
	needed := cfg.UnhealthyThreshold
	if sick {
		needed = cfg.HealthyThreshold
	}
	if h.row < needed {
		return false
	}
	h.row = 0
	h.sick.Store(!sick)
	return true
}

// startChecks begins the checks of an endpoint, which end when it leaves or the
// upstream does. The caller holds setMu.
func (u *upstream) startChecks(e *endpoint) {
	if u.cfg.HealthCheck == nil || u.checking == nil {
		return
	}
	ctx, cancel := context.WithCancel(u.checking)
	context.AfterFunc(e.gone, cancel)
	u.checks.Go(func() {
		defer cancel()
		e.check(ctx)
	})
}

// check asks the endpoint again and again.
func (e *endpoint) check(ctx context.Context) {
	cfg := e.member.up.cfg.HealthCheck
	transport := e.checkTransport()
	defer transport.CloseIdleConnections()
	tick := time.NewTicker(time.Duration(cfg.Interval))
	defer tick.Stop()
	for {
		err := e.checkOnce(ctx, transport, cfg)
		if ctx.Err() != nil {
			return
		}
		e.checked(err, cfg)
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// checked takes in the outcome of a check, unless it says something about the
// proxy only.
func (e *endpoint) checked(err error, cfg *HealthCheck) {
	if culpritOf(err) == theProxy {
		e.member.up.lacking(e, err)
		return
	}
	if !e.health.checked(err == nil, cfg) {
		return
	}
	log := e.member.up.log.With("address", e.addr.String())
	if err == nil {
		e.alive()
		e.warm(time.Now())
		log.Info("endpoint is healthy")
		return
	}
	e.member.up.nudge()
	log.Warn("endpoint is unhealthy", "reason", err.Error())
}

// checkTransport speaks to the endpoint as requests do, on connections of its
// own: that new ones can be made is part of being well.
func (e *endpoint) checkTransport() *http.Transport {
	cfg := e.member.up.cfg
	dialer := &net.Dialer{Timeout: time.Duration(cfg.Timeouts.Connect)}
	t := &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			conn, err := e.connect(ctx, dialer, nil, dialer.Timeout)
			if err != nil {
				return nil, err
			}
			return conn, nil
		},
		DisableKeepAlives:      true,
		MaxResponseHeaderBytes: maxResponseHead,
		Protocols:              &http.Protocols{},
	}
	if e.tls != nil {
		t.TLSClientConfig = e.tls.Clone()
	}
	t.Protocols.SetHTTP1(cfg.Protocol == protocolHTTP1)
	t.Protocols.SetHTTP2(cfg.Protocol == protocolH2)
	t.Protocols.SetUnencryptedHTTP2(cfg.Protocol == protocolH2C)
	return t
}

func (e *endpoint) checkOnce(ctx context.Context, transport http.RoundTripper, cfg *HealthCheck) error {
	ctx, cancel := context.WithTimeout(ctx, time.Duration(cfg.Timeout))
	defer cancel()
	target := url.URL{Scheme: e.member.url.Scheme, Host: e.member.host}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target.String()+cfg.Path, nil)
	if err != nil {
		return err
	}
	req.Header.Set("User-Agent", "goproxy-health-check")
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusSwitchingProtocols {
		return fmt.Errorf("GET %s: it switches protocols", cfg.Path) // what follows is no body, and no timeout is for it
	}
	_, _ = io.CopyN(io.Discard, resp.Body, 64<<10) // the status is what counts
	expected, err := parseStatuses(cfg.Status)
	if err != nil {
		return err
	}
	if !expected.has(resp.StatusCode) {
		return fmt.Errorf("GET %s: status %d, want %s", cfg.Path, resp.StatusCode, cfg.Status)
	}
	return nil
}

// statuses are ranges of response statuses, both ends included.
type statuses [][2]int

func (s statuses) has(status int) bool {
	for _, r := range s {
		if status >= r[0] && status <= r[1] {
			return true
		}
	}
	return false
}

// parseStatuses reads "200", "200-399" and lists of both with commas.
func parseStatuses(text string) (statuses, error) {
	var all statuses
	for part := range strings.SplitSeq(text, ",") {
		from, to, isRange := strings.Cut(strings.TrimSpace(part), "-")
		if !isRange {
			to = from
		}
		low, err1 := strconv.Atoi(from)
		high, err2 := strconv.Atoi(to)
		if err1 != nil || err2 != nil || low < 200 || high > 599 || low > high {
			return nil, fmt.Errorf("%q are no statuses: want numbers from 200 to 599 such as 200, 200-399 or 200,204", text)
		}
		all = append(all, [2]int{low, high})
	}
	return all, nil
}

// checkHealth holds the settings of health against their ranges; u has its
// defaults.
func checkHealth(u Upstream, add func(string, ...string)) {
	if p := u.PanicPercent; p < 0 || p > 100 {
		add(fmt.Sprintf("%d percent: want 0 to 100", p), "panic_percent")
	}
	if p := u.Ejection.MaxPercent; p < 1 || p > 100 {
		add(fmt.Sprintf("%d percent: want 1 to 100", p), "ejection", "max_percent")
	}
	if u.Ejection.Retry > u.Ejection.RetryMax {
		add(fmt.Sprintf("retry %v is above retry_max %v", u.Ejection.Retry, u.Ejection.RetryMax), "ejection", "retry")
	}
	h := u.HealthCheck
	if h == nil {
		return
	}
	if target, err := url.ParseRequestURI(h.Path); err != nil || !strings.HasPrefix(h.Path, "/") || target.Host != "" {
		add(fmt.Sprintf("%q is no path: want one such as /health", h.Path), "health_check", "path")
	}
	if _, err := parseStatuses(h.Status); err != nil {
		add(err.Error(), "health_check", "status")
	}
	switch {
	case h.Interval == Off:
		add("cannot be off: leave out health_check", "health_check", "interval")
	case h.Timeout == Off:
		add("cannot be off", "health_check", "timeout")
	}
	if h.HealthyThreshold < 1 || h.HealthyThreshold > 100 {
		add(fmt.Sprintf("%d checks: want 1 to 100", h.HealthyThreshold), "health_check", "healthy_threshold")
	}
	if h.UnhealthyThreshold < 1 || h.UnhealthyThreshold > 100 {
		add(fmt.Sprintf("%d checks: want 1 to 100", h.UnhealthyThreshold), "health_check", "unhealthy_threshold")
	}
}
