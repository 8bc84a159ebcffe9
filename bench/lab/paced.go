package lab

import (
	"context"
	"time"

	"github.com/proxychaos/proxychaos/bench"
	"github.com/proxychaos/proxychaos/bench/gen"
	"github.com/proxychaos/proxychaos/bench/peer"
)

// Paced is a contestant whose figure is the p99, in ms, of a round at a
// constant rate. server may be nil if err says why.
func Paced(who string, server *peer.Server, err error, rate int) bench.Contestant {
	c := bench.Contestant{Who: who, Err: err}
	if err != nil {
		return c
	}
	c.Version = server.Version
	c.Measure = func(ctx context.Context, d time.Duration) (bench.Sample, error) {
		var latencies []time.Duration
		cores, err := busy(func() (err error) {
			latencies, err = gen.Pace(ctx, server.URL(), rate, d)
			return err
		}, server)
		if err != nil {
			return bench.Sample{}, err
		}
		ms := make([]float64, len(latencies))
		for i, l := range latencies {
			ms[i] = float64(l) / float64(time.Millisecond)
		}
		return bench.Sample{Value: bench.Quantile(ms, 0.99), Latencies: ms, Server: cores[0]}, nil
	}
	return c
}
