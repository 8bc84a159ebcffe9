package fakes

import (
	"context"
	"fmt"

	"github.com/proxychaos/proxychaos/bench"
	"github.com/proxychaos/proxychaos/bench/gen"
	"github.com/proxychaos/proxychaos/bench/lab"
	"github.com/proxychaos/proxychaos/bench/peer"
)

// rate is the load under which latency is measured, in requests per second.
const rate = 2000

const direct = "the target itself"

func latency(ctx context.Context, l *lab.Lab) bench.Row {
	row := bench.Row{
		Title: "fakealb: added p99 at 2,000 requests/s", Unit: "ms", Digits: 3, Stat: bench.Median,
		Method: "vegeta at a constant rate in front of the same nginx `return 200`: directly, through a fakealb node with a target group, " +
			"through HAProxy in its place. What is added is the p99 of a round less the p99 of the target itself in that round; the line of the target is its own p99. " +
			"The generator collects no garbage during a round.",
		Bars: []bench.Bar{{Of: "fakealb", Against: "HAProxy", Sense: bench.AtMost, Factor: 1.2}},
	}
	target, _, err := l.Answers(ctx, "off", nil)
	if err != nil {
		return failed(row, err)
	}
	ours, errOurs := inFront(ctx, l, target)
	haproxy, errHAProxy := l.HAProxy(ctx, peer.Job{Name: "plain", Backend: target.Addr})
	logged, errLogged := l.HAProxy(ctx, peer.Job{Name: "logged", Backend: target.Addr, Log: true})
	// A difference of two p99 is noisier than either, and what a machine does beside
	// lasts for seconds: so many rounds, in each of which all are close together.
	plan := l.Plan
	plan.Rounds *= 4
	plan.Duration /= 2
	row.Series = bench.Added(plan.Measure(ctx, "latency", []bench.Contestant{
		lab.Paced(direct, target, nil, rate),
		lab.Paced("fakealb", ours, errOurs, rate),
		lab.Paced("HAProxy", haproxy, errHAProxy, rate),
		lab.Paced("HAProxy with its log on", logged, errLogged, rate),
	}), direct)
	return row
}

// inFront is a fakealb node whose target group is the target.
func inFront(ctx context.Context, l *lab.Lab, target *peer.Server) (*peer.Server, error) {
	s, err := l.FakeALB(ctx)
	if err != nil {
		return nil, err
	}
	group := fmt.Sprintf(`{"target_group":{"targets":[%q]}}`, target.Addr)
	return s, gen.Order(ctx, "PUT", s.Control+"/v1/load-balancers/"+peer.LoadBalancer, group)
}
