package judge

import (
	"fmt"

	"github.com/proxychaos/proxychaos/harness/recording"
)

// healed: requests failed after something had been taken away, and then no more.
func (c *brief) healed(v *Verdict) []Finding {
	if v.Recovery == nil || v.NeverRecovered {
		return nil
	}
	last := c.lastFailure()
	sent := c.Requests[last.index].Sent
	_, loss, ok := c.sinceLoss(c.Requests[last.index])
	if !ok {
		return nil
	}
	text := fmt.Sprintf("healed by itself %s after %s", span(sent-loss.At), quoted(loss.Name))
	rows := []row{last}
	whole := c.ledger.Whole()
	switch u := c.movedUpstream(); {
	case u == nil && whole > -forever && whole < forever:
		switch late := sent - whole; {
		case late > 0:
			text = fmt.Sprintf("failed until %s after what had failed was whole again, %s after %s", span(late), span(sent-loss.At), quoted(loss.Name))
		case late > -lastSecond:
			text = fmt.Sprintf("failed until what had failed was whole again, %s after %s", span(sent-loss.At), quoted(loss.Name))
		}
	case u == nil:
	case len(u.lookupsIn(u.moved, forever)) == 0:
		text += ", without asking DNS again"
	case c.askedOnlyAfterTheEnd(u):
		later := u.lookupsIn(u.moved, forever)[0]
		text += fmt.Sprintf(": it asked DNS again %s after that", span(max(0, later.at-loss.At)))
		rows = append(rows, later.row)
	default:
		later := u.lookupsIn(u.moved, forever)[0]
		text += fmt.Sprintf(": it asked DNS again %s after the name moved", span(later.at-u.moved))
		rows = append(rows, later.row)
	}
	return []Finding{{Code: HealedItself, Text: text, Evidence: c.quote(rows...)}}
}

// movedUpstream is the first upstream in use whose name moved; nil if none did.
func (c *brief) movedUpstream() *upstream {
	for _, u := range c.upstreams {
		if u.moved < forever {
			return u
		}
	}
	return nil
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
