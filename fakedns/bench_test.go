package fakedns

import (
	"context"
	"net"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"github.com/miekg/dns"
	"golang.org/x/net/ipv4"
)

func benchServer(b *testing.B) *Server {
	b.Helper()
	s, err := New(Config{
		Listen: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")},
		Names: []Name{{Name: "app.example", TTL: time.Minute, A: []netip.Addr{
			netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2"), netip.MustParseAddr("10.0.0.3"),
		}}, {Name: "www.example", Alias: "app.example"}, {Name: "c.example", TTL: time.Minute, CNAME: "app.example"}},
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Close() })
	return s
}

func benchPacket(b *testing.B, name string) []byte {
	b.Helper()
	packet, err := new(dns.Msg).SetQuestion(name, dns.TypeA).Pack()
	if err != nil {
		b.Fatal(err)
	}
	return packet
}

// From a packet to its answer and its row in the log, without sockets.
func BenchmarkExchange(b *testing.B) {
	for _, name := range []string{"app.example.", "www.example.", "nowhere.example.", "c.example."} {
		b.Run(name, func(b *testing.B) {
			s := benchServer(b)
			w, packet := s.newWorker(), benchPacket(b, name)
			q := question{
				client: netip.MustParseAddrPort("127.0.0.1:4000"), resolver: s.Addrs()[0],
				transport: UDP, received: time.Now(),
			}
			var wire []byte
			b.ReportAllocs()
			for b.Loop() {
				again := q
				if o := w.exchange(wire[:0], packet, &again); o.wire != nil {
					wire = o.wire
				}
			}
		})
	}
}

// Over UDP on loopback, the client's work included: one client with 64 queries on
// their way, and the log on.
func BenchmarkUDP(b *testing.B) {
	s := benchServer(b)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() { _ = s.Run(ctx) }()
	conn, err := net.Dial("udp", s.Addrs()[0].String())
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	client := ipv4.NewPacketConn(conn.(*net.UDPConn))
	const window = 64
	packet := benchPacket(b, "app.example.")
	out, in := make([]ipv4.Message, window), make([]ipv4.Message, window)
	for i := range window {
		out[i].Buffers, in[i].Buffers = [][]byte{packet}, [][]byte{make([]byte, dns.MinMsgSize)}
	}
	b.ResetTimer()
	for done := 0; done < b.N; {
		for sent := 0; sent < window; {
			n, err := client.WriteBatch(out[sent:], 0)
			if err != nil {
				b.Fatal(err)
			}
			sent += n
		}
		for got := 0; got < window; {
			n, err := client.ReadBatch(in, 0)
			if err != nil {
				b.Fatal(err)
			}
			got += n
		}
		done += window
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "answers/s")
}

// What a logged answer takes in memory, everything included.
func BenchmarkLogMemory(b *testing.B) {
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	s := benchServer(b)
	w, packet := s.newWorker(), benchPacket(b, "app.example.")
	q := question{
		client: netip.MustParseAddrPort("127.0.0.1:4000"), resolver: s.Addrs()[0],
		transport: UDP, received: time.Now(),
	}
	var wire []byte
	before := heap()
	for b.Loop() {
		again := q
		wire = w.exchange(wire[:0], packet, &again).wire
	}
	b.StopTimer()
	b.ReportMetric(float64(heap()-before)/float64(b.N), "B/answer")
	runtime.KeepAlive(s)
}
