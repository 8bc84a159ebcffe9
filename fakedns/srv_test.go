package fakedns_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/fakedns"
)

// service is a server with SRV records of each sort: hosts with one address, with
// several of both types, behind a CNAME, behind an alias, and unknown ones.
func service(t *testing.T) *fakedns.Server {
	t.Helper()
	return start(t, fakedns.Config{Names: []fakedns.Name{
		{Name: "_http._tcp.app.example", TTL: 30 * time.Second, Order: fakedns.OrderFixed, SRV: []fakedns.SRV{
			{Priority: 10, Weight: 60, Port: 8080, Target: "A.example."},
			{Priority: 10, Weight: 40, Port: 8081, Target: "b.example"},
			{Priority: 20, Port: 8080, Target: "a.example"},
			{Priority: 30, Port: 8082, Target: "c.example"},
			{Priority: 30, Port: 8083, Target: "d.example"},
			{Priority: 30, Port: 8084, Target: "nowhere.example"},
		}},
		{Name: "a.example", TTL: time.Minute, Order: fakedns.OrderFixed, A: addrs("10.0.0.1", "10.0.0.2"), AAAA: addrs("2001:db8::1")},
		{Name: "b.example", TTL: 600 * time.Second, A: addrs("10.0.0.3")},
		{Name: "c.example", TTL: time.Minute, CNAME: "b.example"},
		{Name: "d.example", Alias: "b.example"},
		{Name: "svc.example", TTL: 20 * time.Second, CNAME: "_http._tcp.app.example"},
		{Name: "*.wild.example", TTL: time.Minute, SRV: []fakedns.SRV{{Port: 80, Target: "b.example"}}},
		{Name: "_ftp._tcp.app.example", TTL: time.Minute, SRV: []fakedns.SRV{{Target: "."}}},
	}})
}

// What BIND 9.18 answers with the same records, but for the set of b.example under the
// name d.example, which is an alias of Route 53.
func TestSRVAnswersAsBINDGivesThem(t *testing.T) {
	srv := service(t)
	six := []string{"10 60 8080 a.example.", "10 40 8081 b.example.", "20 0 8080 a.example.", "30 0 8082 c.example.", "30 0 8083 d.example.", "30 0 8084 nowhere.example."}
	hosts := []string{"a.example. 60 A 10.0.0.1", "a.example. 60 A 10.0.0.2", "b.example. 300 A 10.0.0.3", "d.example. 300 A 10.0.0.3", "a.example. 60 AAAA 2001:db8::1"}
	owned := func(owner string, data ...string) (out []string) {
		for _, d := range data {
			out = append(out, owner+d)
		}
		return out
	}
	for _, c := range []struct {
		name           string
		qtype          string
		status         string
		answer, beside []string
	}{
		{"_http._tcp.app.example", "SRV", "NOERROR", owned("_http._tcp.app.example. 30 SRV ", six...), hosts},
		{"_HTTP._tCp.App.EXAMPLE", "SRV", "NOERROR", owned("_HTTP._tCp.App.EXAMPLE. 30 SRV ", six...), hosts},
		{"sVc.example", "SRV", "NOERROR", append([]string{"sVc.example. 20 CNAME _http._tcp.app.example."}, owned("_http._tcp.app.example. 30 SRV ", six...)...), hosts},
		{"x.Wild.example", "SRV", "NOERROR", []string{"x.Wild.example. 60 SRV 0 0 80 b.example."}, []string{"b.example. 300 A 10.0.0.3"}},
		{"_ftp._tcp.app.example", "SRV", "NOERROR", []string{"_ftp._tcp.app.example. 60 SRV 0 0 0 ."}, nil},
		{"_http._tcp.app.example", "A", "NOERROR", nil, nil},
		{"_tcp.app.example", "SRV", "NOERROR", nil, nil},
		{"app.example", "SRV", "NOERROR", nil, nil},
		{"a.example", "SRV", "NOERROR", nil, nil},
		{"_smtp._tcp.app.example", "SRV", "NXDOMAIN", nil, nil},
	} {
		for client, transport := range map[string]string{"dig": "+notcp", "kdig": "+tcp"} {
			t.Run(strings.Join([]string{c.name, c.qtype, client}, " "), func(t *testing.T) {
				g := expect(t)
				out := run(t, client, "@127.0.0.1", "-p", portOf(srv.Addrs()[0]), transport, "+bufsize=1232", c.name, c.qtype)
				g.Expect(out).To(ContainSubstring("status: " + c.status))
				answer := section(out, "ANSWER")
				if client == "dig" { // kdig shows all in lower case
					g.Expect(answer).To(Equal(c.answer), out)
				}
				g.Expect(lower(answer)).To(Equal(lower(c.answer)), out)
				g.Expect(section(out, "ADDITIONAL")).To(Equal(c.beside), out)
				if c.answer == nil {
					g.Expect(section(out, "AUTHORITY")).To(HaveLen(1), "a SOA: %s", out)
				}
			})
		}
	}
}

func lower(records []string) []string {
	return strings.Split(strings.ToLower(strings.Join(records, "\n")), "\n")
}

// section reads the records of one section of what dig or kdig prints, as owner, TTL,
// type and data.
func section(out, name string) (records []string) {
	_, rest, _ := strings.Cut(out, ";; "+name+" SECTION:\n")
	for line := range strings.Lines(rest) {
		fields := strings.Fields(line)
		if len(fields) < 5 || strings.HasPrefix(line, ";") {
			break
		}
		records = append(records, strings.Join(append(fields[:2], fields[3:]...), " "))
	}
	return records
}

// Answers of any size: an SRV record that does not fit sends the client to TCP, an
// address that does not fit is left out without a word (RFC 2181, 9).
// A client that is given addresses beside SRV records asks for them no more: the log has
// them.
func TestTheLogHasTheHostsOfSRV(t *testing.T) {
	g := NewWithT(t)
	srv := service(t)
	ask(t, srv, "udp", question("_http._tcp.app.example", dns.TypeSRV).SetEdns0(4096, false))
	g.Expect(srv.Queries(fakedns.Filter{})).To(ConsistOf(HaveField("Answers", addrs("10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.3"))))
}

func TestAdditionalRecordsOfSRVFit(t *testing.T) {
	for _, hosts := range []int{1, 7, 8, 9, 20, 200} {
		big := fakedns.Name{Name: "_http._tcp.app.example", TTL: time.Minute, MaxAnswers: 1000}
		names := []fakedns.Name{}
		for i := range hosts {
			n := fakedns.Name{Name: fmt.Sprintf("host-%d.example", i), TTL: time.Minute, A: []netip.Addr{netip.AddrFrom4([4]byte{10, 1, 0, byte(i)})}}
			big.SRV = append(big.SRV, fakedns.SRV{Port: uint16(i + 1), Target: n.Name})
			names = append(names, n)
		}
		srv := start(t, fakedns.Config{Names: append(names, big)})
		whole := ask(t, srv, "tcp", question(big.Name, dns.TypeSRV))
		expect(t).Expect(whole.Answer).To(HaveLen(hosts))
		expect(t).Expect(whole.Extra).To(HaveLen(hosts))
		for size := uint16(dns.MinMsgSize); size < 16000; size += size / 9 {
			m := question(big.Name, dns.TypeSRV).SetEdns0(size, false)
			packet := raw(t, srv, m)
			reply := new(dns.Msg)
			g := expect(t)
			g.Expect(reply.Unpack(packet)).To(Succeed())
			g.Expect(len(packet)).To(BeNumerically("<=", size))
			g.Expect(reply.IsEdns0()).NotTo(BeNil())
			added := len(reply.Extra) - 1
			switch {
			case len(reply.Answer) < hosts:
				g.Expect(reply.Truncated).To(BeTrue(), "%d hosts, %d bytes", hosts, size)
				g.Expect(added).To(BeZero())
			default:
				g.Expect(reply.Truncated).To(BeFalse(), "%d hosts, %d bytes", hosts, size)
				const record = 2 + 2 + 2 + 4 + 2 + 4
				g.Expect(added == hosts || len(packet)+record > int(size)).To(BeTrue(), "%d hosts, %d of %d bytes, %d addresses", hosts, len(packet), size, added)
			}
		}
	}
}

// A fault on the question takes all of the answer, also what stands beside it.
func TestFaultsOnSRV(t *testing.T) {
	for _, kind := range []fakedns.Kind{fakedns.KindNoData, fakedns.KindNXDomain, fakedns.KindServFail, fakedns.KindRefused, fakedns.KindTruncate} {
		g := expect(t)
		srv := service(t)
		putFault(t, srv, fakedns.Fault{ID: "f", Kind: kind, Scope: fakedns.Scope{Type: "SRV"}})
		reply := ask(t, srv, "udp", question("_http._tcp.app.example", dns.TypeSRV))
		g.Expect(reply.Answer).To(BeEmpty(), string(kind))
		g.Expect(reply.Extra).To(BeEmpty(), string(kind))
		g.Expect(addressesOf(askA(t, srv, "b.example"))).To(ConsistOf(addrs("10.0.0.3")), string(kind))
	}
	g := expect(t)
	srv := service(t)
	putFault(t, srv, fakedns.Fault{ID: "f", Kind: fakedns.KindStale, TTL: 7 * time.Second})
	put(t, srv, fakedns.Name{Name: "b.example", TTL: time.Minute, A: addrs("10.0.0.4")})
	reply := ask(t, srv, "udp", question("_http._tcp.app.example", dns.TypeSRV))
	for _, rr := range append(reply.Answer, reply.Extra...) {
		g.Expect(rr.Header().Ttl).To(Equal(uint32(7)), rr.String())
		g.Expect(rr.String()).NotTo(ContainSubstring("10.0.0.4"))
	}
	g.Expect(reply.Extra).To(HaveLen(5))
}

func TestSRVOrders(t *testing.T) {
	g := expect(t)
	name := func(o fakedns.Order) fakedns.Name {
		n := fakedns.Name{Name: string(o) + ".example", TTL: time.Minute, Order: o}
		for port := range uint16(10) {
			n.SRV = append(n.SRV, fakedns.SRV{Port: port + 1, Target: "h.example"})
		}
		return n
	}
	srv := start(t, fakedns.Config{Seed: 4, Names: []fakedns.Name{name(fakedns.OrderShuffle), name(fakedns.OrderRotate), name(fakedns.OrderFixed)}})
	ports := func(o fakedns.Order) (ports []uint16) {
		for _, rr := range ask(t, srv, "udp", question(string(o)+".example", dns.TypeSRV)).Answer {
			ports = append(ports, rr.(*dns.SRV).Port)
		}
		return ports
	}
	g.Expect(ports(fakedns.OrderFixed)).To(Equal([]uint16{1, 2, 3, 4, 5, 6, 7, 8}), "8 at most unless told")
	g.Expect(ports(fakedns.OrderRotate)).To(Equal([]uint16{1, 2, 3, 4, 5, 6, 7, 8}))
	g.Expect(ports(fakedns.OrderRotate)).To(Equal([]uint16{2, 3, 4, 5, 6, 7, 8, 9}))
	first := ports(fakedns.OrderShuffle)
	g.Expect(first).To(HaveLen(8))
	g.Expect(ports(fakedns.OrderShuffle)).NotTo(Equal(first))
	srv.Reset()
	g.Expect(ports(fakedns.OrderShuffle)).To(Equal(first), "the seed decides")
}
