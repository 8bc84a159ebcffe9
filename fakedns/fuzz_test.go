package fakedns

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"math"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// fuzzServer knows one name of each sort and has each kind of fault on a name of
// its own, so that a mutated question can reach all of it.
func fuzzServer(t testing.TB) *Server {
	t.Helper()
	four := []netip.Addr{netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2"), netip.MustParseAddr("10.0.0.3")}
	six := []netip.Addr{netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("2001:db8::2")}
	many := make([]netip.Addr, 60)
	for i := range many {
		many[i] = netip.AddrFrom4([4]byte{10, 1, 0, byte(i)})
	}
	s, err := New(Config{Names: []Name{
		{Name: "a.b", TTL: time.Minute, A: four, AAAA: six},
		{Name: "m.b", TTL: time.Minute, A: many, MaxAnswers: 60, Order: OrderRotate},
		{Name: "l.b", Alias: "a.b"},
		{Name: "c.b", TTL: time.Second, CNAME: "l.b"},
		{Name: "t.b", TTL: time.Second, TTLMode: TTLCountdown, A: four},
		{Name: "i.b", TTL: time.Second, A: four, Interleave: time.Hour},
		{Name: "z.b", TTL: time.Minute, Zones: []Zone{{Name: "1a", A: four[:1], AAAA: six[:1]}, {Name: "1b", A: four[1:2]}, {Name: "1c", A: four[2:], Shifted: true}}, Unhealthy: four[:1]},
		{Name: "f.b", Alias: "z.b", EvaluateTargetHealth: true, Failover: "a.b"},
		{Name: "*.x", TTL: 2 * 900 * time.Second, A: four, Order: OrderFixed, MaxAnswers: 2},
		{Name: "1.in-addr.arpa", TTL: time.Second, PTR: "a.b"},
		{Name: "s.b", TTL: time.Second, SRV: []SRV{{1, 2, 80, "a.b"}, {1, 1, 81, "l.b"}, {1, 1, 82, "i.b"}, {1, 1, 83, "c.b"}, {2, 0, 84, "q"}, {2, 0, 85, "m.b"}}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	for kind, spec := range kinds {
		f := Fault{ID: string(kind), Kind: kind, Scope: Scope{Name: string(kind)}}
		if spec.takes != nil && spec.takes[0] == takesDelay {
			f.Delay = time.Second
		}
		if _, err := s.PutFault(f); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// FuzzExchange: whatever packet comes, nothing panics, an answer is a DNS answer to
// it of the size the client can take, and each is in the log.
func FuzzExchange(f *testing.F) {
	for _, name := range []string{"a.b.", "m.b.", "l.b.", "c.b.", "t.b.", "i.b.", "s.b.", "1.in-addr.arpa.", "x.", ".", "garbage.", "wrong_id.", "truncate.", "stale."} {
		for _, qtype := range []uint16{dns.TypeA, dns.TypeAAAA, dns.TypePTR, dns.TypeSRV, dns.TypeANY} {
			m := new(dns.Msg).SetQuestion(name, qtype)
			m.Id = 4660
			packet, err := m.Pack()
			if err != nil {
				f.Fatal(err)
			}
			f.Add(packet, false)
			if packet, err = m.SetEdns0(1232, true).Pack(); err != nil {
				f.Fatal(err)
			}
			f.Add(packet, true)
		}
	}
	s := fuzzServer(f)
	f.Fuzz(func(t *testing.T, packet []byte, tcp bool) {
		before := trim(s)
		q := question{
			client: netip.MustParseAddrPort("127.0.0.1:4000"), resolver: netip.MustParseAddrPort("127.0.0.1:53"),
			transport: UDP, received: time.Now(),
		}
		limit := dns.MaxMsgSize
		if tcp {
			q.transport = TCP
		}
		kept := append([]byte(nil), packet...)
		o := s.newWorker().exchange(nil, packet, &q)
		if string(kept) != string(packet) {
			t.Fatal("the packet was written to")
		}
		if o.rec == nil {
			if len(packet) >= headerSize && packet[2]&0x80 == 0 || o.wire != nil {
				t.Fatal("a query was not logged")
			}
			return
		}
		logged, err := s.Queries(Filter{After: before})
		if err != nil || len(logged) != 1 {
			t.Fatalf("logged %d queries (%v), want 1", len(logged), err)
		}
		if _, err := json.Marshal(logged[0]); err != nil {
			t.Fatal(err)
		}
		if o.wire == nil {
			return
		}
		req := new(dns.Msg)
		if !tcp && req.Unpack(packet) == nil {
			limit = payloadSize(req, UDP)
		}
		if len(o.wire) < headerSize || len(o.wire) > limit {
			t.Fatalf("%d bytes, want %d to %d", len(o.wire), headerSize, limit)
		}
		if o.wire[2]&0x80 == 0 {
			t.Fatal("the answer is not an answer")
		}
		faults := strings.Join(logged[0].Faults, " ")
		if !strings.Contains(faults, string(KindWrongID)) && string(o.wire[:2]) != string(packet[:2]) {
			t.Fatal("another id")
		}
		if !strings.Contains(faults, string(KindGarbage)) {
			if err := new(dns.Msg).Unpack(o.wire); err != nil {
				t.Fatalf("the answer cannot be read: %v", err)
			}
		}
	})
}

// FuzzShortWay is differential: a query that is answered without the dns package gets the answer and
// the row in the log that the dns package would have given it.
func FuzzShortWay(f *testing.F) {
	for _, name := range []string{"a.b.", "A.b.", "*.", "w.x.", "m.b.", "l.b.", "c.b.", "t.b.", "i.b.", "f.b.", "z.b.", "1a.z.b.", "s.b.", "1.in-addr.arpa.", "x.", "b.", ".", "a\\.b.", "garbage."} {
		for _, qtype := range []uint16{dns.TypeA, dns.TypeAAAA, dns.TypePTR, dns.TypeSRV, dns.TypeCNAME, dns.TypeANY} {
			m := new(dns.Msg).SetQuestion(name, qtype)
			m.Id = 4660
			for _, size := range []uint16{0, 100, 1232} {
				if size > 0 {
					m.SetEdns0(size, size == 100)
					m.RecursionDesired, m.CheckingDisabled = false, true
				}
				packet, err := m.Pack()
				if err != nil {
					f.Fatal(err)
				}
				f.Add(packet, size > 100)
				m.Extra = nil
			}
		}
	}
	short, long := fuzzServer(f), fuzzServer(f)
	// A fault that is asked about every query and never acts: nothing takes the short way.
	if _, err := long.PutFault(Fault{ID: "never", Kind: KindThrottle, PerSecond: math.MaxInt}); err != nil {
		f.Fatal(err)
	}
	a, b := short.newWorker(), long.newWorker()
	f.Fuzz(func(t *testing.T, packet []byte, tcp bool) {
		q := question{
			client: netip.MustParseAddrPort("127.0.0.1:4000"), resolver: netip.MustParseAddrPort("127.0.0.1:53"),
			transport: UDP, received: time.Now(),
		}
		if tcp {
			q.transport = TCP
		}
		before := trim(short)
		trim(long)
		atShort, atLong := q, q
		got, want := a.exchange(nil, packet, &atShort), b.exchange(nil, packet, &atLong)
		if (got.wire == nil) != (want.wire == nil) {
			t.Fatalf("answered %x, want %x", got.wire, want.wire)
		}
		if got.wire != nil && describe(got.wire) != describe(want.wire) {
			t.Fatalf("answered\n%s\nwant\n%s", describe(got.wire), describe(want.wire))
		}
		if got, want := rows(t, short, before), rows(t, long, before); got != want {
			t.Fatalf("logged\n%s\nwant\n%s", got, want)
		}
	})
}

// trim keeps a log short that a fuzzer writes for minutes, and returns its last Seq.
func trim(s *Server) uint64 {
	last := s.LastSeq()
	if last%chunkSize == 0 {
		s.log.clear()
	}
	return last
}

// describe is an answer in words, so that two ways to compress one are the same.
func describe(wire []byte) string {
	m := new(dns.Msg)
	if err := m.Unpack(wire); err != nil {
		return hex.Dump(wire)
	}
	return m.String()
}

// rows is the log without what depends on the clock and on faults that do nothing.
func rows(t *testing.T, s *Server, after uint64) string {
	t.Helper()
	logged, err := s.Queries(Filter{After: after})
	if err != nil {
		t.Fatal(err)
	}
	for i := range logged {
		logged[i].AnsweredAt, logged[i].Revision = time.Time{}, 0
	}
	b, err := json.MarshalIndent(logged, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// FuzzControlAPI: whatever request comes, nothing panics or hangs, every refusal is
// a typed error, and the server still answers as before or as it was told.
func FuzzControlAPI(f *testing.F) {
	for _, c := range []struct{ method, target, body string }{
		{"GET", "/v1/version", ""},
		{"GET", "/v1/openapi.yaml", ""},
		{"GET", "/v1/history", ""},
		{"POST", "/v1/reset", ""},
		{"GET", "/v1/names", ""},
		{"PUT", "/v1/names", `{"names":[{"name":"a.b","ttl_seconds":60,"a":["10.0.0.1"],"aaaa":["2001:db8::1"],"order":"rotate","max_answers":3,"ttl_mode":"countdown"}]}`},
		{"PUT", "/v1/names", `{"names":[{"name":"*","alias":"a.b","propagation_seconds":1.5,"interleave_seconds":2}]}`},
		{"PUT", "/v1/names/x", `{"ttl_seconds":0,"cname":"a.b"}`},
		{"PUT", "/v1/names/x", `{"ttl_seconds":0,"ptr":"a.b","views":[{"clients":["10.0.0.0/8"],"resolvers":["::1"],"a":["10.0.0.9"]}]}`},
		{"PUT", "/v1/names/x", `{"ttl_seconds":1,"srv":[{"target":"a.b","port":80,"priority":1,"weight":2},{"target":"."}]}`},
		{"GET", "/v1/names/a.b", ""},
		{"DELETE", "/v1/names/c.b", ""},
		{"GET", "/v1/faults", ""},
		{"PUT", "/v1/faults/x", `{"kind":"delay","delay_seconds":0.1,"scope":{"name":"q","type":"A","clients":["10.0.0.0/8"],"resolvers":["10.0.0.2"],"transport":"tcp"},"count":2,"after_seconds":1,"for_seconds":1}`},
		{"PUT", "/v1/faults/x", `{"kind":"throttle","per_second":1}`},
		{"PUT", "/v1/faults/x", `{"kind":"stale","ttl_seconds":30}`},
		{"GET", "/v1/faults/delay", ""},
		{"DELETE", "/v1/faults/delay", ""},
		{"GET", "/v1/queries?name=a.b&type=A&client=10.0.0.0/8&after=1&since=2026-01-02T15:04:05Z&wait=1ms", ""},
		{"GET", "/v1/events", ""},
	} {
		f.Add(c.method, c.target, c.body)
	}
	f.Fuzz(func(t *testing.T, method, target, body string) {
		if !strings.HasPrefix(target, "/") {
			target = "/" + target
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		r, err := http.NewRequestWithContext(ctx, method, "http://x"+target, strings.NewReader(body))
		if err != nil {
			t.Skip("no HTTP client can send this")
		}
		s := fuzzServer(t)
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, r)
		switch w.Code {
		case http.StatusOK, http.StatusMovedPermanently, http.StatusTemporaryRedirect:
		default:
			var wrapped struct{ Error *Error }
			if err := json.Unmarshal(w.Body.Bytes(), &wrapped); err != nil || wrapped.Error == nil || wrapped.Error.Message == "" {
				t.Fatalf("%d %q is no typed error", w.Code, w.Body)
			}
			if w.Code < 400 || w.Code >= 500 {
				t.Fatalf("status %d, error %+v", w.Code, wrapped.Error)
			}
			if method != http.MethodGet && len(s.History()) != len(kinds) {
				t.Fatal("a refused change was made")
			}
		}
		for _, n := range s.Names() {
			for _, qtype := range []uint16{dns.TypeA, dns.TypeSRV} {
				m := new(dns.Msg).SetQuestion(dns.Fqdn(n.Name), qtype)
				packet, err := m.Pack()
				if err != nil {
					t.Fatalf("the name %q was accepted and cannot be asked for: %v", n.Name, err)
				}
				q := question{
					client: netip.MustParseAddrPort("127.0.0.1:4000"), resolver: netip.MustParseAddrPort("127.0.0.1:53"),
					transport: UDP, received: time.Now(),
				}
				if o := s.newWorker().exchange(nil, packet, &q); o.rec == nil {
					t.Fatalf("%q was asked for and not logged", n.Name)
				}
			}
		}
	})
}
