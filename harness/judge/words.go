package judge

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/dustin/go-humanize"

	"github.com/proxychaos/proxychaos/harness/recording"
)

func comma(n int) string { return humanize.Comma(int64(n)) }

// count gives "1 request", "2,000 requests".
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return comma(n) + " " + many
}

func requests(n int) string { return count(n, "request", "requests") }

// span gives "2.3 s", or milliseconds below a tenth of a second.
func span(s recording.Seconds) string {
	if s > -0.1 && s < 0.1 {
		return fmt.Sprintf("%.0f ms", float64(s)*1000)
	}
	return fmt.Sprintf("%.1f s", float64(s))
}

// byKind gives "1,200 timeout, 34 502", the most frequent first.
func byKind(kinds map[string]int) string {
	names := slices.SortedFunc(maps.Keys(kinds), func(a, b string) int {
		return cmp.Or(kinds[b]-kinds[a], strings.Compare(a, b))
	})
	var parts []string
	for _, name := range names {
		parts = append(parts, comma(kinds[name])+" "+name)
	}
	return strings.Join(parts, ", ")
}

// quoted is the name of a step in a sentence.
func quoted(name string) string { return `"` + name + `"` }
