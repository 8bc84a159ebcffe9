package judge

import (
	"cmp"
	"net/netip"
	"slices"

	"github.com/proxychaos/proxychaos/harness/recording"
)

// hit is one request that the proxy sent to a node: one that the node took (a row
// of attempts.jsonl) or, if it had ended, one that was seen on the wire only (a
// segment in packets.jsonl).
type hit struct {
	seq  uint64 // the number of the client's request; 0 if it shows none
	at   recording.Seconds
	node netip.Addr
	conn *recording.Conn // nil if it is not known
	row  row
}

// flow is a TCP connection as it can be told from a packet.
type flow struct {
	node netip.Addr
	port int
	peer netip.AddrPort
}

// findHits lists the requests to nodes in the order of time. A request that is in
// both files, or sent again by TCP, is one request: it has one sequence number on one
// connection, and one method and path if a packet shows them. It was sent when its first
// packet was seen: a silent node takes it only when it is back.
func (c *brief) findHits() []hit {
	byID := map[uint64]*recording.Conn{}
	byFlow := map[flow][]*recording.Conn{}
	for i := range c.Connections {
		conn := &c.Connections[i]
		byID[conn.Conn] = conn
		f := flow{conn.Node, conn.Port, conn.Peer}
		byFlow[f] = append(byFlow[f], conn)
	}
	type request struct {
		flow         flow
		seq          uint64
		method, path string
	}
	inPackets := map[uint64]bool{} // by the number of the client's request
	for _, p := range c.Packets {
		if ofProxy(p) && p.Seq != 0 {
			inPackets[p.Seq] = true
		}
	}
	seen := map[request]int{} // requests of inPackets, by the index of the hit, from 1
	hits := make([]hit, 0, len(c.Attempts))
	for i, a := range c.Attempts {
		if a.Probe {
			continue
		}
		h, f := hit{seq: a.Seq, at: a.At, node: a.Node, conn: byID[a.Conn], row: row{recording.AttemptsFile, i}}, flow{}
		if h.conn != nil {
			f = flow{h.conn.Node, h.conn.Port, h.conn.Peer}
		}
		hits = append(hits, h)
		if inPackets[a.Seq] && f.peer.IsValid() {
			seen[request{f, a.Seq, "", ""}], seen[request{f, a.Seq, a.Method, a.Path}] = len(hits), len(hits)
		}
	}
	for i, p := range c.Packets {
		if !ofProxy(p) {
			continue
		}
		f := flow{p.Node, p.Port, p.Peer}
		one := request{f, p.Seq, p.Method, p.Path}
		if n := seen[one]; n > 0 {
			hits[n-1].at = min(hits[n-1].at, p.At)
			continue
		}
		h := hit{seq: p.Seq, at: p.At, node: p.Node, row: row{recording.PacketsFile, i}}
		// A port can be used again: the connection is the last one opened by then.
		for _, conn := range byFlow[f] {
			if conn.Opened <= p.At && (h.conn == nil || conn.Opened > h.conn.Opened) {
				h.conn = conn
			}
		}
		hits = append(hits, h)
		if p.Seq != 0 {
			seen[one] = len(hits)
		}
	}
	slices.SortStableFunc(hits, func(a, b hit) int { return cmp.Compare(a.at, b.at) })
	return hits
}

// ofProxy says whether a packet has a request, or a part of one, that the proxy sent for the
// first time.
func ofProxy(p recording.Packet) bool {
	return p.Kind == recording.Segment && !p.Probe && !p.Retransmit
}

// answered says whether a node gave the request an answer that could leave the node.
func (c *brief) answered(h hit) bool {
	if h.row.file != recording.AttemptsFile {
		return false
	}
	a := &c.Attempts[h.row.index]
	return a.Done != 0 && !c.ledger.Muted(a.Node, a.Done)
}

// sentHits are hits in the order of time, and their indexes in the order of the client's
// requests. A map of lists would take several times the memory.
type sentHits struct {
	inTime []hit
	bySeq  []int
}

func newSentHits(inTime []hit) sentHits {
	s := sentHits{inTime, make([]int, len(inTime))}
	for i := range s.bySeq {
		s.bySeq[i] = i
	}
	slices.SortStableFunc(s.bySeq, func(a, b int) int { return cmp.Compare(inTime[a].seq, inTime[b].seq) })
	return s
}

// of are those of one request of a client, in the order of time.
func (s sentHits) of(seq uint64) []hit {
	first, _ := slices.BinarySearchFunc(s.bySeq, seq, func(i int, seq uint64) int { return cmp.Compare(s.inTime[i].seq, seq) })
	last := first
	for last < len(s.bySeq) && s.inTime[s.bySeq[last]].seq == seq {
		last++
	}
	if last == first+1 { // nearly always: there is nothing to copy
		i := s.bySeq[first]
		return s.inTime[i : i+1 : i+1]
	}
	var found []hit
	for _, i := range s.bySeq[first:last] {
		found = append(found, s.inTime[i])
	}
	return found
}

// at are those to the nodes of one upstream, by its number in the ledger.
func (s sentHits) at(upstream func(netip.Addr) int, number int) []hit {
	sent := 0
	for i := range s.inTime {
		if upstream(s.inTime[i].node) == number {
			sent++
		}
	}
	if sent == len(s.inTime) {
		return s.inTime
	}
	found := make([]hit, 0, sent)
	for _, h := range s.inTime {
		if upstream(h.node) == number {
			found = append(found, h)
		}
	}
	return found
}

// time is that of a row of packets or connections.
func (c *brief) time(r row) recording.Seconds {
	if r.file == recording.PacketsFile {
		return c.Packets[r.index].At
	}
	return c.Connections[r.index].Opened
}

// target is the node of a row of packets or connections.
func (c *brief) target(r row) netip.Addr {
	if r.file == recording.PacketsFile {
		return c.Packets[r.index].Node
	}
	return c.Connections[r.index].Node
}
