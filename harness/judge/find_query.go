package judge

import (
	"fmt"

	"github.com/proxychaos/proxychaos/harness/recording"
)

// withoutQuery are rows of attempts that show a client's own request at a node without the
// number that stood in its query, one for each request.
func (c *brief) withoutQuery() []row {
	if len(c.Manifest.Way.Paths) == 0 || c.Manifest.Way.Bare {
		return nil // a recording from before requests had one, or one whose requests have none
	}
	var rows []row
	for _, request := range c.Requests {
		for _, h := range c.hits.of(request.Seq) {
			if h.row.file != recording.AttemptsFile || !c.isOwn(h, request) {
				continue
			}
			if !recording.HasNumber(c.Attempts[h.row.index].Path, request.Seq) {
				rows = append(rows, h.row)
				break
			}
		}
	}
	return rows
}

func (c *brief) countQueries(v *Verdict) { v.QueriesLost = len(c.withoutQuery()) }

func (c *brief) lostQueries(*Verdict) []Finding {
	rows := c.withoutQuery()
	if len(rows) == 0 {
		return nil
	}
	return []Finding{{
		Code: QueryLost, Text: fmt.Sprintf("%s reached nodes without the query string that the client had sent: no status shows it", requests(len(rows))),
		Evidence: c.quote(rows...),
	}}
}
