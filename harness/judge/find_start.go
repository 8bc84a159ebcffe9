package judge

import (
	"fmt"
	"slices"

	"github.com/proxychaos/proxychaos/harness/kind"
	"github.com/proxychaos/proxychaos/harness/ledger"
	"github.com/proxychaos/proxychaos/harness/recording"
)

// unknowing says whether a request met a proxy that had been restarted while the
// resolvers failed, or that had not yet had the time to ask them since.
func (c *brief) unknowing(request recording.Request) bool {
	return slices.ContainsFunc(c.ledger.Unknowing(), func(s ledger.Span) bool {
		return request.Sent+request.Latency >= s.From && request.Sent <= s.To+c.allowed
	})
}

// unheard says whether nothing took the connection of a request, or the load balancer in front got
// no answer to it.
func (c *brief) unheard(r recording.Request) bool {
	return r.Outcome == recording.Connection || c.ofFront(r)
}

// notStarted: the proxy was restarted, and from then on nothing took a connection.
func (c *brief) notStarted(*Verdict) []Finding {
	restarts := c.ledger.Restarts()
	if len(restarts) == 0 {
		return nil
	}
	last := restarts[len(restarts)-1]
	var refused []row
	for i, r := range c.Requests {
		if r.Sent < last.At {
			continue
		}
		if !c.unheard(r) {
			return nil
		}
		refused = append(refused, row{recording.RequestsFile, i})
	}
	if len(refused) == 0 {
		return nil
	}
	text := fmt.Sprintf("the proxy accepted no connection after it was restarted: %s failed", requests(len(refused)))
	words := c.lastWords(last.Asked)
	if len(words) > 0 {
		text += "; the last line of its log: " + c.ProxyLog[words[len(words)-1].index].Text
	}
	return []Finding{{Code: NotStarted, Text: text, Evidence: c.quote(append(words, refused...)...)}}
}

// startedLate: the proxy was restarted, and accepted no connection for a while.
func (c *brief) startedLate() []Finding {
	var findings []Finding
	for _, m := range c.ledger.Restarts() {
		var refused []row
		for _, i := range c.order {
			r := c.Requests[i]
			if r.Sent < m.At {
				continue
			}
			if !c.unheard(r) {
				if len(refused) > 0 {
					findings = append(findings, Finding{
						Code: NotStarted, Text: fmt.Sprintf("the proxy accepted no connection for %s after it was restarted: %s failed", span(r.Sent-m.At), requests(len(refused))),
						Evidence: c.quote(refused...),
					})
				}
				break
			}
			refused = append(refused, row{recording.RequestsFile, i})
		}
	}
	return findings
}

// lastWords are the last lines at error level that the proxy's log has from a time on.
func (c *brief) lastWords(from recording.Seconds) []row {
	const most = 2
	var rows []row
	for i, line := range c.ProxyLog {
		if line.At >= from && kind.Errors(kind.Name(c.Manifest.Subject.Kind), line.Text) {
			rows = append(rows, row{recording.ProxyLogFile, i})
		}
	}
	return rows[max(0, len(rows)-most):]
}
