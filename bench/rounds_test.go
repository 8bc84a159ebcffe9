package bench_test

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/bench"
)

func TestRoundsTakeTurns(t *testing.T) {
	g := NewWithT(t)
	var calls []string
	n := 0
	of := func(who string, failAt int) bench.Contestant {
		mine := 0
		return bench.Contestant{Who: who, Version: "v1", Measure: func(_ context.Context, d time.Duration) (bench.Sample, error) {
			calls = append(calls, who+" "+d.String())
			n++
			if mine++; mine == failAt {
				return bench.Sample{}, errors.New("it broke")
			}
			return bench.Sample{Value: float64(n), Generator: 1, Server: 2, Behind: float64(n), Latencies: []float64{float64(n)}}, nil
		}}
	}
	plan := bench.Plan{Rounds: 2, Duration: 4 * time.Second, Progress: io.Discard}
	got := plan.Measure(t.Context(), "row", []bench.Contestant{
		of("a", 0), of("b", 2), {Who: "c", Err: errors.New("not installed")},
	})
	g.Expect(calls).To(Equal([]string{"a 1s", "b 1s", "a 4s", "b 4s", "a 4s"}), "warm-up, then in turns; who failed is left out")
	g.Expect(got[0].Values).To(Equal([]float64{3, 5}), "without the warm-up")
	g.Expect(got[0].Behind).To(Equal([]float64{3, 5}))
	g.Expect(got[0].Curve).NotTo(BeEmpty())
	g.Expect(got[1]).To(Equal(bench.Series{Who: "b", Version: "v1", Missing: "it broke"}))
	g.Expect(got[2]).To(Equal(bench.Series{Who: "c", Missing: "not installed"}))
}
