package fault

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"time"

	"github.com/proxychaos/proxychaos/fakealb/cloud"
)

// withoutTargets says whether an answer is that of a load balancer without targets: an ALB's
// is 503 from awselb/2.0 (aws-facts 2.4).
func (w *Live) withoutTargets(answer Answer) bool {
	of := cloud.Of(cloud.Name(w.Topology.Cloud))
	return answer.Status == of.WithoutTargets().Status && answer.Server == of.Server
}

// asked is one request to a node and its result, in words.
func asked(ctx context.Context, w *Live, node netip.AddrPort, timeout time.Duration) (Answer, string) {
	answer, err := w.Probe.Get(ctx, node, timeout)
	switch {
	case err != nil:
		return Answer{}, fmt.Sprintf("asked %s: %v", node, err)
	case answer.Result != Answered:
		return answer, fmt.Sprintf("asked %s: %s", node, answer.Result)
	}
	return answer, fmt.Sprintf("asked %s: %d from %q after %v", node, answer.Status, answer.Server, answer.Took.Round(time.Millisecond))
}

func lookError(ctx context.Context, s StrikeNodes, w *Live, node netip.AddrPort) (bool, string) {
	answer, detail := asked(ctx, w, node, answerTimeout)
	return answer.Result == Answered && answer.Status == s.Status, detail
}

func lookLinger(ctx context.Context, _ StrikeNodes, w *Live, node netip.AddrPort) (bool, string) {
	answer, detail := asked(ctx, w, node, answerTimeout)
	return w.withoutTargets(answer), detail
}

func lookStranger(ctx context.Context, _ StrikeNodes, w *Live, node netip.AddrPort) (bool, string) {
	answer, detail := asked(ctx, w, node, answerTimeout)
	return answer.Status == http.StatusOK && answer.Server == "nginx", detail // as fakealb's stranger says of itself
}

// lookEnded is for a request that ends in this way, without a whole answer.
func lookEnded(want ...Result) func(context.Context, StrikeNodes, *Live, netip.AddrPort) (bool, string) {
	return func(ctx context.Context, s StrikeNodes, w *Live, node netip.AddrPort) (bool, string) {
		if s.Share != 0 && s.Share < 1 {
			return lookStatus(ctx, s, w, node) // one request does not tell
		}
		answer, detail := asked(ctx, w, node, answerTimeout)
		return slices.Contains(want, answer.Result), detail
	}
}

// lookKeepAliveRace asks twice on one connection: the second request meets its end.
func lookKeepAliveRace(ctx context.Context, _ StrikeNodes, w *Live, node netip.AddrPort) (bool, string) {
	var got [2]Result
	for i := range got {
		var err error
		if got[i], err = w.Probe.Ask(ctx, node, answerTimeout); err != nil {
			return false, fmt.Sprintf("asking %s on an open connection: %v", node, err)
		}
		if got[i] != Answered {
			return got[i] == Closed || got[i] == Reset, fmt.Sprintf("%s: request %d on an open connection sees %s", node, i+1, got[i])
		}
	}
	return false, fmt.Sprintf("%s: two requests on an open connection were answered", node)
}

// lookLate is for what comes later than it did, by the delay.
func lookLate(ctx context.Context, s StrikeNodes, w *Live, node netip.AddrPort) (bool, string) {
	delay := time.Duration(s.Delay)
	answer, detail := asked(ctx, w, node, delay+answerTimeout)
	return answer.Result == Answered && answer.Took >= delay, detail
}

// lookStatus asks the control API, for what one request from outside does not show.
func lookStatus(ctx context.Context, s StrikeNodes, w *Live, node netip.AddrPort) (bool, string) {
	nodes, err := w.ALB.Nodes(ctx)
	if err != nil {
		return false, fmt.Sprintf("asking for the nodes: %v", err)
	}
	for _, n := range nodes {
		if n.Addr == node.Addr() {
			return n.Fault == s.Kind, fmt.Sprintf("%s has the fault %q, want %q", n.Addr, n.Fault, s.Kind)
		}
	}
	return false, fmt.Sprintf("%s is no node", node)
}
