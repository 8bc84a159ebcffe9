package reports

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
)

// cellView is one subject in the page.
type cellView struct {
	Cell
	Anchor   string
	Name     string // of the subject, with "A" or "B" before it in a comparison
	State    State
	Phrase   string
	Words    string // of the filter by verdict
	Reasons  []string
	Because  []string // the judge's reasons that Reasons does not repeat
	Failed   string
	Unread   string // why the recording could not be read
	Phases   []phaseView
	Facts    []fact
	Findings []findingView
	Drawing
}

type phaseView struct {
	Name string
	judge.Phase
}

type findingView struct {
	Code, Text string
	Evidence   []quote
	Moment     string // when the first row is from, in seconds since t=0; empty if none says
}

// quote is one row of the recording that a finding quotes, as its file and line, when it is
// from, and what stands there; or text that leads nowhere.
type quote struct {
	Row    string
	Moment string
	Text   string
}

func newFindingView(f judge.Finding) findingView {
	v := findingView{Code: f.Code, Text: f.Text}
	for _, e := range f.Evidence {
		q := quote{Text: e}
		if m := quotePattern.FindStringSubmatch(e); m != nil {
			q.Row = m[1] + ":" + m[2]
			q.Text = strings.TrimPrefix(e, q.Row+" ")
			q.Moment = m[3]
		}
		v.Moment = cmp.Or(v.Moment, q.Moment)
		v.Evidence = append(v.Evidence, q)
	}
	return v
}

// sided puts the side of a comparison before a name.
func sided(side, name string) string {
	if side == "" {
		return name
	}
	return side + ": " + name
}

func newCellView(c Cell, anchor, side string) (cellView, error) {
	v := cellView{
		Cell: c, Anchor: anchor, Name: sided(side, c.Manifest.Subject.ID), State: c.State(), Phrase: c.Phrase(), Reasons: c.Reasons(),
		Words: filterWords(c), Failed: failedInWords(c), Facts: cellFacts(c),
	}
	if c.NotRun != "" {
		return v, nil
	}
	verdict := c.Verdict
	said := strings.Join(v.Reasons, "\n")
	v.Because = slices.DeleteFunc(slices.Clone(verdict.Reasons), func(r string) bool { return strings.Contains(said, r) })
	v.Phases = []phaseView{{"before", verdict.Before}, {"during", verdict.During}, {"after", verdict.After}}
	for _, f := range verdict.Findings {
		v.Findings = append(v.Findings, newFindingView(f))
	}
	switch {
	case c.Drawing != nil:
		v.Drawing = *c.Drawing
	case c.Dir == "": // it broke off before there was anything to record
		v.Unread = "there is none"
	default:
		drawing, err := drawStored(c)
		if err != nil {
			v.Unread = err.Error()
			return v, fmt.Errorf("page of %s: %w", c.Manifest.Subject.ID, err)
		}
		v.Drawing = *drawing
	}
	return v, nil
}

func cellFacts(c Cell) []fact {
	m := c.Manifest
	if c.NotRun != "" {
		return []fact{{"not run", c.NotRun}}
	}
	config := m.Config.Path
	if m.Config.SHA256 != "" {
		config += ", sha256 " + shorten(m.Config.SHA256, 15)
	}
	again := "when the TTL of the answer ends"
	if m.Plan.Refresh > 0 {
		again = "after " + seconds(m.Plan.Refresh) + " at most, " + string(cmp.Or(m.Plan.RefreshSource, recording.FromConfig))
	}
	if hint := m.Plan.RefreshHint; hint > 0 && m.Plan.RefreshSource == recording.NeverAsked {
		again = fmt.Sprintf("never: %s; the %s of its configuration are not for these names", m.Plan.RefreshSource, seconds(hint))
	}
	clock := "scaled: TTL " + seconds(m.Plan.TTL) + ", a connect that nothing answers ends after 3 s; in production 60 s and 127 s, so that requests may fail in another way (CLOCK=production)"
	if m.Plan.Clock == recording.ProductionClock {
		clock = "production: nothing is shortened"
	}
	return []fact{
		{"proxy", strings.TrimSpace(m.Subject.Kind + " " + m.Image.Version)},
		{"image", strings.TrimSpace(m.Image.Ref + " (" + cmp.Or(m.Image.Source, "none") + ")")},
		{"digest", cmp.Or(m.Image.Digest, "none")},
		{"configuration", config},
		{"asked for", wayText(m.Way)},
		{"proxy looks again", again},
		{"cloud", cmp.Or(m.World.Cloud, "aws")},
		{"clock", clock},
		{"phase", fmt.Sprintf("%.3f s, from seed %d", float64(m.Plan.Phase), m.Plan.Seed)},
		{"load", fmt.Sprintf("offered %.2f/s of %.2f/s asked; late p50 %s, p99 %s, max %s", c.Verdict.Load.Offered, c.Verdict.Load.Asked,
			milliseconds(c.Verdict.Load.LatenessP50), milliseconds(c.Verdict.Load.LatenessP99), milliseconds(c.Verdict.Load.LatenessMax))},
		{"wall clock", fmt.Sprintf("%.1f s, of which overhead %s", elapsed(m).Seconds(), seconds(m.Overhead))},
		{"recording", c.Dir},
	}
}

// wayText is how the load got to the proxy.
func wayText(way recording.Way) string {
	if way.Target == "" {
		return "not recorded"
	}
	var headers []string
	for _, name := range slices.Sorted(maps.Keys(way.Headers)) {
		headers = append(headers, name+": "+way.Headers[name])
	}
	at := way.Target
	if len(way.Front) > 0 {
		at += ", a load balancer in front of the proxy"
	}
	return way.Origin() + strings.Join(way.Paths, ", ") + " at " + at + "; " + strings.Join(headers, "; ")
}

// dash marks an empty cell of a table.
func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// cssClass makes a state or a result usable as a class.
func cssClass(s any) string { return strings.ReplaceAll(fmt.Sprint(s), " ", "-") }

func binName(bin recording.Seconds) string {
	if bin < 1 {
		return strconv.Itoa(int(math.Round(float64(bin)*1000))) + " ms"
	}
	return seconds(bin)
}

func failedInWords(c Cell) string {
	v := c.Verdict
	switch {
	case !c.Loaded():
		return "no request was sent"
	case v.Failed == 0:
		return fmt.Sprintf("0 of %s failed", thousands(v.Sent))
	case v.NeverRecovered:
		return fmt.Sprintf("%s failed, no recovery in %s", thousands(v.Failed), seconds(v.Window))
	case v.Recovery != nil && *v.Recovery >= 0:
		return fmt.Sprintf("%s failed, recovered %s after the fault", thousands(v.Failed), recovery(v))
	default:
		return fmt.Sprintf("%s of %s failed", thousands(v.Failed), thousands(v.Sent))
	}
}

// shorten cuts s to n characters and says so by three dots.
func shorten(s string, n int) string {
	if runes := []rune(s); len(runes) > n {
		return string(runes[:n-3]) + "..."
	}
	return s
}
