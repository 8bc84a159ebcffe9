package judge

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/proxychaos/proxychaos/harness/recording"
)

// answeredByProxy: some answers look well, and no node gave them.
func (c *brief) answeredByProxy(*Verdict) []Finding {
	var rows []row
	for i, request := range c.Requests {
		if recording.IsByProxy(request.Outcome) {
			rows = append(rows, row{recording.RequestsFile, i})
		}
	}
	if len(rows) == 0 {
		return nil
	}
	return []Finding{{Code: AnsweredByProxy, Text: c.proxyAnswers(rows) + ": no node gave these answers, so they count as failed", Evidence: c.quote(rows...)}}
}

// proxyAnswers says of requests that the proxy answered by itself how many there are, with
// which statuses, and whether the answers are from its cache: "the proxy itself answered
// 800 requests with status 302".
func (c *brief) proxyAnswers(rows []row) string {
	codes := map[int]bool{}
	kept := ""
	for _, r := range rows {
		request := c.Requests[r.index]
		codes[request.Code] = true
		if kept == "" && request.Names != 0 {
			kept = fmt.Sprintf(" from its cache (they name other requests, such as seq=%d in the answer to %d)", request.Names, request.Seq)
		}
	}
	var statuses []string
	for _, code := range slices.Sorted(maps.Keys(codes)) {
		statuses = append(statuses, strconv.Itoa(code))
	}
	return fmt.Sprintf("the proxy itself answered %s with status %s%s", requests(len(rows)), strings.Join(statuses, " and "), kept)
}
