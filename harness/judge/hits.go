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
	seen := map[request]int{} // by the index of its hit, from 1
	var hits []hit
	for i, a := range c.Attempts {
		if a.Probe {
			continue
		}
		h, f := hit{at: a.At, node: a.Node, conn: byID[a.Conn], row: row{recording.AttemptsFile, i}}, flow{}
		if h.conn != nil {
			f = flow{h.conn.Node, h.conn.Port, h.conn.Peer}
		}
		hits = append(hits, h)
		if a.Seq != 0 && f.peer.IsValid() {
			seen[request{f, a.Seq, "", ""}], seen[request{f, a.Seq, a.Method, a.Path}] = len(hits), len(hits)
		}
	}
	for i, p := range c.Packets {
		if p.Kind != recording.Segment || p.Probe || p.Retransmit {
			continue
		}
		f := flow{p.Node, p.Port, p.Peer}
		one := request{f, p.Seq, p.Method, p.Path}
		if n := seen[one]; n > 0 {
			hits[n-1].at = min(hits[n-1].at, p.At)
			continue
		}
		h := hit{at: p.At, node: p.Node, row: row{recording.PacketsFile, i}}
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

// sequence is the number of the request in a row of attempts or packets, and
// whether its node gave it an answer that could leave the node.
func (c *brief) sequence(h hit) (seq uint64, answered bool) {
	if h.row.file == recording.AttemptsFile {
		a := c.Attempts[h.row.index]
		return a.Seq, a.Done != 0 && !c.ledger.Muted(a.Node, a.Done)
	}
	return c.Packets[h.row.index].Seq, false
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
