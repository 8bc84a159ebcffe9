package resolve

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"
)

const name = "backend.example.test"

// fakeServer answers with what its function says; nil is silence.
type fakeServer struct {
	addr    netip.AddrPort
	answer  atomic.Pointer[func(q *dns.Msg, tcp bool) *dns.Msg]
	queries atomic.Int64
	mu      sync.Mutex
	asked   []string // type and transport of each query
}

func startServer(t *testing.T, answer func(q *dns.Msg, tcp bool) *dns.Msg) *fakeServer {
	t.Helper()
	s := &fakeServer{}
	s.set(answer)
	// The same port for both transports; another process may hold one of them.
	for range 20 {
		pc, err := net.ListenPacket("udp", "127.94.2.1:0")
		if err != nil {
			t.Fatal(err)
		}
		l, err := net.Listen("tcp", pc.LocalAddr().String())
		if err != nil {
			pc.Close()
			continue
		}
		s.addr = pc.LocalAddr().(*net.UDPAddr).AddrPort()
		for _, server := range []*dns.Server{{PacketConn: pc, Handler: s}, {Listener: l, Handler: s}} {
			go server.ActivateAndServe()
		}
		t.Cleanup(func() { pc.Close(); l.Close() })
		return s
	}
	t.Fatal("no port free for both UDP and TCP")
	return nil
}

func (s *fakeServer) set(answer func(q *dns.Msg, tcp bool) *dns.Msg) { s.answer.Store(&answer) }

func (s *fakeServer) ServeDNS(w dns.ResponseWriter, q *dns.Msg) {
	s.queries.Add(1)
	_, tcp := w.RemoteAddr().(*net.TCPAddr)
	s.mu.Lock()
	s.asked = append(s.asked, dns.TypeToString[q.Question[0].Qtype]+" "+w.RemoteAddr().Network())
	s.mu.Unlock()
	if m := (*s.answer.Load())(q, tcp); m != nil {
		w.WriteMsg(m)
	}
}

func (s *fakeServer) count(question string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, a := range s.asked {
		if a == question {
			n++
		}
	}
	return n
}

// records answers with zone lines of the asked type, and with a SOA when there
// are none.
func records(lines ...string) func(q *dns.Msg, tcp bool) *dns.Msg {
	var rrs []dns.RR
	for _, line := range lines {
		rr, err := dns.NewRR(line)
		if err != nil {
			panic(err)
		}
		rrs = append(rrs, rr)
	}
	return func(q *dns.Msg, _ bool) *dns.Msg {
		m := new(dns.Msg)
		m.SetReply(q)
		for _, rr := range rrs {
			if rr.Header().Rrtype == q.Question[0].Qtype || rr.Header().Rrtype == dns.TypeCNAME {
				m.Answer = append(m.Answer, rr)
			}
		}
		if len(m.Answer) == 0 {
			soa, _ := dns.NewRR("example.test. 30 IN SOA ns. host. 1 2 3 4 30")
			m.Ns = append(m.Ns, soa)
		}
		return m
	}
}

func rcode(code int) func(q *dns.Msg, tcp bool) *dns.Msg {
	return func(q *dns.Msg, _ bool) *dns.Msg {
		m := new(dns.Msg)
		m.SetRcode(q, code)
		return m
	}
}

func silence(*dns.Msg, bool) *dns.Msg { return nil }

// follow runs a follower and returns the channel of its changes.
func follow(t *testing.T, cfg Config) (*Follower, <-chan []netip.Addr) {
	t.Helper()
	cfg.Name = name
	changes := make(chan []netip.Addr, 100)
	f, err := New(cfg, func(addrs []netip.Addr) { changes <- addrs })
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { f.Run(ctx); close(done) }()
	t.Cleanup(func() { cancel(); <-done })
	return f, changes
}

func expect(t *testing.T, changes <-chan []netip.Addr, within time.Duration, want ...string) {
	t.Helper()
	var addrs []netip.Addr
	for _, w := range want {
		addrs = append(addrs, netip.MustParseAddr(w))
	}
	select {
	case got := <-changes:
		if !slices.Equal(got, addrs) {
			t.Fatalf("got %v, want %v", got, addrs)
		}
	case <-time.After(within):
		t.Fatalf("no change within %v, want %v", within, addrs)
	}
}

func expectNone(t *testing.T, changes <-chan []netip.Addr) {
	t.Helper()
	select {
	case got := <-changes:
		t.Fatalf("changed to %v, want no change", got)
	default:
	}
}

func TestFollowsTTLAheadOfExpiry(t *testing.T) {
	t.Parallel()
	s := startServer(t, records(name+". 1 IN A 10.0.0.2", name+". 1 IN A 10.0.0.1"))
	_, changes := follow(t, Config{Servers: []netip.AddrPort{s.addr}, Family: IPv4})
	expect(t, changes, time.Second, "10.0.0.1", "10.0.0.2")
	s.set(records(name + ". 60 IN A 10.0.0.3"))
	expect(t, changes, time.Second, "10.0.0.3")
	n := s.queries.Load()
	s.set(records(name + ". 60 IN A 10.0.0.4"))
	time.Sleep(1500 * time.Millisecond) // that nothing is asked for so long is the condition
	if s.queries.Load() != n {
		t.Errorf("asked %d times within 1.5 s of a TTL of 60 s", s.queries.Load()-n)
	}
	expectNone(t, changes)
}

func TestTTLZeroIsAskedAtTheFloor(t *testing.T) {
	t.Parallel()
	s := startServer(t, records(name+". 0 IN A 10.0.0.1"))
	_, changes := follow(t, Config{Servers: []netip.AddrPort{s.addr}, Family: IPv4, TTLMin: 200 * time.Millisecond})
	expect(t, changes, time.Second, "10.0.0.1")
	time.Sleep(time.Second) // the stretch over which questions are counted
	if n := s.queries.Load(); n < 4 || n > 8 {
		t.Errorf("%d questions in a second, want about 6 for a floor of 200 ms", n)
	}
}

func TestNudgeAsksEarlyAndIsLimited(t *testing.T) {
	t.Parallel()
	s := startServer(t, records(name+". 60 IN A 10.0.0.1"))
	f, changes := follow(t, Config{Servers: []netip.AddrPort{s.addr}, Family: Both})
	expect(t, changes, time.Second, "10.0.0.1")
	s.set(records(name + ". 60 IN A 10.0.0.2"))
	f.Nudge()
	expect(t, changes, 500*time.Millisecond, "10.0.0.2")
	before := s.count("A udp")
	for deadline := time.Now().Add(time.Second); time.Now().Before(deadline); {
		f.Nudge()
		time.Sleep(time.Millisecond)
	}
	// At most 0.25 s, then 0.5 s and 1 s apart, as they bring nothing new.
	if n := s.count("A udp") - before; n < 1 || n > 3 {
		t.Errorf("a second of nudges gave %d questions, want about 2", n)
	}
	if n := s.count("AAAA udp"); n != 1 {
		t.Errorf("AAAA, which has no records and a negative TTL of 30 s, was asked %d times, want once", n)
	}
}

func TestFailuresKeepTheLastGoodAnswer(t *testing.T) {
	for what, answer := range map[string]func(*dns.Msg, bool) *dns.Msg{
		"SERVFAIL": rcode(dns.RcodeServerFailure),
		"REFUSED":  rcode(dns.RcodeRefused),
		"NXDOMAIN": rcode(dns.RcodeNameError),
		"NODATA":   rcode(dns.RcodeSuccess),
		"silence":  silence,
		"wrong question": func(q *dns.Msg, _ bool) *dns.Msg {
			m := records("other.test. 1 IN A 10.9.9.9")(q, false)
			m.Question[0].Name = "other.test."
			return m
		},
		"wrong id": func(q *dns.Msg, _ bool) *dns.Msg {
			m := records(name+". 1 IN A 10.9.9.9")(q, false)
			m.Id++
			return m
		},
		"another owner": func(q *dns.Msg, _ bool) *dns.Msg {
			return records("other.test. 1 IN A 10.9.9.9")(q, false)
		},
		"filtered":         records(name + ". 1 IN A 0.0.0.0"),
		"alias of nothing": records(name + ". 1 IN CNAME gone.test."),
		"alias of itself":  records(name + ". 1 IN CNAME " + name + "."),
		"another type": func(q *dns.Msg, _ bool) *dns.Msg {
			m := new(dns.Msg).SetReply(q)
			m.Answer = append(m.Answer, &dns.AAAA{Hdr: dns.RR_Header{Name: name + ".", Rrtype: dns.TypeAAAA, Class: dns.ClassINET, Ttl: 1}, AAAA: net.ParseIP("2001:db8::9")})
			return m
		},
		"a query": func(q *dns.Msg, _ bool) *dns.Msg {
			m := records(name+". 1 IN A 10.9.9.9")(q, false)
			m.Response = false
			return m
		},
		"truncated, and silent over TCP": func(q *dns.Msg, tcp bool) *dns.Msg {
			if tcp {
				return nil
			}
			m := records(name+". 1 IN A 10.9.9.9")(q, false)
			m.Truncated = true
			return m
		},
		"truncated, and refused over TCP": func(q *dns.Msg, tcp bool) *dns.Msg {
			if tcp {
				return rcode(dns.RcodeRefused)(q, true)
			}
			m := records(name+". 1 IN A 10.9.9.9")(q, false)
			m.Truncated = true
			return m
		},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			s := startServer(t, records(name+". 1 IN A 10.0.0.1"))
			f, changes := follow(t, Config{Servers: []netip.AddrPort{s.addr}, Family: IPv4, TTLMin: 100 * time.Millisecond, TTLMax: 200 * time.Millisecond, Timeout: 400 * time.Millisecond})
			expect(t, changes, time.Second, "10.0.0.1")
			s.set(answer)
			before := s.queries.Load()
			for deadline := time.Now().Add(5 * time.Second); s.queries.Load() < before+5; time.Sleep(5 * time.Millisecond) {
				if time.Now().After(deadline) {
					t.Fatalf("asked %d times in 5 s, want it to keep asking", s.queries.Load()-before)
				}
			}
			expectNone(t, changes)
			s.set(records(name + ". 1 IN A 10.0.0.2"))
			expect(t, changes, 2*time.Second, "10.0.0.2")
			if st := f.Stats(); st.Changes != 2 || st.Queries < 5 {
				t.Errorf("stats %+v", st)
			}
		})
	}
}

// What is held for a while only is given up after that, each kind of failure by
// its own limit, and comes back with the next good answer.
func TestLastGoodAnswerIsGivenUpAfterItsHold(t *testing.T) {
	const hold = 300 * time.Millisecond
	for what, test := range map[string]struct {
		answer         func(*dns.Msg, bool) *dns.Msg
		failed, absent time.Duration
		givenUp        bool
	}{
		"SERVFAIL":                    {rcode(dns.RcodeServerFailure), hold, 0, true},
		"silence":                     {silence, hold, 0, true},
		"NXDOMAIN":                    {rcode(dns.RcodeNameError), 0, hold, true},
		"NODATA":                      {rcode(dns.RcodeSuccess), 0, hold, true},
		"SERVFAIL, the other limited": {rcode(dns.RcodeServerFailure), 0, hold, false},
		"NXDOMAIN, the other limited": {rcode(dns.RcodeNameError), hold, 0, false},
		"SERVFAIL, switched off":      {rcode(dns.RcodeServerFailure), -1, hold, false},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			s := startServer(t, records(name+". 1 IN A 10.0.0.1"))
			_, changes := follow(t, Config{
				Servers: []netip.AddrPort{s.addr}, Family: IPv4, TTLMin: 50 * time.Millisecond, TTLMax: 100 * time.Millisecond, Timeout: 100 * time.Millisecond,
				HoldFailed: test.failed, HoldAbsent: test.absent,
			})
			expect(t, changes, time.Second, "10.0.0.1")
			failing := time.Now()
			s.set(test.answer)
			if test.givenUp {
				expect(t, changes, 5*time.Second)
				// The last good answer is one TTL older than the first failure, at most.
				if took := time.Since(failing); took < hold-100*time.Millisecond {
					t.Errorf("given up after %v, want %v after the last good answer", took, hold)
				}
			} else {
				before := s.queries.Load()
				for deadline := time.Now().Add(5 * time.Second); s.queries.Load() < before+10 || time.Since(failing) < 2*hold; time.Sleep(5 * time.Millisecond) {
					if time.Now().After(deadline) {
						t.Fatalf("asked %d times in 5 s, want it to keep asking", s.queries.Load()-before)
					}
				}
				expectNone(t, changes)
			}
			s.set(records(name + ". 1 IN A 10.0.0.2"))
			expect(t, changes, 2*time.Second, "10.0.0.2")
		})
	}
}

func TestOneOfTwoServersDead(t *testing.T) {
	t.Parallel()
	dead := startServer(t, silence)
	good := startServer(t, records(name+". 1 IN A 10.0.0.1"))
	_, changes := follow(t, Config{Servers: []netip.AddrPort{dead.addr, good.addr}, Family: IPv4})
	start := time.Now()
	expect(t, changes, 2*time.Second, "10.0.0.1")
	if took := time.Since(start); took > time.Second {
		t.Errorf("took %v, want a little over 300 ms", took)
	}
	good.set(records(name + ". 60 IN A 10.0.0.2"))
	expect(t, changes, 2*time.Second, "10.0.0.2")
	if n := dead.queries.Load(); n != 1 {
		t.Errorf("the dead server was asked %d times, want once: the good one is remembered", n)
	}
}

func TestServerErrorMovesOnAtOnce(t *testing.T) {
	t.Parallel()
	bad := startServer(t, rcode(dns.RcodeServerFailure))
	good := startServer(t, records(name+". 1 IN A 10.0.0.1"))
	_, changes := follow(t, Config{Servers: []netip.AddrPort{bad.addr, bad.addr, bad.addr, good.addr}, Family: IPv4})
	// Waiting for the repeat timer would take three times 300 ms.
	expect(t, changes, 800*time.Millisecond, "10.0.0.1")
}

func TestTruncatedAnswerIsAskedOverTCP(t *testing.T) {
	t.Parallel()
	s := startServer(t, func(q *dns.Msg, tcp bool) *dns.Msg {
		m := records(name+". 60 IN A 10.0.0.1", name+". 60 IN A 10.0.0.2")(q, tcp)
		if !tcp {
			m.Truncated, m.Answer = true, m.Answer[:1]
		}
		return m
	})
	_, changes := follow(t, Config{Servers: []netip.AddrPort{s.addr}, Family: IPv4})
	expect(t, changes, time.Second, "10.0.0.1", "10.0.0.2")
}

func TestServerWithoutEDNS(t *testing.T) {
	t.Parallel()
	s := startServer(t, func(q *dns.Msg, tcp bool) *dns.Msg {
		if q.IsEdns0() != nil {
			return rcode(dns.RcodeFormatError)(q, tcp)
		}
		return records(name+". 60 IN A 10.0.0.1")(q, tcp)
	})
	_, changes := follow(t, Config{Servers: []netip.AddrPort{s.addr}, Family: IPv4})
	expect(t, changes, time.Second, "10.0.0.1")
}

func TestCNAMEChainUsesItsLeastTTL(t *testing.T) {
	q := new(dns.Msg)
	q.SetQuestion(name+".", dns.TypeA)
	m := records(name+". 300 IN CNAME alb.test.", "alb.test. 7 IN CNAME node.test.", "node.test. 60 IN A 10.0.0.1", "stray.test. 1 IN A 10.9.9.9")(q, false)
	ans, err := read(m, dns.TypeA)
	if err != nil || ans.ttl != 7*time.Second || len(ans.addrs) != 1 || ans.addrs[0].String() != "10.0.0.1" {
		t.Errorf("got %+v, %v", ans, err)
	}
}

func TestCNAMELoopEnds(t *testing.T) {
	q := new(dns.Msg)
	q.SetQuestion(name+".", dns.TypeA)
	ans, err := read(records(name+". 1 IN CNAME b.test.", "b.test. 1 IN CNAME "+name+".")(q, false), dns.TypeA)
	if err != nil || len(ans.addrs) != 0 {
		t.Errorf("got %+v, %v", ans, err)
	}
}

func TestFamiliesAreMergedAndMoveApart(t *testing.T) {
	t.Parallel()
	s := startServer(t, records(name+". 1 IN A 10.0.0.1", name+". 1 IN AAAA 2001:db8::1"))
	_, changes := follow(t, Config{Servers: []netip.AddrPort{s.addr}, Family: Both})
	want := []string{"10.0.0.1", "2001:db8::1"}
	select {
	case got := <-changes: // whichever came first
		if len(got) == 1 {
			expect(t, changes, time.Second, want...)
		}
	case <-time.After(time.Second):
		t.Fatal("no answer")
	}
	// IPv4 is withdrawn: with IPv6 left, that is a decision and no outage.
	s.set(records(name + ". 1 IN AAAA 2001:db8::1"))
	expect(t, changes, 2*time.Second, "2001:db8::1")
}

func TestNewRefusesBadConfig(t *testing.T) {
	server := []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:53")}
	for want, cfg := range map[string]Config{
		"is not a domain name": {Name: strings.Repeat("a", 64) + ".test", Servers: server},
		"no DNS server":        {Name: name},
		"above TTLMax":         {Name: name, Servers: server, TTLMin: time.Hour},
	} {
		if _, err := New(cfg, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func TestParseServer(t *testing.T) {
	for in, want := range map[string]string{"10.0.0.2": "10.0.0.2:53", "10.0.0.2:5353": "10.0.0.2:5353", "2001:db8::1": "[2001:db8::1]:53", "[2001:db8::1]:5353": "[2001:db8::1]:5353"} {
		if got, err := ParseServer(in); err != nil || got.String() != want {
			t.Errorf("%s: got %v, %v", in, got, err)
		}
	}
	for _, in := range []string{"", "dns.example", "10.0.0.2:0", "10.0.0.2:x", "10.0.0"} {
		if _, err := ParseServer(in); err == nil {
			t.Errorf("%q was accepted", in)
		}
	}
}

func FuzzRead(f *testing.F) {
	q := new(dns.Msg)
	q.SetQuestion(name+".", dns.TypeA)
	wire, err := records(name+". 1 IN CNAME b.test.", "b.test. 1 IN A 10.0.0.1")(q, false).Pack()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(wire)
	f.Fuzz(func(t *testing.T, data []byte) {
		m := new(dns.Msg)
		if m.Unpack(data) != nil || len(m.Question) != 1 {
			return
		}
		ans, err := read(m, m.Question[0].Qtype)
		if err == nil && ans.ttl < 0 {
			t.Errorf("negative TTL %v", ans.ttl)
		}
		for _, a := range ans.addrs {
			if !a.IsValid() {
				t.Errorf("invalid address among %v", ans.addrs)
			}
		}
	})
}
