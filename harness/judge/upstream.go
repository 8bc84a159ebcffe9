package judge

import (
	"cmp"
	"slices"
	"strings"

	"github.com/proxychaos/proxychaos/harness/recording"
	"github.com/proxychaos/proxychaos/harness/world"
)

// upstream is one name that the proxy asks for, with the nodes behind it and all
// that the proxy did with them.
type upstream struct {
	number int
	// name is what the proxy asked for, or the literal address that it has; several that
	// lead to the same nodes are joined by commas. Empty if it never asked.
	name string
	// moved is when a node first left the answers for it; forever if none did.
	moved    recording.Seconds
	hits     []hit // requests to its nodes, in the order of time
	connects []row // connection attempts to its nodes: first SYNs, in the order of the file
	lookups  []lookup
}

// called is the name before a finding.
func (u *upstream) called(text string) string {
	if u.name == "" {
		return text
	}
	return u.name + ": " + text
}

// never says why a proxy that asked nothing keeps what it has.
func (u *upstream) never() string {
	switch {
	case !world.IsLiteral(u.number):
	case strings.Contains(u.name, ", "):
		return "literal addresses, which no name moves"
	default:
		return "a literal address, which no name moves"
	}
	return "resolved once at start: 0 DNS queries after t=0"
}

// lookup is one DNS query of the proxy for the name of an upstream.
type lookup struct {
	at    recording.Seconds
	fresh bool // answered with nodes that the name had then, and no other
	row   row
}

// asked says whether requests of clients went to its nodes before the name moved. What came before
// the load was to find the way in, or the proxy's own.
func (u *upstream) asked() bool {
	return slices.ContainsFunc(u.hits, func(h hit) bool { return h.seq != 0 && h.at >= 0 && h.at < u.moved })
}

// findUpstreams makes those that the proxy had anything to do with.
func (c *brief) findUpstreams() []*upstream {
	byNumber := map[int]*upstream{}
	of := func(number int) *upstream {
		u := byNumber[number]
		if u == nil {
			u = &upstream{number: number}
			u.moved, _ = c.ledger.Moved(number)
			byNumber[number] = u
		}
		return u
	}
	known := slices.DeleteFunc(c.findHits(), func(h hit) bool { return c.ledger.Upstream(h.node) == 0 })
	for i := range known {
		of(c.ledger.Upstream(known[i].node))
	}
	c.hits = newSentHits(known)
	for number, u := range byNumber {
		u.hits = c.hits.at(c.ledger.Upstream, number)
	}
	for i, p := range c.Packets {
		if number := c.ledger.Upstream(p.Node); number != 0 && p.Kind == recording.SYN && !p.Probe && !p.Retransmit {
			u := of(number)
			u.connects = append(u.connects, row{recording.PacketsFile, i})
		}
	}
	c.findLookups(of)
	for number, u := range byNumber {
		if world.IsLiteral(number) {
			u.name = addresses(c.ledger.Literals(number))
		}
	}
	var all []*upstream
	for _, u := range byNumber {
		all = append(all, u)
	}
	slices.SortFunc(all, func(a, b *upstream) int { return a.number - b.number })
	return all
}

// findLookups gives each upstream the queries for its names.
func (c *brief) findLookups(of func(int) *upstream) {
	leads := c.ledger.Leads(c.Queries)
	names := map[int][]string{}
	for i, q := range c.Queries {
		name := strings.ToLower(q.Name)
		number := leads[name]
		if q.Probe || number == 0 {
			continue
		}
		u := of(number)
		u.lookups = append(u.lookups, lookup{at: q.At, fresh: c.ledger.Current(q), row: row{recording.QueriesFile, i}})
		if !slices.Contains(names[number], name) {
			names[number] = append(names[number], name)
		}
	}
	for number, list := range names {
		u := of(number)
		u.name = strings.Join(list, ", ")
		slices.SortStableFunc(u.lookups, func(a, b lookup) int { return cmp.Compare(a.at, b.at) })
	}
}

// lookupsIn gives those from first to before last.
func (u *upstream) lookupsIn(first, last recording.Seconds) []lookup {
	var in []lookup
	for _, l := range u.lookups {
		if l.at >= first && l.at < last {
			in = append(in, l)
		}
	}
	return in
}

// lastBefore is the row of the last query before a time; none if there was no query.
func (u *upstream) lastBefore(t recording.Seconds) []row {
	before := u.lookupsIn(-forever, t)
	if len(before) == 0 {
		return nil
	}
	return []row{before[len(before)-1].row}
}

// freshAnswer is the first one after a move of the name that gave what the name had then.
func (u *upstream) freshAnswer(moved recording.Seconds) (lookup, bool) {
	for _, l := range u.lookupsIn(moved, forever) {
		if l.fresh {
			return l, true
		}
	}
	return lookup{}, false
}
