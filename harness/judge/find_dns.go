package judge

import (
	"fmt"

	"github.com/proxychaos/proxychaos/harness/ledger"
	"github.com/proxychaos/proxychaos/harness/recording"
)

// livedWithoutDNS: what was asked while DNS failed, and whether that was felt.
func (c *brief) livedWithoutDNS(*Verdict) []Finding {
	spans := c.ledger.Unresolved()
	if len(spans) == 0 {
		return nil
	}
	var rows []row
	for _, u := range c.upstreams {
		for _, s := range spans {
			for _, l := range u.lookupsIn(s.From, s.To) {
				rows = append(rows, l.row)
			}
		}
	}
	began, failure, felt := c.feltOutage(spans)
	questions := count(len(rows), "DNS query", "DNS queries")
	var text string
	switch {
	case len(rows) == 0 && !felt:
		text = "did not ask DNS while it failed, so that nothing of it was felt"
	case !felt:
		text = fmt.Sprintf("%s while DNS failed, and no request failed: it kept using the addresses that it had", questions)
	case failure < began:
		text = questions + " while DNS failed; the first request to fail was under way as it began"
	default:
		text = fmt.Sprintf("%s while DNS failed; the first request to fail was sent %s after it began", questions, span(failure-began))
	}
	return []Finding{{Code: DNSOutage, Text: text, Evidence: c.quote(rows...)}}
}

// feltOutage is when the first request was sent that failed and that can have met a time in which
// DNS failed, or that in which a proxy need not know yet that it answers again; with when that
// time began, and whether there is such a request.
func (c *brief) feltOutage(spans []ledger.Span) (began, sent recording.Seconds, felt bool) {
	for request := range c.inOrder() {
		for _, s := range spans {
			if failed(request) && !endedBefore(request, s.From) && request.Sent <= s.To+c.allowed {
				return s.From, request.Sent, true
			}
		}
	}
	return 0, 0, false
}
