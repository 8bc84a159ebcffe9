package bench_test

import (
	"testing"

	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/bench"
)

func series(who string, values ...float64) bench.Series {
	return bench.Series{Who: who, Values: values}
}

func TestJudge(t *testing.T) {
	atLeast := bench.Bar{Of: "ours", Against: "theirs", Sense: bench.AtLeast, Factor: 1.5}
	atMost := bench.Bar{Of: "ours", Against: "theirs", Sense: bench.AtMost, Factor: 0.05}
	limit := bench.Bar{Of: "ours", Sense: bench.AtMost, Factor: 300}
	gone := bench.Series{Who: "theirs", Missing: "not installed"}
	for name, tc := range map[string]struct {
		bar     bench.Bar
		series  []bench.Series
		want    bench.Outcome
		got     string
		inWords string
	}{
		"met":     {atLeast, []bench.Series{series("ours", 310, 290, 300), series("theirs", 200, 100, 200)}, bench.Met, "1.50 × (by round 1.50 to 2.90)", "ours: at least 1.5 × theirs"},
		"missed":  {atLeast, []bench.Series{series("ours", 299), series("theirs", 200)}, bench.Missed, "1.50 ×", "ours: at least 1.5 × theirs"},
		"small":   {atMost, []bench.Series{series("ours", 1), series("theirs", 250)}, bench.Met, "0.004 ×", "ours: at most 0.05 × theirs"},
		"limit":   {limit, []bench.Series{series("ours", 300)}, bench.Met, "300 MiB", "ours: at most 300 MiB"},
		"over it": {limit, []bench.Series{series("ours", 301)}, bench.Missed, "301 MiB", "ours: at most 300 MiB"},

		"peer missing":       {atLeast, []bench.Series{series("ours", 1000), gone}, bench.NotMeasured, "theirs: not installed", "ours: at least 1.5 × theirs"},
		"peer never started": {atLeast, []bench.Series{series("ours", 1000)}, bench.NotMeasured, "theirs: not among what was measured", "ours: at least 1.5 × theirs"},
		"ours missing":       {limit, []bench.Series{{Who: "ours", Missing: "it crashed"}}, bench.NotMeasured, "ours: it crashed", "ours: at most 300 MiB"},
		"values of a broken": {limit, []bench.Series{{Who: "ours", Values: []float64{1}, Missing: "it crashed"}}, bench.NotMeasured, "ours: it crashed", "ours: at most 300 MiB"},
		"no values":          {limit, []bench.Series{{Who: "ours"}}, bench.NotMeasured, "ours: no values", "ours: at most 300 MiB"},
		"nothing to divide":  {atMost, []bench.Series{series("ours", -1), series("theirs", -2)}, bench.NotMeasured, "theirs: -2 MiB is too close to 0 to compare with", "ours: at most 0.05 × theirs"},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			row := bench.Row{Unit: "MiB", Stat: bench.Median, Series: tc.series, Bars: []bench.Bar{tc.bar}}
			g.Expect(row.Judge()).To(Equal([]bench.Judgement{{Bar: tc.inWords, Got: tc.got, Outcome: tc.want}}))
		})
	}
}

func TestFigure(t *testing.T) {
	g := NewWithT(t)
	s := series("it")
	for i := range 200 {
		s.Values = append(s.Values, float64(200-i))
	}
	median, ok := s.Figure(bench.Median)
	g.Expect(ok).To(BeTrue())
	g.Expect(median).To(Equal(100.5))
	p99, _ := s.Figure(bench.P99)
	g.Expect(p99).To(Equal(198.0), "by nearest rank")
	curve := bench.Curve(s.Values)
	g.Expect(curve[0]).To(Equal(bench.Point{Quantile: 0, Value: 1}))
	g.Expect(curve[len(curve)-1]).To(Equal(bench.Point{Quantile: 1, Value: 200}))
}

func TestAdded(t *testing.T) {
	g := NewWithT(t)
	all := bench.Added([]bench.Series{series("direct", 1, 2), series("ours", 3, 3), {Who: "theirs", Missing: "gone"}}, "direct")
	g.Expect(all).To(Equal([]bench.Series{series("direct", 1, 2), series("ours", 2, 1), {Who: "theirs", Missing: "gone"}}))
	all = bench.Added([]bench.Series{{Who: "direct", Missing: "gone"}, series("ours", 3, 3)}, "direct")
	g.Expect(all[1].Missing).To(Equal("direct: gone"))
	_, ok := all[1].Figure(bench.Median)
	g.Expect(ok).To(BeFalse(), "a latency is not what was added")
}
