package soak

import (
	"net/netip"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/harness/recording"
)

// good is a report of a minute in which all went well.
func good() Report {
	r := Report{
		Duration: time.Minute, Flip: 20 * time.Second, Rate: 100,
		Load: Load{Planned: 6000, Sent: 6000, Posts: 600},
	}
	node := netip.MustParseAddr("127.78.1.21")
	for i := range 3 {
		m := Move{At: recording.Seconds(20 * i), Nodes: []netip.Addr{node}, Requests: map[string]int{node.String(): 2000}, Whole: true}
		if i > 0 {
			m.Queries, m.Fault, m.InForce = 1, fakealb.FaultRefuse, true
		}
		r.Moves = append(r.Moves, m)
	}
	for i := range 60 {
		r.Samples = append(r.Samples, Sample{At: recording.Seconds(i + 1), MiB: 20 + float64(i%3), Goroutines: 40, OpenFiles: 50})
	}
	return r
}

func TestJudge(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*Report)
		want   Outcome
		why    string
	}{
		"good":               {func(*Report) {}, Pass, ""},
		"a failed request":   {func(r *Report) { r.Load.Failed = 1 }, Fail, "1 of 6000 requests failed"},
		"a POST twice":       {func(r *Report) { r.Load.Twice = 1 }, Fail, "1 POSTs"},
		"fewer requests":     {func(r *Report) { r.Load.Sent-- }, Unproven, "5999 requests of 6000"},
		"late":               {func(r *Report) { r.Load.Late = 1.1 }, Unproven, "the load was not held"},
		"a move too few":     {func(r *Report) { r.Moves = r.Moves[:2] }, Unproven, "moved 1 times, want 2"},
		"no DNS query":       {func(r *Report) { r.Moves[2].Queries = 0 }, Unproven, "move 2, at 40.0 s: nobody was answered"},
		"no fault":           {func(r *Report) { r.Moves[1].InForce = false }, Unproven, "the fault refuse did not take hold"},
		"a node not used":    {func(r *Report) { r.Moves[0].Requests = nil }, Unproven, "127.78.1.21 got no request"},
		"records not read":   {func(r *Report) { r.Moves[2].Whole = false }, Unproven, "was not read"},
		"no samples":         {func(r *Report) { r.Samples = nil }, Unproven, "0 samples"},
		"failed, unproven":   {func(r *Report) { r.Load.Failed, r.Load.Late = 1, 2 }, Fail, "failed"},
		"memory grows":       {func(r *Report) { grow(r, func(s *Sample) *float64 { return &s.MiB }, 0.2) }, Fail, "memory (MiB) grew from"},
		"goroutines leak":    {func(r *Report) { grow(r, func(s *Sample) *float64 { return &s.Goroutines }, 1) }, Fail, "goroutines grew"},
		"open files leak":    {func(r *Report) { grow(r, func(s *Sample) *float64 { return &s.OpenFiles }, 1) }, Fail, "open files grew"},
		"only the warm-up":   {func(r *Report) { r.Samples[0].MiB = 500 }, Pass, ""},
		"a burst in between": {func(r *Report) { r.Samples[30].OpenFiles = 500 }, Pass, ""},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			r := good()
			test.change(&r)
			v := r.Judge()
			g.Expect(v.Outcome).To(Equal(test.want), "%v", v.Why)
			if test.want == Pass {
				g.Expect(v.Why).To(BeEmpty())
				return
			}
			g.Expect(v.Why).To(ContainElement(ContainSubstring(test.why)))
			g.Expect(r.Markdown()).To(ContainSubstring("**" + string(test.want) + "**"))
		})
	}
}

// grow adds so much to a figure with each sample.
func grow(r *Report, of func(*Sample) *float64, each float64) {
	for i := range r.Samples {
		*of(&r.Samples[i]) += each * float64(i)
	}
}

func TestSlope(t *testing.T) {
	g := NewWithT(t)
	g.Expect(slope([]float64{0, 1, 2, 3}, []float64{5, 7, 9, 11})).To(BeNumerically("~", 2, 1e-9))
	g.Expect(slope([]float64{1}, []float64{1})).To(BeZero())
}
