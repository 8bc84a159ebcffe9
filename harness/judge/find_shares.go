package judge

import (
	"cmp"
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strings"

	"github.com/proxychaos/proxychaos/harness/recording"
)

// shareSlack is how far off a share may be: with some hundred requests, and workers that each
// count for themselves, more than chance makes of it.
const shareSlack = 0.05

// countShares gives the share of each node that got requests, if the budget is about shares.
func (c *brief) countShares(v *Verdict) {
	if len(c.Manifest.Plan.Budget.Shares) == 0 {
		return
	}
	back := c.ledger.Whole() + c.allowed
	before, after := c.sharesIn(0, c.first.Asked), c.sharesIn(back, c.Manifest.Plan.Duration)
	for _, n := range c.ledger.Nodes() {
		if before[n.Addr] > 0 || after[n.Addr] > 0 {
			v.Shares = append(v.Shares, Share{Node: n.Addr, Asked: c.ledger.Asked(n.Addr), Before: before[n.Addr], After: after[n.Addr]})
		}
	}
	slices.SortStableFunc(v.Shares, func(a, b Share) int { return cmp.Compare(b.Before, a.Before) })
}

// sharesIn are the shares, of the requests of clients that reached nodes, by node. Health checks
// do not count.
func (c *brief) sharesIn(from, to recording.Seconds) map[netip.Addr]float64 {
	shares, all := map[netip.Addr]float64{}, 0
	for _, h := range c.hits.inTime {
		if h.seq != 0 && h.at >= from && h.at < to {
			shares[h.node]++
			all++
		}
	}
	for node := range shares {
		shares[node] /= float64(all)
	}
	return shares
}

// unevenShares are the nodes whose shares are not as they should be.
func (c *brief) unevenShares(v *Verdict) []Share {
	var wrong []Share
	for i, s := range v.Shares {
		want := 0.0
		if planned := c.Manifest.Plan.Budget.Shares; i < len(planned) {
			want = planned[i]
		}
		if math.Abs(s.Before-want) > shareSlack || math.Abs(s.After-s.Before) > shareSlack {
			wrong = append(wrong, s)
		}
	}
	return wrong
}

// sharesWords gives "192.168.1.101 0.40 and then 0.73, ...".
func sharesWords(shares []Share) string {
	var words []string
	for _, s := range shares {
		words = append(words, fmt.Sprintf("%s %.2f and then %.2f", addresses(s.Asked), s.Before, s.After))
	}
	return strings.Join(words, ", ")
}

// foundShares says which node got how much, before the fault and once all served again.
func (c *brief) foundShares(v *Verdict) []Finding {
	wrong := c.unevenShares(v)
	if len(wrong) == 0 {
		return nil
	}
	var rows []row
	back := c.ledger.Whole() + c.allowed
	for _, h := range c.hits.inTime {
		if h.seq != 0 && h.at >= back && slices.ContainsFunc(wrong, func(s Share) bool { return s.Node == h.node }) {
			rows = append(rows, h.row)
		}
	}
	return []Finding{{
		Code: UnevenShares, Text: fmt.Sprintf("shares of the requests before the fault, and later than %s after all nodes were back: %s", span(c.allowed), sharesWords(v.Shares)),
		Evidence: c.quote(rows...),
	}}
}
