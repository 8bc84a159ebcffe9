package judge

import "fmt"

// livedWithoutDNS: what was asked while DNS failed, and whether that was felt.
func (c *brief) livedWithoutDNS(v *Verdict) []Finding {
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
	questions := count(len(rows), "DNS query", "DNS queries")
	var text string
	switch {
	case len(rows) == 0 && v.Failed == 0:
		text = "did not ask DNS while it failed, so that nothing of it was felt"
	case v.Failed == 0:
		text = fmt.Sprintf("%s while DNS failed, and no request did: it went on with the addresses it had", questions)
	default:
		text = fmt.Sprintf("%s while DNS failed; the first request to fail was sent %s after it began", questions, span(*v.FirstFailure))
	}
	return []Finding{{Code: DNSOutage, Text: text, Evidence: c.quote(rows...)}}
}
