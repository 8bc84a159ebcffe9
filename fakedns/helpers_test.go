package fakedns_test

import (
	"context"
	"net/netip"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
	"github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/fakedns"
)

const patience = 10 * time.Second

var (
	old   = addrs("10.10.1.1", "10.10.2.1", "10.10.3.1")
	fresh = addrs("10.20.1.1", "10.20.2.1", "10.20.3.1")
)

func addrs(list ...string) []netip.Addr {
	out := make([]netip.Addr, len(list))
	for i, s := range list {
		out[i] = netip.MustParseAddr(s)
	}
	return out
}

// elb is a name as an ALB has it.
func elb(name string, a []netip.Addr) fakedns.Name {
	return fakedns.Name{Name: name, TTL: time.Minute, A: a}
}

// start runs a server on a free loopback port, with a control API, until the test ends.
func start(t testing.TB, cfg fakedns.Config) *fakedns.Server {
	t.Helper()
	if cfg.Listen == nil {
		cfg.Listen = []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")}
	}
	cfg.Control = netip.MustParseAddrPort("127.0.0.1:0")
	srv, err := fakedns.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- srv.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	return srv
}

func put(t testing.TB, srv *fakedns.Server, names ...fakedns.Name) time.Time {
	t.Helper()
	at, err := srv.PutNames(names...)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func putFault(t testing.TB, srv *fakedns.Server, f fakedns.Fault) time.Time {
	t.Helper()
	at, err := srv.PutFault(f)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func queries(t testing.TB, srv *fakedns.Server, f fakedns.Filter) []fakedns.Query {
	t.Helper()
	found, err := srv.Queries(f)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func question(name string, qtype uint16) *dns.Msg {
	return new(dns.Msg).SetQuestion(dns.Fqdn(name), qtype)
}

// ask sends one query with miekg's client, over "udp" or "tcp".
func ask(t testing.TB, srv *fakedns.Server, network string, m *dns.Msg) *dns.Msg {
	t.Helper()
	c := &dns.Client{Net: network, Timeout: patience, UDPSize: dns.MaxMsgSize}
	reply, _, err := c.Exchange(m, srv.Addrs()[0].String())
	if err != nil {
		t.Fatalf("%s %s: %v", network, m.Question[0].String(), err)
	}
	return reply
}

func askA(t testing.TB, srv *fakedns.Server, name string) *dns.Msg {
	t.Helper()
	return ask(t, srv, "udp", question(name, dns.TypeA))
}

// addressesOf returns the addresses of an answer, in their order.
func addressesOf(m *dns.Msg) []netip.Addr {
	out := []netip.Addr{}
	for _, rr := range m.Answer {
		switch rr := rr.(type) {
		case *dns.A:
			a, _ := netip.AddrFromSlice(rr.A.To4())
			out = append(out, a)
		case *dns.AAAA:
			a, _ := netip.AddrFromSlice(rr.AAAA)
			out = append(out, a)
		}
	}
	return out
}

// dig runs the real dig against srv and returns what it printed.
func dig(t testing.TB, srv *fakedns.Server, args ...string) string {
	t.Helper()
	path, err := exec.LookPath("dig")
	if err != nil {
		t.Fatal("dig is missing: apt-get install dnsutils (make test installs it)")
	}
	at := srv.Addrs()[0]
	full := append([]string{"@" + at.Addr().String(), "-p", portOf(at), "+tries=1", "+timeout=5"}, args...)
	out, err := exec.CommandContext(t.Context(), path, full...).CombinedOutput()
	if err != nil {
		t.Fatalf("dig %s: %v\n%s", strings.Join(full, " "), err, out)
	}
	return string(out)
}

func portOf(a netip.AddrPort) string {
	_, port, _ := strings.Cut(strings.TrimPrefix(a.String(), a.Addr().String()), ":")
	return port
}

func expect(t testing.TB) *gomega.WithT { return gomega.NewWithT(t) }
