package goproxy

import (
	"net/http"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// With hold_absent a name that is said to have no address has none, after that
// time; SERVFAIL still changes nothing.
func TestHoldAbsent(t *testing.T) {
	backends, port := startBackends(t, 1)
	d := startDNS(t, 1)
	d.set(backends...)
	cfg := simpleConfig(port)
	u := cfg.Upstreams["backend"]
	u.DNS.HoldAbsent = Duration(100 * time.Millisecond)
	u.Retries.Window = Duration(50 * time.Millisecond)
	cfg.Upstreams["backend"] = u
	p := startProxy(t, cfg, d)
	status := func() int {
		got, _ := send(t, p, http.MethodGet, "")
		return got
	}
	eventually(t, 5*time.Second, "the first address", func() bool { return status() == http.StatusOK })
	since := p.dnsFailures()
	d.fail(dns.RcodeServerFailure)
	eventually(t, 10*time.Second, "three questions failed", func() bool { return p.dnsFailures() >= since+3 })
	if got := status(); got != http.StatusOK {
		t.Errorf("status %d while DNS fails, want 200", got)
	}
	d.fail(dns.RcodeNameError)
	eventually(t, 10*time.Second, "503 for a name that is not there", func() bool { return status() == http.StatusServiceUnavailable })
	d.fail(dns.RcodeSuccess)
	eventually(t, 10*time.Second, "the name is there again", func() bool { return status() == http.StatusOK })
}

// dnsFailures is how many questions for the only upstream brought nothing.
func (p *testProxy) dnsFailures() uint64 {
	return p.table.Load().upstreams["backend"].members[0].follower.Stats().Failures
}
