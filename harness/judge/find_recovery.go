package judge

import (
	"fmt"

	"github.com/proxychaos/proxychaos/harness/ledger"
	"github.com/proxychaos/proxychaos/harness/recording"
)

// healed: requests failed after something had been taken away, and then no more.
func (c *brief) healed(v *Verdict) []Finding {
	if v.Recovery == nil || v.NeverRecovered {
		return nil
	}
	last := c.lastFailure()
	if c.raced(c.Requests[last.index]) {
		return nil // a race is over with its connection: nothing was to be healed
	}
	sent := c.Requests[last.index].Sent
	_, loss, ok := c.sinceLoss(c.Requests[last.index])
	if !ok {
		return nil
	}
	text := fmt.Sprintf("healed by itself %s after %s", span(sent-loss.At), quoted(loss.Name))
	rows := []row{last}
	whole := c.ledger.Whole()
	u, moved := c.lastMove(sent)
	switch {
	case u == nil && whole > -forever && whole < forever:
		switch late := sent - whole; {
		case late > 0:
			text = fmt.Sprintf("failed until %s after what had failed was back, %s after %s", span(late), span(sent-loss.At), quoted(loss.Name))
		case late > -lastSecond:
			text = fmt.Sprintf("failed until what had failed was back, %s after %s", span(sent-loss.At), quoted(loss.Name))
		}
	case u == nil:
	case len(u.lookupsIn(moved, forever)) == 0:
		text += ", without asking DNS again"
	default:
		words, later := c.askedAgain(u, moved, loss)
		text += ": " + words
		rows = append(rows, later.row)
	}
	return []Finding{{Code: HealedItself, Text: text, Evidence: c.quote(rows...)}}
}

// askedAgain says when the proxy asked DNS after the name had moved, with the query. One
// that was asked while DNS failed told it nothing.
func (c *brief) askedAgain(u *upstream, moved recording.Seconds, loss ledger.Moment) (string, lookup) {
	later := u.lookupsIn(moved, forever)[0]
	fresh, ok := u.freshAnswer(moved)
	switch {
	case ok && !c.ledger.Resolves(later.at):
		return fmt.Sprintf("DNS gave it the new nodes %s after the name moved", span(fresh.at-moved)), fresh
	case c.askedOnlyAfterTheEnd(u, moved):
		return fmt.Sprintf("it asked DNS again %s after the fault", span(max(0, later.at-loss.At))), later
	}
	return fmt.Sprintf("it asked DNS again %s after the name moved", span(later.at-moved)), later
}

// lastMove is the upstream in use whose name moved, of several the one that went on longest
// with dead nodes which its name had left, or was used at all, and when a node last left it
// before a time, or first if none had left by then; nil if no name moved.
func (c *brief) lastMove(before recording.Seconds) (*upstream, recording.Seconds) {
	var longest *upstream
	latest := -forever
	for _, u := range c.upstreams {
		if u.moved == forever {
			continue
		}
		last := -forever
		hits, connects := c.toDead(u)
		for _, h := range hits {
			last = max(last, h.at)
		}
		for _, r := range connects {
			last = max(last, c.time(r))
		}
		unused := longest != nil && len(longest.hits) == 0 && len(u.hits) > 0
		if longest == nil || last > latest || last == latest && unused {
			longest, latest = u, last
		}
	}
	if longest == nil {
		return nil, forever
	}
	moved := longest.moved
	for _, n := range c.ledger.Nodes() {
		if left, out := c.ledger.Left(n.Addr, before); out && n.Upstream == longest.number {
			moved = max(moved, left)
		}
	}
	return longest, moved
}

func (c *brief) lastFailure() row {
	last := -1
	for i, request := range c.Requests {
		if failed(request) && (last < 0 || request.Sent >= c.Requests[last].Sent) {
			last = i
		}
	}
	return row{recording.RequestsFile, last}
}
