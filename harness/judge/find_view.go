package judge

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/proxychaos/proxychaos/harness/recording"
)

// staleAnswers: some resolver went on giving nodes that the name had left, so that who asked
// it could not know.
func (c *brief) staleAnswers(u *upstream, _ *Verdict) []Finding {
	var rows []row
	var resolvers []netip.Addr
	for _, l := range u.lookups {
		q := c.Queries[l.row.index]
		if !slices.ContainsFunc(q.Answers, func(a netip.Addr) bool {
			left, out := c.ledger.Left(a, q.At)
			return out && q.At-left > recording.Settle
		}) {
			continue
		}
		rows = append(rows, l.row)
		if r := q.Resolver.Addr(); !slices.Contains(resolvers, r) {
			resolvers = append(resolvers, r)
		}
	}
	if len(rows) == 0 {
		return nil
	}
	return []Finding{{
		Code: StaleAnswers, Text: fmt.Sprintf("%s of %s after the name moved were answered with nodes that it had left, at %s",
			comma(len(rows)), count(len(u.lookupsIn(u.moved, forever)), "DNS query", "DNS queries"), addresses(resolvers)),
		Evidence: c.quote(rows...),
	}}
}
