package bench

import (
	"context"
	"fmt"
	"io"
	"time"
)

// Contestant is one program as a row measures it.
type Contestant struct {
	Who     string
	Version string
	// Measure loads the program for about d and says what it did.
	Measure func(ctx context.Context, d time.Duration) (Sample, error)
	// Err is why it cannot be measured, for example because it did not start.
	Err error
}

// Sample is one measurement of one program.
type Sample struct {
	Value     float64   // in the unit of the row
	Generator float64   // cores that the load generator kept busy
	Server    float64   // cores that the program kept busy
	Behind    float64   // cores that what it passes requests on to kept busy
	Latencies []float64 // in the unit of the row, where each one is known
}

// Plan says how often and how long each program is measured.
type Plan struct {
	Rounds   int           // 1 or more
	Duration time.Duration // of one measurement
	Progress io.Writer     // one line a measurement
}

// warmUp is how much of a measurement's duration is spent on warming up.
const warmUp = 4

// Measure takes a sample of each contestant in turn, round after round, after
// a shorter one of each that is thrown away. A contestant that fails once is
// not asked again, and its series has no values: half a figure is none.
func (p Plan) Measure(ctx context.Context, row string, contestants []Contestant) []Series {
	series := make([]Series, len(contestants))
	latencies := make([][]float64, len(contestants))
	for i, c := range contestants {
		series[i] = Series{Who: c.Who, Version: c.Version}
		if c.Err != nil {
			series[i].fail(c.Err)
			p.say("%s: %s: not measured: %v", row, c.Who, c.Err)
		}
	}
	for round := 0; round <= p.Rounds; round++ {
		for i, c := range contestants {
			s := &series[i]
			if s.Missing != "" {
				continue
			}
			d := p.Duration
			if round == 0 {
				d = p.Duration / warmUp
			}
			sample, err := c.Measure(ctx, d)
			if err == nil {
				err = ctx.Err()
			}
			if err != nil {
				s.fail(err)
				p.say("%s: %s: not measured: %v", row, c.Who, err)
				continue
			}
			if round == 0 {
				continue
			}
			p.say("%s: round %d of %d: %s %.4g", row, round, p.Rounds, c.Who, sample.Value)
			s.Values = append(s.Values, sample.Value)
			s.Generator = append(s.Generator, sample.Generator)
			s.Server = append(s.Server, sample.Server)
			s.Behind = append(s.Behind, sample.Behind)
			latencies[i] = append(latencies[i], sample.Latencies...)
		}
	}
	for i := range series {
		if series[i].Missing == "" && len(latencies[i]) > 0 {
			series[i].Curve = Curve(latencies[i])
		}
	}
	return series
}

func (s *Series) fail(err error) {
	*s = Series{Who: s.Who, Version: s.Version, Missing: err.Error()}
}

func (p Plan) say(format string, args ...any) {
	fmt.Fprintf(p.Progress, format+"\n", args...)
}
