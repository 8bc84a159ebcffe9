package judge

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/proxychaos/proxychaos/harness/recording"
)

// answeredByProxy: some answers look well, and no node gave them.
func (c *brief) answeredByProxy(*Verdict) []Finding {
	rows := c.requestRows(func(r recording.Request) bool { return recording.IsByProxy(r.Outcome) })
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
	for _, r := range rows {
		codes[c.Requests[r.index].Code] = true
	}
	var statuses []string
	for _, code := range slices.Sorted(maps.Keys(codes)) {
		statuses = append(statuses, strconv.Itoa(code))
	}
	return fmt.Sprintf("the proxy itself answered %s with status %s%s", requests(len(rows)), strings.Join(statuses, " and "), c.fromCache(rows))
}

// fromCache says by what it shows that some of the answers are from the proxy's cache; it
// is empty if nothing shows it.
func (c *brief) fromCache(rows []row) string {
	for _, r := range rows {
		request := c.Requests[r.index]
		switch {
		case request.Names != 0:
			return fmt.Sprintf(" from its cache (they name other requests, such as seq=%d in the answer to %d)", request.Names, request.Seq)
		case request.Node.IsValid(): // it once gave the answer to a request of the warm-up, which has no number
			return fmt.Sprintf(" from its cache (they name nodes that gave them to other requests, such as %s in the answer to %d)", request.Node, request.Seq)
		}
	}
	return ""
}

// refused says whether the proxy itself would not take a request: it sent it to no node, and
// answered 429, or, before any fault, another status that says no.
func (c *brief) refused(request recording.Request) bool {
	code := request.Code
	if !failed(request) || code < http.StatusBadRequest || c.sent(request) || c.ofFront(request) {
		return false
	}
	return code == http.StatusTooManyRequests || c.beforeFaults(request) && (code < http.StatusInternalServerError || code == http.StatusServiceUnavailable)
}

// refusedByProxy: a limit or a rule of the proxy itself, which no fault has anything to do with.
func (c *brief) refusedByProxy(*Verdict) []Finding {
	rows := c.requestRows(c.refused)
	if len(rows) == 0 {
		return nil
	}
	return []Finding{{Code: RefusedByProxy, Text: c.refusals(rows), Evidence: c.quote(rows...)}}
}

// refusals gives "the proxy itself refused 57 requests (57 503), which reached no node".
func (c *brief) refusals(rows []row) string {
	kinds := map[string]int{}
	for _, r := range rows {
		kinds[c.Requests[r.index].Outcome]++
	}
	return fmt.Sprintf("the proxy itself refused %s (%s), which reached no node", requests(len(rows)), byKind(kinds))
}
