package judge

import (
	"fmt"
	"slices"
	"strings"

	"github.com/proxychaos/proxychaos/harness/recording"
)

// withoutClient are rows of attempts that show a client's own request at a node without the
// client's address in X-Forwarded-For, one for each request, and the first of these clients; none
// if the budget is not about it, or the load says who it is in another way.
func (c *brief) withoutClient() (rows []row, first string) {
	if _, given := c.Manifest.Way.Headers[recording.ForwardedFor]; given || !c.Manifest.Plan.Budget.Client {
		return nil, ""
	}
	for _, request := range c.Requests {
		client := recording.Client(request.Seq).String()
		for _, h := range c.hits.of(request.Seq) {
			if h.row.file != recording.AttemptsFile || !c.isOwn(h, request) {
				continue
			}
			if !names(c.Attempts[h.row.index].ForwardedFor, client) {
				if rows = append(rows, h.row); first == "" {
					first = client
				}
				break
			}
		}
	}
	return rows, first
}

// names says whether an X-Forwarded-For has an address. Not every program puts a space behind a
// comma.
func names(header, address string) bool {
	return slices.ContainsFunc(strings.Split(header, ","), func(hop string) bool { return strings.TrimSpace(hop) == address })
}

func (c *brief) countClients(v *Verdict) {
	rows, _ := c.withoutClient()
	v.ClientsLost = len(rows)
}

func (c *brief) lostClients(*Verdict) []Finding {
	rows, client := c.withoutClient()
	if len(rows) == 0 {
		return nil
	}
	such := "nothing"
	if got := c.Attempts[rows[0].index].ForwardedFor; got != "" {
		such = got
	}
	return []Finding{{
		Code: ClientLost, Text: fmt.Sprintf("%s reached nodes without the address of the client in X-Forwarded-For, such as %s in place of %s: no status shows it", requests(len(rows)), such, client),
		Evidence: c.quote(rows...),
	}}
}
