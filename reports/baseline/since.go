package baseline

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/gonum/stat"

	"github.com/proxychaos/proxychaos/reports/compare"
)

// Since says what is different in a baseline from the one before, a line for each thing: what
// whoever commits it has to look at.
func (b Baseline) Since(before Baseline) []string {
	var all []string
	old := map[name]Cell{}
	for _, c := range before.Cells {
		old[c.name()] = c
	}
	versions := map[string]int{}
	for _, c := range b.Cells {
		was, known := old[c.name()]
		delete(old, c.name())
		if !known {
			all = append(all, fmt.Sprintf("%s %s: new: %s", c.Scenario, c.Subject, c.said()))
			continue
		}
		if !maps.EqualFunc(c.Verdicts, was.Verdicts, func(x, y int) bool { return (x > 0) == (y > 0) }) {
			all = append(all, fmt.Sprintf("%s %s: %s; before, %s", c.Scenario, c.Subject, c.said(), was.said()))
		}
		if c.Version != was.Version {
			program, _, _ := strings.Cut(c.Subject, "/")
			versions[fmt.Sprintf("%s is now %s, and was %s", program, c.Version, was.Version)]++
		}
		for _, m := range Measures() {
			if x, y := c.Figures[m.Name], was.Figures[m.Name]; len(x) > 0 && len(y) > 0 {
				if apart := stat.Mean(x, nil) - stat.Mean(y, nil); math.Abs(apart) >= m.Size(compare.DefaultSizes()) {
					all = append(all, fmt.Sprintf("%s %s: %s %s, and was %s", c.Scenario, c.Subject, m.Name, m.Figure(stat.Mean(x, nil)), m.Figure(stat.Mean(y, nil))))
				}
			}
		}
	}
	for _, c := range before.Cells { // in their order
		if _, left := old[c.name()]; left {
			all = append(all, fmt.Sprintf("%s %s: gone; before, %s", c.Scenario, c.Subject, c.said()))
		}
	}
	for _, line := range slices.Sorted(maps.Keys(versions)) {
		all = append(all, fmt.Sprintf("%s, in %s", line, count(versions[line], "cell")))
	}
	return all
}
