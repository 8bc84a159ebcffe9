package compare

import (
	"cmp"
	"slices"
)

// holm corrects the p of several tests: the chance that any of them errs is at most
// the level at which each is then compared. Holm, "A Simple Sequentially Rejective
// Multiple Test Procedure", Scandinavian Journal of Statistics 6(2), 1979.
func holm(p []float64) []float64 {
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(p[i], p[j]) })
	corrected := make([]float64, len(p))
	largest := 0.0
	for rank, i := range order {
		largest = max(largest, min(1, float64(len(p)-rank)*p[i]))
		corrected[i] = largest
	}
	return corrected
}
