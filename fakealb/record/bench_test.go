package record_test

import (
	"net/netip"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/proxychaos/proxychaos/fakealb/record"
)

// The memory of 1,000,000 requests on 100,000 connections: ten each, as browsers
// make them. Issue 3 allows 300 MiB.
func BenchmarkMillionRequests(b *testing.B) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	var all *logs
	for b.Loop() {
		all = new(logs)
		for c := range 100_000 {
			all.connection(uint64(c), 10)
		}
	}
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(after.Sys-before.Sys)/(1<<20), "MiB-from-OS")
	runtime.GC()
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/(1<<20), "MiB-live")
	if all.attempts.Len() != 1_000_000 {
		b.Fatalf("got %d rows", all.attempts.Len())
	}
}

// One request: its row, and its end.
func BenchmarkRecord(b *testing.B) {
	var all logs
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		all.request(1, n)
	}
}

func BenchmarkRecordFromManyConnections(b *testing.B) {
	var all logs
	b.RunParallel(func(pb *testing.PB) {
		for n := 0; pb.Next(); n++ {
			all.request(1, n)
		}
	})
}

type logs struct {
	attempts    record.Attempts
	connections record.Connections
	packets     record.Packets
}

var (
	benchNode = netip.MustParseAddr("198.18.0.21")
	benchPeer = netip.MustParseAddrPort("198.18.0.2:40000")
)

func (l *logs) connection(id uint64, requests int) {
	now := time.Now()
	l.packets.Add(record.Packet{Time: now, Node: benchNode, Port: 443, Peer: benchPeer, Kind: record.SYN})
	c := l.connections.Add(record.Connection{
		ID: id, Opened: now, Node: benchNode, Port: 443, LoadBalancer: "blue", Peer: benchPeer, TLS: true, SNI: "www.example.test", ALPN: "h2",
	})
	for n := range requests {
		l.request(id, int(id)*requests+n)
	}
	l.connections.Update(c, func(c *record.Connection) {
		c.Closed, c.Requests, c.ClosedBy, c.How = now, requests, record.ClosedByPeer, "fin"
	})
}

func (l *logs) request(connection uint64, n int) {
	now := time.Now()
	ref := l.attempts.Add(record.Attempt{
		Connection: connection, Request: n%10 + 1, Start: now, Node: benchNode, Port: 443, LoadBalancer: "blue", Peer: benchPeer,
		Proto: "HTTP/1.1", Method: "GET", Host: "www.example.test", Path: "/api/v1/items", Seq: strconv.Itoa(n), TLS: true, SNI: "www.example.test",
	})
	l.attempts.Update(ref, func(a *record.Attempt) {
		a.End, a.Status, a.Target, a.TargetStatus, a.SentBytes = now, 200, "t1:443", 200, 1024
	})
}
