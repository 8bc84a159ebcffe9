package compare

import (
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/stat"
)

// resamples is how often the blocks are drawn again for an interval.
const resamples = 1000

// interval is the 95 % bootstrap interval of a mean: the middle 95 % of the means of
// samples drawn from it with replacement (Efron and Tibshirani, "An Introduction to the
// Bootstrap", 1993, chapter 13). With few values it is too narrow; no word hangs on it
// alone. The draw is always the same, so that the same runs give the same interval.
func interval(values []float64) (low, high float64) {
	switch {
	case len(values) < leastBlocks:
		return math.Inf(-1), math.Inf(1)
	case slices.Min(values) == slices.Max(values):
		return values[0], values[0]
	}
	means := bootstrap(values, resamples)
	return stat.Quantile(0.025, stat.Empirical, means, nil), stat.Quantile(0.975, stat.Empirical, means, nil)
}

// bootstrap are the sorted means of samples drawn from values with replacement.
func bootstrap(values []float64, times int) []float64 {
	draw := rand.New(rand.NewPCG(uint64(len(values)), 1))
	means, sample := make([]float64, times), make([]float64, len(values))
	for i := range means {
		for j := range sample {
			sample[j] = values[draw.IntN(len(values))]
		}
		means[i] = stat.Mean(sample, nil)
	}
	slices.Sort(means)
	return means
}

// mostOf is the largest share of runs that can fail if none of n did, at 95 %: about
// 3/n (Hanley and Lippman-Hand, JAMA 249(13), 1983).
func mostOf(n int) float64 { return 1 - math.Pow(0.05, 1/float64(n)) }
