package judge

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/proxychaos/proxychaos/harness/recording"
)

// fates are the rows of WebSockets by what became of them; those that were open to the end
// are in none.
type fates struct {
	// early were denied before anything failed, late when the proxy had had its time after a
	// loss and some node served, meanwhile otherwise.
	early, meanwhile, late []row
	cut                    []row // gone while their node served
	lost                   []row // gone with their node
}

// fatesOfSockets sorts the WebSockets.
func (c *brief) fatesOfSockets() fates {
	var f fates
	for i, s := range c.Sockets {
		r := row{recording.SocketsFile, i}
		switch {
		case s.Ended == 0:
		case s.Opened != 0 && c.wentWithNode(s):
			f.lost = append(f.lost, r)
		case s.Opened != 0:
			f.cut = append(f.cut, r)
		case s.Ended < c.losses[0].Asked || s.Asked < c.losses[0].Asked-inFlight:
			f.early = append(f.early, r)
		case s.Ended > c.lossBefore(s)+c.Manifest.Plan.Budget.RecoverWithin && c.someServed(s.Asked, s.Ended):
			// Unlike a request it counts by when its client knew: until then he had none.
			f.late = append(f.late, r)
		default:
			f.meanwhile = append(f.meanwhile, r)
		}
	}
	return f
}

// someServed says whether some name in use had a node that served, at some instant from first to
// last.
func (c *brief) someServed(first, last recording.Seconds) bool {
	return len(c.upstreams) == 0 || !c.noneServed(first, last)
}

// wentWithNode says whether the node of a WebSocket did not serve at some instant from its last
// message to when its client knew that it had gone.
func (c *brief) wentWithNode(s recording.Socket) bool {
	_, died := c.ledger.Died(s.Node, max(s.Opened, s.Last), s.Ended)
	return died
}

// lossBefore is when the last loss came into force before a WebSocket was asked for, or as it was,
// or else the first one.
func (c *brief) lossBefore(s recording.Socket) recording.Seconds {
	at := c.losses[0].At
	for _, loss := range c.losses {
		if loss.At <= s.Asked || s.Asked >= loss.Asked-inFlight && s.Ended >= loss.Asked {
			at = loss.At
		}
	}
	return at
}

// denied is how many WebSockets were denied or cut without need.
func (s *Sockets) denied() int {
	if s == nil {
		return 0
	}
	return s.DeniedEarly + s.DeniedLate + s.Cut
}

// words are a reason of the verdict.
func (s *Sockets) words() string {
	if s.Opened == 0 {
		return "no WebSocket was opened"
	}
	var parts []string
	for _, p := range []struct {
		n    int
		what string
	}{
		{s.DeniedEarly, "denied before anything failed"},
		{s.DeniedLate, "denied when the proxy had had its time"},
		{s.Cut, "cut while the node served"},
	} {
		if p.n > 0 {
			parts = append(parts, sockets(p.n)+" "+p.what)
		}
	}
	return strings.Join(parts, "; ")
}

func (c *brief) countSockets(v *Verdict) {
	if len(c.Sockets) == 0 {
		return
	}
	f := c.fatesOfSockets()
	v.Sockets = &Sockets{
		DeniedEarly: len(f.early), Denied: len(f.meanwhile), DeniedLate: len(f.late),
		Cut: len(f.cut), Lost: len(f.lost), Without: c.longestWithout(),
	}
	for _, s := range c.Sockets {
		v.Sockets.Messages += s.Messages
		if s.Opened != 0 {
			v.Sockets.Opened++
		}
	}
}

// longestWithout is for how long, at most, a client whose WebSocket had gone had none: to the
// end of the load if it got no other.
func (c *brief) longestWithout() recording.Seconds {
	longest := recording.Seconds(0)
	since := map[uint64]recording.Seconds{} // by client, when its WebSocket went
	for _, s := range c.Sockets {           // those of one client are in the order of time
		if gone, without := since[s.Client]; without && s.Opened != 0 {
			longest = max(longest, s.Opened-gone)
			delete(since, s.Client)
		}
		if s.Opened != 0 && s.Ended != 0 {
			since[s.Client] = s.Ended
		}
	}
	for _, gone := range since {
		longest = max(longest, c.Manifest.Plan.Duration-gone)
	}
	return longest
}

// noSocketAtStake: if WebSockets were opened, one of them has to be on a node that the faults
// are about as the first of them comes. That none was opened is no matter of chance.
func (c *brief) noSocketAtStake(touched map[netip.Addr]bool) []string {
	opened := false
	for _, s := range c.Sockets {
		if s.Opened == 0 || s.Opened >= c.first.Asked {
			continue
		}
		opened = true
		if touched[s.Node] && (s.Ended == 0 || s.Ended >= c.first.Asked) {
			return nil
		}
	}
	if !opened {
		return nil
	}
	return []string{fmt.Sprintf("no WebSocket was open on a node that the faults are about at %s: they could break nothing", quoted(c.first.Name))}
}

// brokenSockets says what became of WebSockets, the worst first.
func (c *brief) brokenSockets(v *Verdict) []Finding {
	if v.Sockets == nil {
		return nil
	}
	var findings []Finding
	f := c.fatesOfSockets()
	if rows := slices.Concat(f.early, f.late, f.meanwhile); len(rows) > 0 {
		text := fmt.Sprintf("%s denied (%s)", sockets(len(rows)), byKind(c.socketOutcomes(rows)))
		switch {
		case v.Sockets.Opened == 0:
			text += ", and none was ever opened: the proxy does not pass them on"
		case len(f.early) > 0:
			text += fmt.Sprintf(", %s of them before anything failed", comma(len(f.early)))
		}
		if v.Sockets.Opened > 0 && len(f.late) > 0 {
			text += fmt.Sprintf(", %s of them later than %s after %s", comma(len(f.late)), span(c.Manifest.Plan.Budget.RecoverWithin), c.lossNames())
		}
		findings = append(findings, Finding{Code: SocketsDenied, Text: text, Evidence: c.quote(rows...)})
	}
	if len(f.cut) > 0 {
		findings = append(findings, Finding{
			Code: SocketsCut, Text: fmt.Sprintf("%s cut while the node served (%s)", sockets(len(f.cut)), byKind(c.socketOutcomes(f.cut))),
			Evidence: c.quote(f.cut...),
		})
	}
	if len(f.lost) > 0 {
		findings = append(findings, Finding{
			Code: SocketsLost, Text: fmt.Sprintf("%s lost with the node, which nobody can prevent; a client was without one for %s at most", sockets(len(f.lost)), span(v.Sockets.Without)),
			Evidence: c.quote(f.lost...),
		})
	}
	return findings
}

func (c *brief) socketOutcomes(rows []row) map[string]int {
	kinds := map[string]int{}
	for _, r := range rows {
		kinds[c.Sockets[r.index].Outcome]++
	}
	return kinds
}

// sockets gives "1 WebSocket was", "4 WebSockets were".
func sockets(n int) string { return count(n, "WebSocket was", "WebSockets were") }
