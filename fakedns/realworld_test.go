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

// TestNamesAsResolversAskThem asks what people reported trouble with: questions
// of mixed case, chains whose records differ in TTL, and names that exist beside
// a wildcard (RFC 4592, 2.2.3), of whatever kind their existence is.
func TestNamesAsResolversAskThem(t *testing.T) {
	four, six := addrs("10.0.0.9"), addrs("2001:db8::1")
	srv := start(t, fakedns.Config{Names: []fakedns.Name{
		{Name: "app.example", TTL: time.Minute, A: addrs("10.0.0.1")},
		{Name: "long.example", TTL: 24 * time.Hour, A: addrs("10.0.0.2")},
		{Name: "www.example", TTL: 10 * time.Second, CNAME: "long.example"},
		{Name: "*.shop.example", TTL: time.Minute, A: four},
		{Name: "x.y.shop.example", TTL: time.Minute, A: addrs("10.0.0.8")},
		{Name: "*.w.shop.example", TTL: time.Minute, A: addrs("10.0.0.7")},
		{Name: "a.b.c.shop.example", TTL: time.Minute, CNAME: "app.example"},
		{Name: "six.shop.example", TTL: time.Minute, AAAA: six},
		{Name: "Mixed.Example.", TTL: time.Minute, A: four},
		{Name: "*.cdn.example", TTL: 20 * time.Second, CNAME: "www.example"},
		{Name: "gone.example", TTL: 30 * time.Second, CNAME: "nowhere.example"},
		{Name: "empty.example", TTL: 30 * time.Second, CNAME: "six.shop.example"},
		{Name: "deep.cdn.example", TTL: 40 * time.Second, CNAME: "x.cdn.example"},
		{Name: "9.0.0.10.in-addr.arpa", TTL: time.Minute, PTR: "app.example"},
	}})
	for _, c := range []struct {
		name, qtype string
		rcode       int
		answer      string // its records, as name TTL type
		addrs       []netip.Addr
	}{
		{"aPP.ExaMPle.", "A", dns.RcodeSuccess, "app.example. 60 A", addrs("10.0.0.1")},
		{"wWw.eXample.", "A", dns.RcodeSuccess, "www.example. 10 CNAME, long.example. 300 A", addrs("10.0.0.2")},
		{"www.example.", "CNAME", dns.RcodeSuccess, "www.example. 10 CNAME", nil},
		{"z.shop.example.", "A", dns.RcodeSuccess, "z.shop.example. 60 A", four},
		{"a.b.shop.example.", "A", dns.RcodeSuccess, "a.b.shop.example. 60 A", four},
		{"x.y.shop.example.", "A", dns.RcodeSuccess, "x.y.shop.example. 60 A", addrs("10.0.0.8")},
		{"y.shop.example.", "A", dns.RcodeSuccess, "", nil},
		{"Y.Shop.Example.", "A", dns.RcodeSuccess, "", nil},
		{"w.y.shop.example.", "A", dns.RcodeNameError, "", nil},
		{"w.shop.example.", "A", dns.RcodeSuccess, "", nil},
		{"v.w.shop.example.", "A", dns.RcodeSuccess, "v.w.shop.example. 60 A", addrs("10.0.0.7")},
		{"c.shop.example.", "A", dns.RcodeSuccess, "", nil},
		{"b.c.shop.example.", "A", dns.RcodeSuccess, "", nil},
		{"d.c.shop.example.", "A", dns.RcodeNameError, "", nil},
		{"six.shop.example.", "A", dns.RcodeSuccess, "", nil},
		{"six.shop.example.", "AAAA", dns.RcodeSuccess, "six.shop.example. 60 AAAA", six},
		{"shop.example.", "A", dns.RcodeSuccess, "", nil},
		{"mixed.eXAMPLE.", "A", dns.RcodeSuccess, "mixed.example. 60 A", four},
		{"*.Shop.example.", "A", dns.RcodeSuccess, "*.shop.example. 60 A", four},
		{"*.nothing.shop.example.", "A", dns.RcodeSuccess, "*.nothing.shop.example. 60 A", four},
		{"Img.Cdn.example.", "A", dns.RcodeSuccess, "img.cdn.example. 20 CNAME, www.example. 10 CNAME, long.example. 300 A", addrs("10.0.0.2")},
		{"Img.Cdn.example.", "CNAME", dns.RcodeSuccess, "img.cdn.example. 20 CNAME", nil},
		{"deep.cdn.example.", "A", dns.RcodeSuccess, "deep.cdn.example. 40 CNAME, x.cdn.example. 20 CNAME, www.example. 10 CNAME, long.example. 300 A", addrs("10.0.0.2")},
		{"gone.example.", "A", dns.RcodeNameError, "gone.example. 30 CNAME", nil},
		{"empty.example.", "A", dns.RcodeSuccess, "empty.example. 30 CNAME", nil},
		{"empty.example.", "AAAA", dns.RcodeSuccess, "empty.example. 30 CNAME, six.shop.example. 60 AAAA", six},
		{"9.0.0.10.IN-ADDR.arpa.", "PTR", dns.RcodeSuccess, "9.0.0.10.in-addr.arpa. 60 PTR", nil},
		{"0.0.10.in-addr.arpa.", "PTR", dns.RcodeSuccess, "", nil},
		{"8.0.0.10.in-addr.arpa.", "PTR", dns.RcodeNameError, "", nil},
	} {
		t.Run(c.name+c.qtype, func(t *testing.T) {
			g := expect(t)
			for _, network := range []string{"udp", "tcp"} {
				reply := ask(t, srv, network, question(c.name, dns.StringToType[c.qtype]))
				g.Expect(reply.Rcode).To(Equal(c.rcode))
				g.Expect(reply.Question[0].Name).To(Equal(c.name), "byte for byte")
				g.Expect(records(reply)).To(Equal(c.answer))
				g.Expect(addressesOf(reply)).To(ConsistOf(c.addrs))
				if n := len(reply.Answer); n > 0 {
					g.Expect(reply.Answer[0].Header().Name).To(Equal(c.name), "the owner too")
				}
				if ends := c.addrs != nil || c.qtype == "CNAME" || strings.HasSuffix(c.answer, "PTR"); !ends {
					g.Expect(reply.Ns).To(HaveLen(1))
					g.Expect(reply.Ns[0].Header().Rrtype).To(Equal(dns.TypeSOA))
				}
			}
		})
	}
}

// records lists the records of an answer by name, TTL in seconds and type.
func records(m *dns.Msg) string {
	var out []string
	for _, rr := range m.Answer {
		h := rr.Header()
		out = append(out, fmt.Sprintf("%s %d %s", strings.ToLower(h.Name), h.Ttl, dns.TypeToString[h.Rrtype]))
	}
	return strings.Join(out, ", ")
}

// TestAAAAFailsAlone compares each fault that shows in a single answer with a
// name with both types: A answers as without the fault, also to dig, which asks for
// both on one line.
func TestAAAAFailsAlone(t *testing.T) {
	four, six := addrs("10.0.0.1"), addrs("2001:db8::1")
	srv := start(t, fakedns.Config{Names: []fakedns.Name{{Name: "app.example", TTL: time.Minute, A: four, AAAA: six}}})
	scope := fakedns.Scope{Name: "app.example", Type: "AAAA"}
	for kind, rcode := range map[fakedns.Kind]int{
		fakedns.KindServFail: dns.RcodeServerFailure,
		fakedns.KindNXDomain: dns.RcodeNameError,
		fakedns.KindRefused:  dns.RcodeRefused,
		fakedns.KindNoData:   dns.RcodeSuccess,
	} {
		t.Run(string(kind), func(t *testing.T) {
			g := expect(t)
			putFault(t, srv, fakedns.Fault{ID: "six", Kind: kind, Scope: scope})
			for _, network := range []string{"udp", "tcp"} {
				failed := ask(t, srv, network, question("app.example", dns.TypeAAAA))
				g.Expect(failed.Rcode).To(Equal(rcode), network)
				g.Expect(failed.Answer).To(BeEmpty(), network)
				well := ask(t, srv, network, question("app.example", dns.TypeA))
				g.Expect(well.Rcode).To(Equal(dns.RcodeSuccess), network)
				g.Expect(addressesOf(well)).To(ConsistOf(four), network)
			}
			out := dig(t, srv, "+noall", "+comments", "+answer", "app.example", "AAAA", "app.example", "A")
			g.Expect(out).To(And(ContainSubstring("status: "+dns.RcodeToString[rcode]), ContainSubstring("10.0.0.1"), Not(ContainSubstring("2001:db8::1"))))
		})
	}
	t.Run("silence", func(t *testing.T) {
		g := expect(t)
		putFault(t, srv, fakedns.Fault{ID: "six", Kind: fakedns.KindSilence, Scope: scope})
		expectSilence(t, srv, "udp", question("app.example", dns.TypeAAAA))
		expectSilence(t, srv, "tcp", question("app.example", dns.TypeAAAA))
		g.Expect(addressesOf(askA(t, srv, "app.example"))).To(ConsistOf(four))
		_, err := srv.DeleteFault("six")
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(addressesOf(ask(t, srv, "udp", question("app.example", dns.TypeAAAA)))).To(ConsistOf(six))
	})
}
