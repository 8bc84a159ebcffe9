package reports

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
)

// kinds are the classes of failure in the order in which every report shows
// them. What is not among them is an HTTP status of its own number.
var kinds = []string{
	recording.BadGateway, recording.Unavailable, recording.GatewayTimeout,
	recording.Timeout, recording.Connection, recording.WrongBody,
}

// kindCount is how many requests failed in one way.
type kindCount struct {
	Kind  string
	Count int
}

// countsByKind lists the classes that occurred, the known ones first.
func countsByKind(byKind map[string]int) []kindCount {
	order := slices.Clone(kinds)
	for _, kind := range slices.Sorted(maps.Keys(byKind)) {
		if !slices.Contains(kinds, kind) && kind != recording.OK {
			order = append(order, kind)
		}
	}
	var counts []kindCount
	for _, kind := range order {
		if n := byKind[kind]; n > 0 {
			counts = append(counts, kindCount{kind, n})
		}
	}
	return counts
}

// kindsInWords is "503 1,990, timeout 6".
func kindsInWords(byKind map[string]int) string {
	var words []string
	for _, c := range countsByKind(byKind) {
		words = append(words, c.Kind+" "+thousands(c.Count))
	}
	return strings.Join(words, ", ")
}

// thousands writes 1996 as "1,996".
func thousands(n int) string { return humanize.Comma(int64(n)) }

// count writes a number with its noun: "1 cell", "2 cells", "2 queries".
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	if stem, ok := strings.CutSuffix(noun, "y"); ok {
		return thousands(n) + " " + stem + "ies"
	}
	return thousands(n) + " " + noun + "s"
}

// seconds writes a span with more digits the shorter it is: "6.0 s", "0.25 s",
// "0.012 s".
func seconds(s recording.Seconds) string {
	digits := 1
	switch size := max(s, -s); {
	case size == 0:
	case size < 0.1:
		digits = 3
	case size < 1:
		digits = 2
	}
	return strconv.FormatFloat(float64(s), 'f', digits, 64) + " s"
}

// milliseconds writes a latency: "0.4 ms", "1,204 ms".
func milliseconds(s recording.Seconds) string {
	ms := float64(s) * 1000
	if ms < 10 {
		return strconv.FormatFloat(ms, 'f', 1, 64) + " ms"
	}
	return thousands(int(ms+0.5)) + " ms"
}

// firstFailure is when the first request failed, "-" when none did.
func firstFailure(v judge.Verdict) string {
	if v.FirstFailure == nil {
		return "-"
	}
	return seconds(*v.FirstFailure)
}

// recovery is how long the failures went on, "-" when there were none.
func recovery(v judge.Verdict) string {
	switch {
	case v.NeverRecovered:
		return "never in " + seconds(v.Window)
	case v.Recovery != nil:
		return seconds(*v.Recovery)
	default:
		return "-"
	}
}

// connectionsPerRequest has two digits, or three if it is small.
func connectionsPerRequest(v judge.Verdict) string {
	digits := 2
	if v.ConnectionsPerRequest < 0.1 {
		digits = 3
	}
	return strconv.FormatFloat(v.ConnectionsPerRequest, 'f', digits, 64)
}

// elapsed is the wall clock of the cell, with what it cost beside its load.
func elapsed(m recording.Manifest) time.Duration {
	if m.Ended.Before(m.Began) {
		return 0
	}
	return m.Ended.Sub(m.Began)
}

// wallClock is from the first beginning to the last end: cells run in parallel.
func wallClock(cells []Cell) time.Duration {
	var began, ended time.Time
	for _, c := range cells {
		if c.NotRun != "" || c.Manifest.Began.IsZero() {
			continue
		}
		if began.IsZero() || c.Manifest.Began.Before(began) {
			began = c.Manifest.Began
		}
		if c.Manifest.Ended.After(ended) {
			ended = c.Manifest.Ended
		}
	}
	if !ended.After(began) {
		return 0
	}
	return ended.Sub(began)
}

// scenarios lists the scenarios of cells in the order of their first cell.
func scenarios(cells []Cell) []string {
	var names []string
	for _, c := range cells {
		if !slices.Contains(names, c.scenario()) {
			names = append(names, c.scenario())
		}
	}
	return names
}

func ofScenario(cells []Cell, name string) []Cell {
	var of []Cell
	for _, c := range cells {
		if c.scenario() == name {
			of = append(of, c)
		}
	}
	return of
}

// plain makes text that came from a proxy or a file safe for a terminal and
// for ASCII: control characters, escape sequences and the rest are spelled out.
func plain(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '\n' || r == '\r' || r == '\t':
			b.WriteByte(' ')
		case r >= ' ' && r <= '~':
			b.WriteRune(r)
		default:
			quoted := strconv.QuoteRuneToASCII(r)
			b.WriteString(quoted[1 : len(quoted)-1])
		}
	}
	return b.String()
}

// clockNote says of cells whose time was scaled, and in which requests failed, that the
// way in which they failed is not the one of production. It is empty for others.
func clockNote(cells []Cell) string {
	for _, c := range cells {
		if c.NotRun == "" && c.Verdict.Failed > 0 && c.Manifest.Plan.Clock != recording.ProductionClock {
			return "scaled clock: a connect that nothing answers ends after 3 s here, after 127 s in production, where users may " +
				"wait for a timeout instead of the 502 or 503 that stands here; CLOCK=production shows what they get"
		}
	}
	return ""
}

// ofTheLoad finds a time by the clock of the load, as causes have it.
var ofTheLoad = regexp.MustCompile(`\bt=-?\d`)

// clocks says from when the times of a table count, if it has any: there are two clocks.
func clocks(cells []Cell) string {
	var said []string
	if slices.ContainsFunc(cells, func(c Cell) bool { return c.NotRun == "" && c.Verdict.Failed > 0 }) {
		said = append(said, "FIRST FAILURE counts from the first fault", "RECOVERY from a fault that took something away")
	}
	if slices.ContainsFunc(cells, func(c Cell) bool {
		return slices.ContainsFunc(append(c.MainFindings(), c.Reasons()...), ofTheLoad.MatchString)
	}) {
		said = append(said, "t= from the start of the load")
	}
	return strings.Join(said, ", ")
}

// loadLateness says how late the load was, at its worst cell.
func loadLateness(cells []Cell) string {
	var p99, most recording.Seconds
	offered := 0.0 // the largest deviation from what was asked, as a share
	for _, c := range cells {
		if c.NotRun != "" {
			continue
		}
		load := c.Verdict.Load
		p99, most = max(p99, load.LatenessP99), max(most, load.LatenessMax)
		if load.Asked > 0 {
			offered = max(offered, max(load.Offered-load.Asked, load.Asked-load.Offered)/load.Asked)
		}
	}
	return fmt.Sprintf("load late by at most %s (p99 %s), offered rate within %.2f %%",
		milliseconds(most), milliseconds(p99), offered*100)
}
