package soak

import (
	"fmt"
	"slices"
	"time"

	"github.com/proxychaos/proxychaos/harness/recording"
)

// Outcome is the result of a run.
type Outcome string

// The outcomes. Unproven is red like Fail.
const (
	Pass     Outcome = "pass"
	Fail     Outcome = "fail"
	Unproven Outcome = "unproven"
)

// Verdict is a judged run.
type Verdict struct {
	Outcome Outcome
	Why     []string // empty for a pass
	Trends  []Trend
}

// growth is by how much a figure of the last quarter may be above that of the
// first: a tenth, or what a burst of requests leaves behind for some seconds. A
// goroutine or file that every move leaks is hundreds in 20 minutes.
const (
	growth      = 1.1
	burstMiB    = 4
	burstNumber = 20
)

// mostLate is how late the last request may be sent: beyond that it was
// another load.
const mostLate = time.Second

// Trend is how a figure of the proxy went.
type Trend struct {
	What        string
	First, Last float64 // medians of the first and last quarter after the warm-up
	Most        float64
	PerHour     float64 // slope of the line of least squares
	Limit       float64 // for Last
}

// Flat reports whether the figure did not grow.
func (t Trend) Flat() bool { return t.Last <= t.Limit }

// Judge gives the result of the run. If requests failed it failed, whatever
// was proved.
func (r Report) Judge() Verdict {
	v := Verdict{Outcome: Pass}
	say := func(o Outcome, format string, args ...any) {
		if v.Outcome != Fail {
			v.Outcome = o
		}
		v.Why = append(v.Why, fmt.Sprintf(format, args...))
	}
	if r.Load.Failed > 0 {
		say(Fail, "%d of %d requests failed", r.Load.Failed, r.Load.Sent)
	}
	if r.Load.Twice > 0 {
		say(Fail, "%d POSTs reached nodes twice", r.Load.Twice)
	}
	warm := r.warm()
	if len(warm) < 4 {
		say(Unproven, "%d samples after the warm-up, want at least 4: soak for longer", len(warm))
	} else {
		v.Trends = trends(warm)
		for _, t := range v.Trends {
			if !t.Flat() {
				say(Fail, "%s grew from %.1f to %.1f, want at most %.1f", t.What, t.First, t.Last, t.Limit)
			}
		}
	}
	if r.Load.Sent < r.Load.Planned || time.Duration(r.Load.Late*recording.Seconds(time.Second)) > mostLate {
		say(Unproven, "%d requests of %d were sent, the last %.1f s late: the load was not held", r.Load.Sent, r.Load.Planned, r.Load.Late)
	}
	if want := int(r.Duration/r.Flip) - 1; len(r.Moves)-1 < want {
		say(Unproven, "the name moved %d times, want %d", max(0, len(r.Moves)-1), want)
	}
	for i, m := range r.Moves {
		for _, what := range m.unproven(i == 0) {
			say(Unproven, "move %d, at %.1f s: %s", i, m.At, what)
		}
	}
	return v
}

// unproven says what was not seen to happen.
func (m Move) unproven(first bool) (missing []string) {
	if !first && m.Queries == 0 {
		missing = append(missing, "nobody was answered with the new nodes before the old ones failed")
	}
	if !first && !m.InForce {
		missing = append(missing, fmt.Sprintf("the fault %s did not take hold of the old nodes", m.Fault))
	}
	for _, node := range m.Nodes {
		if m.Whole && m.Requests[node.String()] == 0 {
			missing = append(missing, fmt.Sprintf("%s got no request", node))
		}
	}
	if !m.Whole {
		missing = append(missing, "what the nodes had served was not read")
	}
	return missing
}

// warmUp is a tenth of the run, but at least a minute, in which a Go program
// comes to the size that it keeps; of a run that is shorter than two it is half.
func (r Report) warmUp() time.Duration {
	return max(r.Duration/10, min(time.Minute, r.Duration/2))
}

// warm is the samples after the warm-up.
func (r Report) warm() []Sample {
	after := recording.Of(r.warmUp())
	i := slices.IndexFunc(r.Samples, func(s Sample) bool { return s.At >= after })
	if i < 0 {
		return nil
	}
	return r.Samples[i:]
}

func trends(samples []Sample) []Trend {
	return []Trend{
		trend("memory (MiB)", burstMiB, samples, func(s Sample) float64 { return s.MiB }),
		trend("goroutines", burstNumber, samples, func(s Sample) float64 { return s.Goroutines }),
		trend("open files", burstNumber, samples, func(s Sample) float64 { return s.OpenFiles }),
	}
}

func trend(what string, burst float64, samples []Sample, of func(Sample) float64) Trend {
	var x, y []float64
	for _, s := range samples {
		x, y = append(x, float64(s.At)), append(y, of(s))
	}
	quarter := len(y) / 4
	first := middle(y[:quarter])
	return Trend{
		What: what, First: first, Last: middle(y[len(y)-quarter:]), Most: slices.Max(y),
		PerHour: slope(x, y) * 3600, Limit: max(first*growth, first+burst),
	}
}

func middle(values []float64) float64 {
	v := slices.Sorted(slices.Values(values))
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
}

// slope is that of the line of least squares.
func slope(x, y []float64) float64 {
	n := float64(len(x))
	var sx, sy, sxx, sxy float64
	for i := range x {
		sx, sy, sxx, sxy = sx+x[i], sy+y[i], sxx+x[i]*x[i], sxy+x[i]*y[i]
	}
	if d := n*sxx - sx*sx; d > 0 {
		return (n*sxy - sx*sy) / d
	}
	return 0
}
