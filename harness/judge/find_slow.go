package judge

import (
	"fmt"
	"slices"
	"strings"

	"github.com/proxychaos/proxychaos/harness/recording"
)

// slow are the requests that were answered, and later than the budget allows, of those that
// had not ended before the first fault.
func (c *brief) slow() []row {
	within := c.Manifest.Plan.Budget.Within
	var rows []row
	for i, r := range c.Requests {
		if within > 0 && !failed(r) && r.Latency > within && !endedBefore(r, c.first.Asked) {
			rows = append(rows, row{recording.RequestsFile, i})
		}
	}
	return rows
}

// givenUp are the requests that failed and had been sent to a node which served, but late. What a
// reload took, or the end of a proxy or of the node, is told by itself.
func (c *brief) givenUp() []row {
	var rows []row
	for i, r := range c.Requests {
		_, cut := c.cutByReload(r)
		_, stopped := c.stoppedWith(r)
		if cut || stopped || c.ofDead[r.Seq] || failed(r) && c.nodeDied(r) {
			continue
		}
		if failed(r) && slices.ContainsFunc(c.hits.of(r.Seq), func(h hit) bool {
			serves, how := c.ledger.Serves(h.node, h.at)
			return serves && strings.HasPrefix(how, "slow-")
		}) {
			rows = append(rows, row{recording.RequestsFile, i})
		}
	}
	return rows
}

func (c *brief) countSlow(v *Verdict) { v.Slow = len(c.slow()) }

func (c *brief) slowAnswers(*Verdict) []Finding {
	slow, lost := c.slow(), c.givenUp()
	var words []string
	if len(slow) > 0 {
		longest := recording.Seconds(0)
		for _, r := range slow {
			longest = max(longest, c.Requests[r.index].Latency)
		}
		words = append(words, fmt.Sprintf("%s took longer than %s, the longest %s: no status shows it", requests(len(slow)), span(c.Manifest.Plan.Budget.Within), span(longest)))
	}
	if len(lost) > 0 && c.Manifest.Plan.Budget.Within > 0 {
		words = append(words, requests(len(lost))+" failed that had been sent to nodes which answer late")
	}
	if len(words) == 0 {
		return nil
	}
	return []Finding{{Code: SlowAnswers, Text: strings.Join(words, "; "), Evidence: c.quote(append(slow, lost...)...)}}
}

// cutShort: where an answer may take its time, who gives it up takes it from its user.
func (c *brief) cutShort(*Verdict) []Finding {
	lost := c.givenUp()
	if len(lost) == 0 || c.Manifest.Plan.Budget.Within > 0 {
		return nil
	}
	var waits []recording.Seconds
	for _, r := range lost {
		waits = append(waits, c.Requests[r.index].Latency)
	}
	slices.Sort(waits)
	return []Finding{{
		Code: CutShort, Text: fmt.Sprintf("%s failed while a node was at work on them or had begun its answer, after %s (the median)", requests(len(lost)), span(percentile(waits, 0.5))),
		Evidence: c.quote(lost...),
	}}
}
