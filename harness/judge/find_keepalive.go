package judge

import (
	"fmt"
	"net/http"

	"github.com/proxychaos/proxychaos/harness/recording"
)

// raced says whether the load balancer in front sent a request on a connection that it had
// kept and the proxy had closed: it answered 502 by itself, and the proxy sent the request
// to no node. A proxy that ends closes all it has.
func (c *brief) raced(request recording.Request) bool {
	a, _ := c.inFront(request)
	if !c.ofFront(request) || a.Status != http.StatusBadGateway || a.TargetIdle == 0 || len(c.hits.of(request.Seq)) > 0 {
		return false
	}
	_, stopped := c.stoppedWith(request)
	return !stopped && c.ran(a.Target, a.At)
}

// keepAliveRace: who sends requests must give an idle connection up before who receives them
// does (aws-facts 9.1.6). Else a request can meet the other's FIN.
func (c *brief) keepAliveRace(*Verdict) []Finding {
	var rows []row
	shortest := forever
	for _, request := range c.Requests {
		if c.raced(request) {
			r := c.front[request.Seq]
			rows, shortest = append(rows, r), min(shortest, c.Attempts[r.index].TargetIdle)
		}
	}
	if len(rows) == 0 {
		return nil
	}
	return []Finding{{
		Code: KeepAliveRace, Text: fmt.Sprintf("the proxy closes idle connections that the load balancer in front keeps: %s came on one that the proxy had closed after %s or longer without a request, and got 502 from the load balancer",
			requests(len(rows)), span(shortest)),
		Evidence: c.quote(rows...),
	}}
}

// keepAliveHeld: the load balancer in front sent requests on connections that had lain idle
// throughout the quiet part of the load, and the proxy answered.
func (c *brief) keepAliveHeld(*Verdict) []Finding {
	quiet := c.Manifest.Plan.Quiet.For
	if quiet == 0 {
		return nil
	}
	var rows []row
	for _, request := range c.Requests {
		if a, ok := c.inFront(request); ok && a.TargetIdle >= quiet-maxLateness && a.TargetStatus != 0 {
			rows = append(rows, c.front[request.Seq])
		}
	}
	if len(rows) == 0 {
		return nil
	}
	return []Finding{{
		Code: KeepAliveHeld, Text: fmt.Sprintf("the proxy kept connections that lay idle for %s, and answered %s that came on them then", span(quiet), requests(len(rows))),
		Evidence: c.quote(rows...),
	}}
}
