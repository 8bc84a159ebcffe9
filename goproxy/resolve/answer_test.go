package resolve

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// reply is an answer for "a.test." with records as in a zone file.
func reply(t *testing.T, rcode int, records ...string) *dns.Msg {
	t.Helper()
	m := new(dns.Msg).SetQuestion("a.test.", dns.TypeA)
	m.Response, m.Rcode = true, rcode
	for _, text := range records {
		rr, err := dns.NewRR(text)
		if err != nil {
			t.Fatal(err)
		}
		if rr.Header().Rrtype == dns.TypeSOA {
			m.Ns = append(m.Ns, rr)
		} else {
			m.Answer = append(m.Answer, rr)
		}
	}
	return m
}

// Of an answer, the addresses of the name count, and those to which its aliases lead, if
// something can be reached at them.
func TestRead(t *testing.T) {
	chain := func(n int, end string) (records []string) {
		records = append(records, "a.test. 60 CNAME c1.test.")
		for i := 1; i < n; i++ {
			records = append(records, fmt.Sprintf("c%d.test. 60 CNAME c%d.test.", i, i+1))
		}
		return append(records, fmt.Sprintf("c%d.test. 60 %s", n, end))
	}
	var many []string
	for i := range 3000 {
		many = append(many, fmt.Sprintf("a.test. 60 A 10.0.%d.%d", i/250, 1+i%250))
	}
	const soa = "test. 900 SOA ns.test. h.test. 1 7200 900 1209600 60"
	for name, test := range map[string]struct {
		rcode   int
		records []string
		addrs   string
		ttl     time.Duration
	}{
		"plain":                     {0, []string{"a.test. 60 A 10.0.0.1"}, "10.0.0.1", time.Minute},
		"in any case":               {0, []string{"A.TEST. 60 A 10.0.0.1"}, "10.0.0.1", time.Minute},
		"least TTL of several":      {0, []string{"a.test. 60 A 10.0.0.1", "a.test. 5 A 10.0.0.2"}, "10.0.0.1 10.0.0.2", 5 * time.Second},
		"TTL 0":                     {0, []string{"a.test. 0 A 10.0.0.1"}, "10.0.0.1", 0},
		"another name's":            {0, []string{"a.test. 60 A 10.0.0.1", "b.test. 1 A 10.0.0.2"}, "10.0.0.1", time.Minute},
		"another name's alone":      {0, []string{"b.test. 60 A 10.0.0.2"}, "", 5 * time.Second},
		"another type's":            {0, []string{"a.test. 60 AAAA 2001:db8::1"}, "", 5 * time.Second},
		"chain":                     {0, chain(3, "A 10.0.0.1"), "10.0.0.1", time.Minute},
		"chain, address first":      {0, []string{"c.test. 60 A 10.0.0.1", "b.test. 20 CNAME c.test.", "a.test. 30 CNAME B.test."}, "10.0.0.1", 20 * time.Second},
		"chain that is too long":    {0, chain(maxCNAMEs+1, "A 10.0.0.1"), "", 5 * time.Second},
		"chain that is long enough": {0, chain(maxCNAMEs-1, "A 10.0.0.1"), "10.0.0.1", time.Minute},
		"chain to nothing":          {0, []string{"a.test. 30 CNAME gone.test.", soa}, "", time.Minute},
		"chain to itself":           {0, []string{"a.test. 30 CNAME a.test.", soa}, "", time.Minute},
		"chain that goes round":     {0, []string{"a.test. 30 CNAME b.test.", "b.test. 30 CNAME a.test."}, "", 5 * time.Second},
		"alias that is no name":     {dns.RcodeNameError, []string{"a.test. 30 CNAME gone.test.", soa}, "", time.Minute},
		"no name":                   {dns.RcodeNameError, []string{soa}, "", time.Minute},
		"no name for no time":       {dns.RcodeNameError, []string{"test. 0 SOA ns.test. h.test. 1 7200 900 1209600 0"}, "", 0},
		"nothing":                   {0, nil, "", 5 * time.Second},
		"very many":                 {0, many, "3000 addresses", time.Minute},
		"filtered":                  {0, []string{"a.test. 2 A 0.0.0.0"}, "", 5 * time.Second},
		"filtered in part":          {0, []string{"a.test. 60 A 0.0.0.0", "a.test. 60 A 10.0.0.1"}, "10.0.0.1", time.Minute},
		"everybody":                 {0, []string{"a.test. 60 A 255.255.255.255", "a.test. 60 A 224.0.0.1"}, "", 5 * time.Second},
		"this machine":              {0, []string{"a.test. 60 A 127.0.0.1"}, "127.0.0.1", time.Minute},
	} {
		got, err := read(reply(t, test.rcode, test.records...), dns.TypeA)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var texts []string
		for _, a := range got.addrs {
			texts = append(texts, a.String())
		}
		addrs := strings.Join(texts, " ")
		if len(texts) > 100 {
			addrs = fmt.Sprint(len(texts), " addresses")
		}
		if addrs != test.addrs || got.ttl != test.ttl {
			t.Errorf("%s: %q for %v, want %q for %v", name, addrs, got.ttl, test.addrs, test.ttl)
		}
	}
	for _, rcode := range []int{dns.RcodeServerFailure, dns.RcodeRefused, dns.RcodeFormatError, dns.RcodeNotImplemented, dns.RcodeYXDomain, 15} {
		if _, err := read(reply(t, rcode, "a.test. 60 A 10.0.0.1"), dns.TypeA); err == nil {
			t.Errorf("rcode %d: an address was taken", rcode)
		}
	}
}

func TestIsHost(t *testing.T) {
	for text, want := range map[string]bool{
		"10.0.0.1": true, "2001:db8::1": true, "fe80::1": true, "::1": true, "0.0.0.1": true,
		"0.0.0.0": false, "::": false, "::ffff:0.0.0.0": false, "ff02::1": false, "239.1.1.1": false, "255.255.255.255": false,
	} {
		if isHost(netip.MustParseAddr(text)) != want {
			t.Errorf("%s: %v", text, !want)
		}
	}
}
