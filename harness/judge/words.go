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

// first is the first fault, after "before": "the name moved".
func (c *brief) first() string {
	if c.Manifest.Plan.Stays {
		return c.last()
	}
	return "the name moved"
}

// last is the fault that ends what the subject may rely on: "the old nodes
// went silent".
func (c *brief) last() string {
	nodes := "the old nodes "
	if c.Manifest.Plan.Stays {
		nodes = "half of the nodes "
	}
	switch c.Manifest.Plan.OldEnd {
	case "silence":
		return nodes + "went silent"
	case "refuse":
		return nodes + "began to refuse"
	case "no-targets":
		return nodes + "lost their targets"
	}
	if _, dns := c.stepProving(recording.ProofDNSFails); dns {
		return "DNS began to fail"
	}
	if _, tls := c.stepProving(recording.ProofTLSRefused); tls {
		return nodes + "began to refuse TLS"
	}
	return nodes + "ended"
}
