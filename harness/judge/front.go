package judge

import (
	"fmt"
	"net/http"
	"net/netip"
	"slices"

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
// whose connection had not lain idle, and whose proxy was not ended.
func (c *brief) answeredByFront(*Verdict) []Finding {
	var rows []row
	kinds := map[string]int{}
	for _, request := range c.Requests {
		if c.ofFront(request) && !c.raced(request) && !c.stoppedWith(request) {
			rows = append(rows, c.front[request.Seq])
			kinds[request.Outcome]++
		}
	}
	if len(rows) == 0 {
		return nil
	}
	return []Finding{{
		Code: AnsweredByFront, Text: fmt.Sprintf("the load balancer in front answered %s by itself (%s): the proxy gave it no answer", requests(len(rows)), byKind(kinds)),
		Evidence: c.quote(rows...),
	}}
}

func (c *brief) countOfFront(v *Verdict) {
	for request := range c.inOrder() {
		if c.ofFront(request) {
			v.OfFront++
		}
	}
}
