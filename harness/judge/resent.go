package judge

import "github.com/proxychaos/proxychaos/harness/recording"

// resentRequests are those that failed nobody only because the client, as
// browsers do, sent them again. A POST it would not have.
func (c *brief) resentRequests(*Verdict) []Finding {
	rows := c.requestRows(func(r recording.Request) bool { return r.Resent })
	if len(rows) == 0 {
		return nil
	}
	return []Finding{{
		Code: ClientResent, Text: count(len(rows), "GET was", "GETs were") + " sent again by the client: the proxy had closed the kept connection without an answer",
		Evidence: c.quote(rows...),
	}}
}
