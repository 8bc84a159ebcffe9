package proxies

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/proxychaos/proxychaos/bench"
	"github.com/proxychaos/proxychaos/bench/gen"
	"github.com/proxychaos/proxychaos/bench/lab"
	"github.com/proxychaos/proxychaos/bench/peer"
)

// calibration is how long each proxy is loaded to see what it can do.
const calibration = 2 * time.Second

func latency(ctx context.Context, l *lab.Lab) bench.Row {
	row := bench.Row{
		Title: "goproxy: p99 at half of the slowest peer's capacity", Unit: "ms", Digits: 3, Stat: bench.Median,
		Bars: []bench.Bar{{Of: ours, Against: "nginx", Sense: bench.AtMost, Factor: 1.1}},
	}
	backend, _, err := l.Answers(ctx, "off", nil)
	if err != nil {
		return failed(row, err)
	}
	servers := map[string]*peer.Server{}
	errs := map[string]error{}
	for _, k := range kinds(l) {
		servers[k.who], errs[k.who] = k.start(ctx, peer.Job{Name: "latency", Backend: backend.Addr})
	}
	slowest, capacity, err := slowestPeer(ctx, kinds(l), servers)
	if err != nil {
		return failed(row, err)
	}
	rate := int(capacity / 2)
	row.Method = fmt.Sprintf("vegeta at a constant %d requests/s of small bodies: half of what wrk had just reached through the slowest peer, %s.", rate, slowest)
	var contestants []bench.Contestant
	for _, k := range kinds(l) {
		contestants = append(contestants, lab.Paced(k.who, servers[k.who], errs[k.who], rate))
	}
	contestants = append(contestants, lab.Paced("no proxy", backend, nil, rate))
	// What else the machine does lasts for seconds, so rounds are short and many.
	plan := l.Plan
	plan.Rounds *= 4
	plan.Duration /= 2
	row.Series = plan.Measure(ctx, "latency", contestants)
	return row
}

// slowestPeer loads every peer that runs and returns the one that answers
// least, with its requests/s.
func slowestPeer(ctx context.Context, all []kind, servers map[string]*peer.Server) (who string, capacity float64, err error) {
	capacity = math.Inf(1)
	var failed []error
	for _, k := range all {
		if k.who == ours || servers[k.who] == nil {
			continue
		}
		got, err := gen.Wrk(ctx, servers[k.who].URL(), calibration)
		if err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", k.who, err))
			continue
		}
		if got.PerSecond < capacity {
			who, capacity = k.who, got.PerSecond
		}
	}
	if who == "" {
		return "", 0, fmt.Errorf("no peer to take half of: %w", errors.Join(failed...))
	}
	return who, capacity, nil
}
