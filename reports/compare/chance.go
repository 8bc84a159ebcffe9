package compare

import "math"

// even is the chance of each run of a block to be the odd one if all are alike.
const even = 1.0 / 3

// bets are shares of a stake that starts at 1, each put on a guess of how often the
// run is B's. Most of it is on "nearly always", which is how real differences of
// configs are; the rest finds those that show in some runs only.
var bets = []struct{ often, share float64 }{{0.99, 0.75}, {0.85, 0.15}, {0.60, 0.10}}

// stake is what the bets have grown to after it was B's run in hits of so many blocks.
// If the chance is even or less, its expectation is at most 1 after any number of
// blocks, and so it ever reaches 1/p with a probability of at most p.
func stake(hits, blocks float64) float64 {
	sum := 0.0
	for _, bet := range bets {
		won, lost := bet.often/even, (1-bet.often)/(1-even)
		sum += bet.share * math.Pow(won, hits) * math.Pow(lost, blocks-hits)
	}
	return sum
}

// chance is the p of a stake: an upper bound of the probability that it ever grows to
// that if B is like A.
func chance(hits, blocks float64) float64 { return min(1, 1/stake(hits, blocks)) }

// three are the figures of a block's runs on the scale of a measure.
type three struct{ a, b, again float64 }

// difference is of B from the mean of A's runs.
func (t three) difference() float64 { return t.b - (t.a+t.again)/2 }

// odds counts blocks in which one run stood out, and in how many of them it was B's.
type odds struct{ b, all int }

// above counts the runs that were worse than both others by more than margin.
func above(blocks []three, margin float64) odds {
	var o odds
	for _, t := range blocks {
		switch {
		case t.b > max(t.a, t.again)+margin:
			o.b++
			o.all++
		case t.a > max(t.b, t.again)+margin, t.again > max(t.a, t.b)+margin:
			o.all++
		}
	}
	return o
}

// best counts in how many blocks B's run is the best, and by more than nothing, with size taken off.
func best(blocks []three, size float64) odds {
	o := odds{all: len(blocks)}
	for _, t := range blocks {
		if t.b-size < min(t.a, t.again) {
			o.b++
		}
	}
	return o
}

// mirrored turns better into worse.
func mirrored(blocks []three) []three {
	other := make([]three, len(blocks))
	for i, t := range blocks {
		other[i] = three{-t.a, -t.b, -t.again}
	}
	return other
}

// chance is the p of the odds.
func (o odds) chance() float64 { return chance(float64(o.b), float64(o.all)) }
