package compare

import (
	"math/rand/v2"
	"testing"

	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
)

// proxies are what a run of a made-up configuration loses, by how its timers meet the
// fault: phase is the same for all runs of a block, draw is not.
var proxies = map[string]func(phase float64, draw *rand.Rand) (failed int, recovery recording.Seconds){
	"loses nothing": func(float64, *rand.Rand) (int, recording.Seconds) { return 0, 0 },
	"loses all": func(phase float64, draw *rand.Rand) (int, recording.Seconds) {
		return 800 + int(80*phase) + draw.IntN(3), 8
	},
	"recovers by its timer": func(phase float64, draw *rand.Rand) (int, recording.Seconds) {
		r := 3*phase + 0.05*draw.Float64()
		return int(100 * r), recording.Seconds(r)
	},
	"fails now and then": func(_ float64, draw *rand.Rand) (int, recording.Seconds) {
		if draw.IntN(3) == 0 {
			return 300, 3
		}
		return 0, 0
	},
	"is noisy": func(_ float64, draw *rand.Rand) (int, recording.Seconds) {
		r := draw.ExpFloat64()
		return int(100 * r), recording.Seconds(min(r, 8))
	},
}

// drawn is a run of a made-up configuration, on a machine whose latencies wander.
func drawn(scenario, of string, phase float64, draw *rand.Rand) Run {
	failed, recovery := proxies[of](phase, draw)
	r := clean()
	r.Scenario, r.Failed, r.Recovery = scenario, failed, recovery
	r.Before, r.During, r.After = ms(recording.Seconds(5*draw.ExpFloat64())), ms(3), ms(recording.Seconds(15*draw.ExpFloat64()))
	if failed > 0 {
		r.Result = judge.Fail
	}
	return r
}

// decided draws blocks until there is a word, or most of them were drawn.
func decided(names []string, most int, draw func(scenario string) Block) (Comparison, int) {
	var blocks []Block
	for {
		c := Compare(DefaultRules(), names, blocks)
		next := c.Next(nil)
		if next == "" || len(blocks) == most {
			return c, len(blocks)
		}
		blocks = append(blocks, draw(next))
	}
}

// A configuration against itself is hardly ever better or worse, however its runs are
// scattered; what was planted is found.
func TestErrorRates(t *testing.T) {
	const comparisons = 100
	names := []string{"s"}
	for of := range proxies {
		wrong, took := 0, 0
		for seed := range uint64(comparisons) {
			draw := rand.New(rand.NewPCG(seed, 14))
			c, n := decided(names, 14, func(scenario string) Block {
				phase := draw.Float64()
				return Block{A: drawn(scenario, of, phase, draw), B: drawn(scenario, of, phase, draw), Again: drawn(scenario, of, phase, draw)}
			})
			took += n
			if c.Word == Better || c.Word == Worse {
				wrong++
			}
		}
		t.Logf("%s against itself: %d of %d wrong, %.1f blocks each", of, wrong, comparisons, float64(took)/comparisons)
		if wrong > 1 {
			t.Errorf("%s against itself: %d of %d are better or worse, want at most 1", of, wrong, comparisons)
		}
	}
	for _, of := range []string{"loses nothing", "loses all", "recovers by its timer"} {
		for what, plant := range map[string]func(*Run){
			"5 failed requests": func(r *Run) { r.Failed += 5 },
			"0.3 s":             func(r *Run) { r.Recovery += 0.3 },
		} {
			if what == "0.3 s" && of == "loses all" {
				continue // it never recovers
			}
			found, took := 0, 0
			for seed := range uint64(comparisons) {
				draw := rand.New(rand.NewPCG(seed, 15))
				c, n := decided(names, 14, func(scenario string) Block {
					phase := draw.Float64()
					b := Block{A: drawn(scenario, of, phase, draw), B: drawn(scenario, of, phase, draw), Again: drawn(scenario, of, phase, draw)}
					plant(&b.B)
					return b
				})
				took += n
				if c.Word == Worse {
					found++
				}
			}
			t.Logf("%s, %s more: %d of %d found, %.1f blocks each", of, what, found, comparisons, float64(took)/comparisons)
			if found < 95 {
				t.Errorf("%s, %s more: found in %d of %d, want at least 95", of, what, found, comparisons)
			}
		}
	}
}
