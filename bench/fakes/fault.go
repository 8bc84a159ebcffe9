package fakes

import (
	"context"
	"fmt"
	"time"

	"github.com/proxychaos/proxychaos/bench"
	"github.com/proxychaos/proxychaos/bench/gen"
	"github.com/proxychaos/proxychaos/bench/lab"
	"github.com/proxychaos/proxychaos/bench/peer"
)

// Tries of each way to make an endpoint fail. The engine takes so long that it
// has a few only; its p99 is then the slowest of them.
const (
	faultTries  = 200
	dockerTries = 10
)

// switcher makes an endpoint fail and work again.
type switcher struct {
	who, version  string
	probe         gen.Probe
	fail, restore func(ctx context.Context) error
	tries         int
	err           error // why there is none
}

func faults(ctx context.Context, l *lab.Lab) bench.Row {
	row := bench.Row{
		Title: "From a control call to the fault in force, as a client sees it", Unit: "ms", Digits: 2, Stat: bench.P99,
		Method: "A client opens one connection after the other and sends a GET over each. The time is from just before the call " +
			"to the first failure after which no probe succeeds; a probe without an answer counts from its start. " +
			"fakealb is put the fault `refuse`, toxiproxy's proxy is disabled (`down`), Docker disconnects the container's network over its API.",
		Bars: []bench.Bar{
			{Of: "fakealb", Sense: bench.AtMost, Factor: 5},
			{Of: "fakealb", Against: "docker network disconnect", Sense: bench.AtMost, Factor: 0.05},
		},
	}
	docker, remove := dockerSwitch(ctx, l)
	defer remove()
	row.Series = inTurns(ctx, l, []switcher{fakealbSwitch(ctx, l), toxiproxySwitch(ctx, l), docker})
	return row
}

// inTurns tries each switcher once, then each again, as long as it has tries.
func inTurns(ctx context.Context, l *lab.Lab, all []switcher) []bench.Series {
	series := make([]bench.Series, len(all))
	for i, s := range all {
		series[i] = bench.Series{Who: s.who, Version: s.version}
		if s.err != nil {
			series[i].Missing = s.err.Error()
		}
	}
	for try := range faultTries {
		for i, s := range all {
			if series[i].Missing != "" || try >= s.tries {
				continue
			}
			took, err := s.try(ctx)
			if err != nil {
				series[i].Values, series[i].Missing = nil, err.Error()
				continue
			}
			series[i].Values = append(series[i].Values, float64(took)/float64(time.Millisecond))
		}
	}
	for _, s := range series {
		figure, _ := s.Figure(bench.P99)
		fmt.Fprintf(l.Progress, "fault: %s p99 %.2f ms of %d tries %s\n", s.Who, figure, len(s.Values), s.Missing)
	}
	return series
}

func (s switcher) try(ctx context.Context) (time.Duration, error) {
	took, err := gen.InForce(ctx, s.probe, s.fail)
	if err != nil {
		return 0, err
	}
	if err := s.restore(ctx); err != nil {
		return 0, fmt.Errorf("lift the fault: %w", err)
	}
	return took, nil
}

func fakealbSwitch(ctx context.Context, l *lab.Lab) switcher {
	s := switcher{who: "fakealb", tries: faultTries}
	server, err := l.FakeALB(ctx)
	if err != nil {
		s.err = err
		return s
	}
	url := server.Control + "/v1/nodes/" + server.Addr.Addr().String() + "/fault"
	s.probe = gen.Answers(server.URL())
	s.fail = func(ctx context.Context) error { return gen.Order(ctx, "PUT", url, `{"kind":"refuse"}`) }
	s.restore = func(ctx context.Context) error { return gen.Order(ctx, "DELETE", url, "") }
	return s
}

func toxiproxySwitch(ctx context.Context, l *lab.Lab) switcher {
	s := switcher{who: "toxiproxy down", tries: faultTries}
	target, _, err := l.Answers(ctx, "off", nil)
	if err != nil {
		s.err = err
		return s
	}
	server, err := l.Toxiproxy(ctx)
	if err != nil {
		s.err = err
		return s
	}
	s.version = server.Version
	front, err := peer.FreeAddr(ctx)
	if err != nil {
		s.err = err
		return s
	}
	s.err = gen.Order(ctx, "POST", server.Control+"/proxies", fmt.Sprintf(`{"name":"it","listen":%q,"upstream":%q,"enabled":true}`, front, target.Addr))
	enable := func(on bool) func(context.Context) error {
		return func(ctx context.Context) error {
			return gen.Order(ctx, "POST", server.Control+"/proxies/it", fmt.Sprintf(`{"enabled":%t}`, on))
		}
	}
	s.probe = gen.Answers("http://" + front.String() + "/")
	s.fail, s.restore = enable(false), enable(true)
	return s
}
