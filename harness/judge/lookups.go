package judge

import (
	"slices"
	"strings"

	"github.com/proxychaos/proxychaos/harness/recording"
)

// lookup is one DNS query of the proxy for the name that moves.
type lookup struct {
	at    recording.Seconds
	fresh bool // answered with fresh nodes and no old one
	row   row
}

// findLookups picks the queries for the name that moves, in the order of time.
// A configuration can ask for other names too. The one that moves is known by
// an answer, whoever asked, that held one of the nodes.
func (c *brief) findLookups() []lookup {
	names := map[string]bool{}
	for _, q := range c.Queries {
		if slices.ContainsFunc(q.Answers, c.isOld) || slices.ContainsFunc(q.Answers, c.isFresh) {
			names[strings.ToLower(q.Name)] = true
		}
	}
	var lookups []lookup
	for i, q := range c.Queries {
		if q.Probe || !names[strings.ToLower(q.Name)] {
			continue
		}
		lookups = append(lookups, lookup{
			at:    q.At,
			fresh: slices.ContainsFunc(q.Answers, c.isFresh) && !slices.ContainsFunc(q.Answers, c.isOld),
			row:   row{recording.QueriesFile, i},
		})
	}
	slices.SortStableFunc(lookups, func(a, b lookup) int { return compare(a.at, b.at) })
	return lookups
}

// lookupsIn gives those from first to before last.
func (c *brief) lookupsIn(first, last recording.Seconds) []lookup {
	var in []lookup
	for _, l := range c.lookups {
		if l.at >= first && l.at < last {
			in = append(in, l)
		}
	}
	return in
}
