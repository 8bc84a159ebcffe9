package fakedns

import (
	"testing"

	"github.com/miekg/dns"
)

// FuzzShortWay says that both ways answer the same; this says which one is taken.
func TestUsualQueriesTakeTheShortWay(t *testing.T) {
	ask := func(name string, change func(*dns.Msg)) []byte {
		m := new(dns.Msg).SetQuestion(name, dns.TypeA)
		if change != nil {
			change(m)
		}
		packet, err := m.Pack()
		if err != nil {
			t.Fatal(err)
		}
		return packet
	}
	edns := func(change func(*dns.OPT)) []byte {
		return ask("app.example.", func(m *dns.Msg) {
			m.SetEdns0(1232, true)
			if change != nil {
				change(m.IsEdns0())
			}
		})
	}
	for name, c := range map[string]struct {
		packet []byte
		short  bool
	}{
		"a host name":    {ask("App-1._tcp.example.", nil), true},
		"AAAA":           {ask("app.example.", func(m *dns.Msg) { m.Question[0].Qtype = dns.TypeAAAA }), true},
		"not recursive":  {ask("app.example.", func(m *dns.Msg) { m.RecursionDesired = false }), true},
		"EDNS":           {edns(nil), true},
		"EDNS version 1": {edns(func(o *dns.OPT) { o.SetVersion(1) }), false},
		"EDNS with a cookie": {edns(func(o *dns.OPT) {
			o.Option = append(o.Option, &dns.EDNS0_COOKIE{Code: dns.EDNS0COOKIE, Cookie: "0011223344556677"})
		}), false},
		"the root":             {ask(".", nil), false},
		"a dot within a label": {ask(`a\.b.example.`, nil), false},
		"class CHAOS":          {ask("app.example.", func(m *dns.Msg) { m.Question[0].Qclass = dns.ClassCHAOS }), false},
		"NOTIFY":               {ask("app.example.", func(m *dns.Msg) { m.Opcode = dns.OpcodeNotify }), false},
		"two questions":        {ask("app.example.", func(m *dns.Msg) { m.Question = append(m.Question, m.Question[0]) }), false},
		"cut off":              {ask("app.example.", nil)[:20], false},
		"something behind it":  {append(ask("app.example.", nil), 0), false},
	} {
		t.Run(name, func(t *testing.T) {
			got, short := readSimple(c.packet, nil)
			if short != c.short {
				t.Fatalf("taken %v, want %v", short, c.short)
			}
			req := new(dns.Msg)
			if !short || req.Unpack(c.packet) != nil {
				return
			}
			if q := req.Question[0]; string(got.name) != canonical(q.Name) || got.qtype != q.Qtype {
				t.Errorf("read %s %d, want %s %d", got.name, got.qtype, q.Name, q.Qtype)
			}
			if want := payloadSize(req, UDP); got.limit(UDP) != want || got.limit(TCP) != dns.MaxMsgSize {
				t.Errorf("answers of %d and %d bytes, want %d and %d", got.limit(UDP), got.limit(TCP), want, dns.MaxMsgSize)
			}
		})
	}
}
