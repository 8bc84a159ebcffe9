package judge

import (
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/proxychaos/proxychaos/harness/recording"
	"github.com/proxychaos/proxychaos/harness/world"
)

// findFront gives, by the number of a client's request, its row of attempts at the load
// balancer in front; the last one, if the client sent it again. None in a world without it.
func (c *brief) findFront() map[uint64]row {
	front := map[uint64]row{}
	for i, a := range c.Attempts {
		if n, known := c.ledger.Node(a.Node); known && n.Upstream == world.InFront && a.Seq != 0 && !a.Probe {
			front[a.Seq] = row{recording.AttemptsFile, i}
		}
	}
	return front
}

// inFront is what the load balancer in front recorded of a request.
func (c *brief) inFront(request recording.Request) (recording.Attempt, bool) {
	r, ok := c.front[request.Seq]
	if !ok {
		return recording.Attempt{}, false
	}
	return c.Attempts[r.index], true
}

// entered is the node in front that took a request; the zero value if clients call the
// proxy itself, or if none took it.
func (c *brief) entered(request recording.Request) netip.Addr {
	a, _ := c.inFront(request)
	return a.Node
}

// passesOn says whether some of these nodes are of a load balancer in front that passes
// connections on: by which of them a request came it does not say.
func (c *brief) passesOn(nodes map[netip.Addr]bool) bool {
	front := c.Manifest.World.Front
	return front != nil && front.Network && slices.ContainsFunc(c.Manifest.World.FrontNodes(), func(a netip.Addr) bool { return nodes[a] })
}

// ofFront says whether a request failed with an answer of the load balancer in front: the
// proxy gave none. A client that gave up got no answer, whatever the load balancer noted (460). The Server header does not tell, since the proxy passes on that of a load
// balancer behind it.
func (c *brief) ofFront(request recording.Request) bool {
	a, ok := c.inFront(request)
	return ok && failed(request) && request.Code != 0 && a.TargetStatus == 0 && a.Status >= http.StatusBadRequest
}

// answeredByFront: requests to which the proxy gave the load balancer in front no answer, and
// whose connection had not lain idle, and whose proxy had not ended meanwhile.
func (c *brief) answeredByFront(*Verdict) []Finding {
	var rows []row
	kinds := map[string]int{}
	ended, names := 0, []string{}
	for _, request := range c.Requests {
		if _, stopped := c.stoppedWith(request); !c.ofFront(request) || stopped || c.raced(request) || c.ofDead[request.Seq] {
			continue
		}
		rows = append(rows, c.front[request.Seq])
		kinds[request.Outcome]++
		a, _ := c.inFront(request)
		if name := c.endOf(a); name != "" {
			ended++
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	if len(rows) == 0 {
		return nil
	}
	text := fmt.Sprintf("the load balancer in front answered %s by itself (%s): the proxy gave it no answer", requests(len(rows)), byKind(kinds))
	if ended > 0 {
		text += fmt.Sprintf(", to %s of them because it had been ended: %s", comma(ended), strings.Join(names, ", "))
	}
	return []Finding{{Code: AnsweredByFront, Text: text, Evidence: c.quote(rows...)}}
}

// endOf is the name of the step that had ended the proxy to which the load balancer in front gave
// a request; empty if it ran then.
func (c *brief) endOf(a recording.Attempt) string {
	n, name := c.proxyAt(a.Target), ""
	if n == 0 || a.Target == "" || c.ledger.Runs(n, a.At) {
		return ""
	}
	for _, s := range c.ledger.Stops() {
		if s.Proxy == n && s.Asked <= a.At {
			name = quoted(s.Name)
		}
	}
	return name
}

func (c *brief) countOfFront(v *Verdict) {
	for request := range c.inOrder() {
		if c.ofFront(request) {
			v.OfFront++
		}
	}
}
