package compare

import (
	"math"
	"testing"
)

// The probability that a stake ever reaches 1/p, computed exactly over all ways that
// blocks can come out: it must not be above p (Ville's inequality), or the error rate
// would be a promise.
func TestTheStakeKeepsItsPromise(t *testing.T) {
	for _, p := range []float64{0.05, 0.01, 0.001, 0.0001} {
		alive, crossed := []float64{1}, 0.0 // alive[j]: not crossed yet, j hits so far
		for n := 1; n <= 400; n++ {
			next := make([]float64, n+1)
			for j, q := range alive {
				next[j] += q * (1 - even)
				next[j+1] += q * even
			}
			for j := range next {
				if chance(float64(j), float64(n)) <= p {
					crossed, next[j] = crossed+next[j], 0
				}
			}
			alive = next
		}
		t.Logf("p=%v: reached with %.6f", p, crossed)
		if crossed > p || crossed == 0 {
			t.Errorf("p=%v is ever reached with a probability of %.6f", p, crossed)
		}
	}
}

// How many blocks it takes if B's run stands out in all of them.
func TestBlocksToADecision(t *testing.T) {
	for p, want := range map[float64]int{0.05: 3, 0.01: 5, 0.005 / 6: 7, 0.005 / 24: 8, 0.005 / 132: 10} {
		n := 1
		for chance(float64(n), float64(n)) > p {
			n++
		}
		if n != want {
			t.Errorf("p=%.6f takes %d blocks, want %d", p, n, want)
		}
	}
}

func TestWhoStandsOut(t *testing.T) {
	for name, c := range map[string]struct {
		block three
		above odds // by more than 2
		below odds
		best  odds // with 5 taken off
	}{
		"all alike":           {three{7, 7, 7}, odds{0, 0}, odds{0, 0}, odds{1, 1}},
		"B is worse by 3":     {three{7, 10, 7}, odds{1, 1}, odds{0, 0}, odds{1, 1}},
		"B is worse by 2":     {three{7, 9, 7}, odds{0, 0}, odds{0, 0}, odds{1, 1}},
		"B is worse by 5":     {three{7, 12, 7}, odds{1, 1}, odds{0, 0}, odds{0, 1}},
		"A is worse":          {three{20, 7, 8}, odds{0, 1}, odds{0, 0}, odds{1, 1}},
		"A again is worse":    {three{7, 8, 20}, odds{0, 1}, odds{0, 0}, odds{1, 1}},
		"B is better":         {three{20, 7, 21}, odds{0, 0}, odds{1, 1}, odds{1, 1}},
		"two of them are bad": {three{20, 20, 7}, odds{0, 0}, odds{0, 1}, odds{0, 1}},
	} {
		of := []three{c.block}
		if got := above(of, 2); got != c.above {
			t.Errorf("%s: above %+v, want %+v", name, got, c.above)
		}
		if got := above(mirrored(of), 2); got != c.below {
			t.Errorf("%s: below %+v, want %+v", name, got, c.below)
		}
		if got := best(of, 5); got != c.best {
			t.Errorf("%s: best %+v, want %+v", name, got, c.best)
		}
	}
}

// The example of the article on the method in Wikipedia, "Holm-Bonferroni method": at
// 0.05 the first and the last are rejected, the others are not.
func TestHolm(t *testing.T) {
	got := holm([]float64{0.01, 0.04, 0.03, 0.005})
	for i, want := range []float64{0.03, 0.06, 0.06, 0.02} {
		if math.Abs(got[i]-want) > 1e-12 {
			t.Errorf("got %v", got)
		}
	}
}

// Efron and Tibshirani's mice (1993, tables 2.1 and 2.2): the survival of the seven that
// were treated has the mean 86.86, and its bootstrap the standard error 23.36.
func TestBootstrap(t *testing.T) {
	means := bootstrap([]float64{94, 197, 16, 38, 99, 141, 23}, 20_000)
	sum, squares := 0.0, 0.0
	for _, m := range means {
		sum, squares = sum+m, squares+m*m
	}
	mean := sum / 20_000
	deviation := math.Sqrt(squares/20_000 - mean*mean)
	if math.Abs(mean-86.86) > 0.5 || math.Abs(deviation-23.36) > 0.35 {
		t.Errorf("got a mean of %.2f and a standard error of %.2f, want 86.86 and 23.36", mean, deviation)
	}
}

func TestInterval(t *testing.T) {
	for name, c := range map[string]struct {
		values    []float64
		low, high float64
	}{
		"too few":    {[]float64{5, 5}, math.Inf(-1), math.Inf(1)},
		"all alike":  {[]float64{5, 5, 5}, 5, 5},
		"three":      {[]float64{1, 2, 6}, 1, 6}, // 1/27 of the samples are all of one value
		"one in ten": {[]float64{0, 0, 0, 0, 0, 0, 0, 0, 0, 100}, 0, 30},
	} {
		if low, high := interval(c.values); low != c.low || high != c.high {
			t.Errorf("%s: got %v to %v, want %v to %v", name, low, high, c.low, c.high)
		}
	}
}

// Hanley and Lippman-Hand, table 1: after 0 of 10, 26 %; of 100, 3 %.
func TestNoneOfSoMany(t *testing.T) {
	for n, want := range map[int]float64{10: 0.26, 100: 0.03} {
		if got := mostOf(n); math.Abs(got-want) > 0.005 {
			t.Errorf("0 of %d: at most %.3f, want %.2f", n, got, want)
		}
	}
}
