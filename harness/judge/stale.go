package judge

import (
	"net/netip"
	"slices"

	"github.com/proxychaos/proxychaos/harness/recording"
)

// hit is one request that the proxy sent to an old node: one that the node
// took (a row of attempts.jsonl) or, once the node had ended, one that was
// seen on the wire only (a segment in packets.jsonl).
type hit struct {
	at    recording.Seconds
	node  netip.Addr
	conn  *recording.Conn // nil where it is not known
	row   row
	early bool // on a connection opened before the name moved
}

// flow is a TCP connection as it can be told from a packet.
type flow struct {
	node netip.Addr
	port int
	peer netip.AddrPort
}

// findOldHits lists the requests to old nodes. A request that is in both files,
// or sent again by TCP, is one request: it has one sequence number on one
// connection.
func (c *brief) findOldHits() []hit {
	byID := map[uint64]*recording.Conn{}
	byFlow := map[flow][]*recording.Conn{}
	for i := range c.Connections {
		conn := &c.Connections[i]
		byID[conn.Conn] = conn
		f := flow{conn.Node, conn.Port, conn.Peer}
		byFlow[f] = append(byFlow[f], conn)
	}
	type request struct {
		flow flow
		seq  uint64
	}
	seen := map[request]bool{}
	var hits []hit
	add := func(h hit, f flow, seq uint64) {
		if seq != 0 && f.peer.IsValid() {
			if seen[request{f, seq}] {
				return
			}
			seen[request{f, seq}] = true
		}
		h.early = h.conn != nil && h.conn.Opened < c.flip
		hits = append(hits, h)
	}
	for i, a := range c.Attempts {
		if a.Probe || !c.isOld(a.Node) {
			continue
		}
		h, f := hit{at: a.At, node: a.Node, conn: byID[a.Conn], row: row{recording.AttemptsFile, i}}, flow{}
		if h.conn != nil {
			f = flow{h.conn.Node, h.conn.Port, h.conn.Peer}
		}
		add(h, f, a.Seq)
	}
	for i, p := range c.Packets {
		if p.Kind != recording.Segment || p.Probe || p.Retransmit || !c.isOld(p.Node) {
			continue
		}
		f := flow{p.Node, p.Port, p.Peer}
		h := hit{at: p.At, node: p.Node, row: row{recording.PacketsFile, i}}
		// A port can be used again: the connection is the last one opened by then.
		for _, conn := range byFlow[f] {
			if conn.Opened <= p.At && (h.conn == nil || conn.Opened > h.conn.Opened) {
				h.conn = conn
			}
		}
		add(h, f, p.Seq)
	}
	slices.SortStableFunc(hits, func(a, b hit) int { return compare(a.at, b.at) })
	return hits
}

func (c *brief) isOld(node netip.Addr) bool { return slices.Contains(c.Manifest.Plan.Old, node) }

func (c *brief) isFresh(node netip.Addr) bool { return slices.Contains(c.Manifest.Plan.Fresh, node) }

// staleHits are the requests to old nodes when none should go there any more.
func (c *brief) staleHits() []hit {
	first := slices.IndexFunc(c.oldHits, func(h hit) bool { return h.at > c.staleFrom })
	if first < 0 {
		return nil
	}
	return c.oldHits[first:]
}

// staleConnects are the rows of packets.jsonl with connection attempts to old
// nodes in the same time. A SYN that was sent again is the same attempt.
func (c *brief) staleConnects() []row {
	var rows []row
	for i, p := range c.Packets {
		if p.Kind == recording.SYN && !p.Probe && !p.Retransmit && c.isOld(p.Node) && p.At > c.staleFrom {
			rows = append(rows, row{recording.PacketsFile, i})
		}
	}
	return rows
}

func (c *brief) countStale(v *Verdict) {
	v.Stale = len(c.staleHits())
	v.StaleConnects = len(c.staleConnects())
	if n := len(c.oldHits); n > 0 && c.oldHits[n-1].at > c.flip {
		v.LastStale = since(c.flip, c.oldHits[n-1].at)
	}
}
