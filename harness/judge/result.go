package judge

import (
	"fmt"

	"github.com/proxychaos/proxychaos/harness/recording"
)

// decide sets the result and its reasons. What was not proved is not judged.
func (c *brief) decide(v *Verdict) {
	if reasons := c.unproven(v); len(reasons) > 0 {
		v.Result, v.Reasons = Unproven, reasons
		return
	}
	budget := c.Manifest.Plan.Budget
	lost := fmt.Sprintf("%s of %s failed", comma(v.Failed), requests(v.Sent))
	if v.Failed > 0 {
		lost += " (" + byKind(v.ByKind) + ")"
	}
	if v.ByProxy > 0 {
		lost += fmt.Sprintf(", %s of them answered by the proxy itself", comma(v.ByProxy))
	}
	if v.OfFront > 0 {
		lost += fmt.Sprintf(", %s of them answered by the load balancer in front", comma(v.OfFront))
	}
	if v.WithoutNode > 0 {
		lost += fmt.Sprintf(", %s of them while no node served", comma(v.WithoutNode))
		if len(c.ledger.Unknowing()) > 0 {
			lost += " or could be known to a proxy that was restarted"
		}
	}
	if v.Unavoidable > 0 {
		lost += fmt.Sprintf(", %s of them on a node that died with them", posts(v.Unavoidable))
	}
	v.Result, v.Reasons = Pass, []string{lost}
	within := budget.RecoverWithin
	early := c.failedEarlier()
	switch late, last := c.failedLater(within); {
	case budget.Query && v.QueriesLost > 0:
		v.Result = Fail
		v.Reasons = []string{fmt.Sprintf("%s reached nodes without their query; %s", requests(v.QueriesLost), lost)}
	case v.ClientsLost > 0:
		v.Result = Fail
		v.Reasons = []string{fmt.Sprintf("%s reached nodes without the address of their client; %s", requests(v.ClientsLost), lost)}
	case budget.Sessions && v.SessionsMoved > 0:
		v.Result = Fail
		v.Reasons = []string{fmt.Sprintf("%s moved while their nodes served; %s", count(v.SessionsMoved, "session was", "sessions were"), lost)}
	case budget.Sockets && v.Sockets.denied() > 0:
		v.Result = Fail
		v.Reasons = []string{fmt.Sprintf("%s; %s", v.Sockets.words(), lost)}
	case len(c.unevenShares(v)) > 0:
		v.Result = Fail
		v.Reasons = []string{fmt.Sprintf("shares of the nodes are not as they should be: %s; %s", sharesWords(v.Shares), lost)}
	case c.opensTooMany(v):
		v.Result = Fail
		v.Reasons = []string{fmt.Sprintf("%.2f connections for each request before the first fault, budget %.2f; %s", v.ConnectionsPerRequest, budget.Connections, lost)}
	case v.Slow > 0:
		v.Result = Fail
		v.Reasons = []string{fmt.Sprintf("%s answered later than after %s; %s", count(v.Slow, "request was", "requests were"), span(budget.Within), lost)}
	case v.PostsTwice > 0:
		v.Result = Fail
		v.Reasons = []string{fmt.Sprintf("%s reached nodes more than once; %s", posts(v.PostsTwice), lost)}
	case within == 0 && v.Failed > v.Unavoidable+v.WithoutNode+budget.MaxFailed:
		v.Result = Fail
		v.Reasons = []string{fmt.Sprintf("%s, budget %s", lost, comma(budget.MaxFailed))}
	case within != 0 && early+late <= budget.MaxFailed:
	case within != 0 && early > 0:
		v.Result = Fail
		v.Reasons = []string{fmt.Sprintf("%s; %s before %s, which is the first fault that takes something away", lost, requests(early), quoted(c.losses[0].Name))}
	case within != 0 && late > 0:
		v.Result = Fail
		v.Reasons = []string{fmt.Sprintf("%s; %s sent more than %s after %s, the last one %s after",
			lost, requests(late), span(within), c.lossNames(), span(last))}
	}
	if v.NeverRecovered {
		v.Reasons = append(v.Reasons, fmt.Sprintf("never recovered within the %s from %s to the end of the load", span(v.Window), quoted(c.last().Name)))
	}
	v.Reasons = append(v.Reasons, c.judgedBy()...)
	v.Reasons = append(v.Reasons, c.besideReason()...)
}

// failedLater counts the failed requests that were sent more than within after the
// last fault before them that took something away, without those for which no node
// served. It also says how long after it the last of them was sent.
func (c *brief) failedLater(within recording.Seconds) (n int, last recording.Seconds) {
	for request := range c.inOrder() {
		if !failed(request) {
			continue
		}
		if after, _, ok := c.sinceLoss(request); ok && after > within && !c.withoutNode(request) {
			n, last = n+1, max(last, after)
		}
	}
	return n, last
}

// failedEarlier counts the failed requests that no fault that took something away had met.
func (c *brief) failedEarlier() int {
	n := 0
	for request := range c.inOrder() {
		if failed(request) && endedBefore(request, c.losses[0].Asked) && !c.tookNodeOf(c.losses[0], request) {
			n++
		}
	}
	return n
}

func (c *brief) lossNames() string {
	if len(c.losses) == 1 {
		return quoted(c.last().Name)
	}
	return fmt.Sprintf("one of %d faults", len(c.losses))
}
