package proxies

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/dustin/go-humanize"

	"github.com/proxychaos/proxychaos/harness/judge"
)

// String is what a run lost, for a cell of a table; bold if it failed.
func (r Run) String() string {
	if r.Result == judge.Unproven {
		return "unproven"
	}
	if r.Held() {
		return r.lost()
	}
	return "**" + cmp.Or(r.beyondStatus(), r.lost()) + "**"
}

// beyondStatus is why a run failed in which it was not the status of answers that broke; empty
// for others.
func (r Run) beyondStatus() string {
	if reason, _, more := strings.Cut(r.Why, "; "); more && !strings.Contains(reason, " failed") {
		return reason
	}
	return ""
}

// lost is "803 502, 2 timeout; never", or "0".
func (r Run) lost() string {
	if r.Failed == 0 {
		return "0"
	}
	names := slices.SortedFunc(maps.Keys(r.By), func(a, b string) int { return cmp.Or(r.By[b]-r.By[a], cmp.Compare(a, b)) })
	for i, name := range names {
		names[i] = humanize.Comma(int64(r.By[name])) + " " + name
	}
	text := strings.Join(names, ", ")
	switch {
	case r.Never:
		return text + "; never"
	case r.Recovery > 0:
		return fmt.Sprintf("%s; %.1f s", text, r.Recovery)
	}
	return text
}

// worst is the run of a cell that says most of it: one that failed before one that passed, and
// that before one that proved nothing; of the failed the one that lost most.
func worst(runs []Run) Run {
	rank := map[string]int{judge.Fail: 2, judge.Pass: 1}
	return slices.MaxFunc(runs, func(a, b Run) int { return cmp.Or(rank[a.Result]-rank[b.Result], a.Failed-b.Failed) })
}

// figure has two digits at most.
func figure(x float64) string {
	return strconv.FormatFloat(float64(int64(x*100+0.5))/100, 'f', -1, 64)
}

// queries are DNS queries a minute, without decimals that nobody needs.
func queries(x float64) string {
	if x > 0 && x < 1 {
		return figure(x)
	}
	return humanize.Comma(int64(x + 0.5))
}

// cell is a text in a cell of a table.
func cell(text string) string {
	return strings.ReplaceAll(strings.ReplaceAll(text, "\n", " "), "|", `\|`)
}
