package judge

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// opensTooMany says whether more connections were opened for each request than the budget
// allows. No status shows it.
func (c *brief) opensTooMany(v *Verdict) bool {
	most := c.Manifest.Plan.Budget.Connections
	return most > 0 && v.ConnectionsPerRequest > most
}

// opensConnections says for which paths they were opened: a configuration may reuse
// connections for some URLs and not for others.
func (c *brief) opensConnections(v *Verdict) []Finding {
	if !c.opensTooMany(v) {
		return nil
	}
	rows, n := c.opened()
	return []Finding{{
		Code: OpensConnections, Text: fmt.Sprintf("%s opened for %s before the fault: %s", count(len(rows), "connection was", "connections were"), requests(n), c.byPath(rows)),
		Evidence: c.quote(rows...),
	}}
}

// byPath gives "1.00 for each of /t, 0.00 for each of /app/users/1234": which requests were
// the first on one of the connections, the most often first.
func (c *brief) byPath(connections []row) string {
	opened, asked := map[uint64]bool{}, map[string]int{}
	for _, r := range connections {
		opened[c.Connections[r.index].Conn] = true
	}
	first := map[string]int{}
	for _, a := range c.Attempts {
		if a.Probe || c.ledger.Upstream(a.Node) == 0 || a.At < 0 || a.At >= c.first.At {
			continue
		}
		path, _, _ := strings.Cut(a.Path, "?")
		asked[path]++
		if a.Number == 1 && opened[a.Conn] {
			first[path]++
		}
	}
	share := func(path string) float64 { return float64(first[path]) / float64(asked[path]) }
	paths := slices.SortedFunc(maps.Keys(asked), func(a, b string) int {
		return cmp.Or(cmp.Compare(share(b), share(a)), strings.Compare(a, b))
	})
	var words []string
	for _, path := range paths {
		words = append(words, fmt.Sprintf("%.2f for each of %s", share(path), path))
	}
	return strings.Join(words, ", ")
}
