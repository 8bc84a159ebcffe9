package judge

import (
	"fmt"

	"github.com/proxychaos/proxychaos/harness/recording"
)

// lastWordsBefore is how long before the first request that found no proxy its last line may be.
const lastWordsBefore = recording.Seconds(1)

// died: the proxy ended by itself. From some instant on nothing took a connection, to the end
// of the load, and at the end there was no process of it.
func (c *brief) died(*Verdict) []Finding {
	if len(c.ledger.Restarts()) > 0 || !c.gone() {
		return nil
	}
	var refused []row
	var since recording.Seconds
	for _, i := range c.order {
		request := c.Requests[i]
		if request.Outcome != recording.Connection {
			refused = nil
			continue
		}
		if refused == nil {
			since = request.Sent
		}
		refused = append(refused, row{recording.RequestsFile, i})
	}
	if len(refused) == 0 {
		return nil
	}
	text := fmt.Sprintf("the proxy ended, and accepted no connection from %s on: %s failed", at(since), requests(len(refused)))
	words := c.lastWords(since - lastWordsBefore)
	if len(words) > 0 {
		text += "; the last line of its log: " + c.ProxyLog[words[len(words)-1].index].Text
	}
	return []Finding{{Code: ProxyDied, Text: text, Evidence: c.quote(append(words, refused...)...)}}
}

// gone says whether the proxy had processes at the first fault, and none at the end: a proxy
// whose container has ended leaves no look at the end.
func (c *brief) gone() bool {
	had, has := false, false
	for _, s := range c.Snapshots {
		switch s.Moment {
		case recording.MomentFault:
			had = had || len(s.Processes) > 0
		case recording.MomentEnd:
			has = has || len(s.Processes) > 0
		}
	}
	return had && !has
}
