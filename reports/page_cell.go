package reports

import (
	"cmp"
	"encoding/json"
	"fmt"
	"html/template"
	"maps"
	"slices"
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
	Reasons  []string
	Because  []string // the judge's reasons that Reasons does not repeat
	Failed   string
	Unread   string // why the recording could not be read
	Timeline template.HTML
	Kinds    []string     // the outcomes that occur in it
	Steps    []stepWindow // what its chart shades and marks
	Marks    []legendMark // the other marks of its chart
	Hover    string       // hover as JSON
	Phases   []phaseView
	Facts    []fact
	Findings []findingView
	Evidence *evidence
}

type phaseView struct {
	Name string
	judge.Phase
}

type findingView struct {
	Code, Text string
	Evidence   []string
	Cut        string // what was left out, in words
}

// legendMark is one mark of a chart by its class in the style sheet.
type legendMark struct{ Class, Text string }

// nodeMarks are the marks of the lanes of nodes.
var nodeMarks = []legendMark{
	{nodeIn, "node in its name"},
	{nodeStruck, "in its name, and does not serve"},
	{nodeLeft, "left by its name"},
	{nodeNever, "not in its name so far"},
	{"hollow", "sent to a node, never answered"},
	{"triangle", "connection attempt (SYN) to a node that its name had left or that did not serve"},
	{"dashed", "from here what is sent to the node is stale"},
}

// marks are those of nodeMarks that the chart has.
func (s *series) marks() []legendMark {
	has := map[string]bool{}
	for _, n := range s.nodes {
		for _, spell := range n.spells {
			has[spell.class] = has[spell.class] || spell.From < s.end && spell.To > 0
		}
		has["hollow"] = has["hollow"] || slices.Max(n.unanswered) > 0
		has["triangle"] = has["triangle"] || slices.Max(n.connects) > 0
		has["dashed"] = has["dashed"] || len(n.outdated) > 0 && n.outdated[0].From < s.end
	}
	return slices.DeleteFunc(slices.Clone(nodeMarks), func(m legendMark) bool { return !has[m.Class] })
}

// sided puts the side of a comparison before a name.
func sided(side, name string) string {
	if side == "" {
		return name
	}
	return side + ": " + name
}

// hover is what the script shows for the bin under the pointer.
type hover struct {
	Bin    float64            `json:"bin"`
	From   float64            `json:"x0"`
	To     float64            `json:"x1"`
	End    float64            `json:"end"`
	Width  float64            `json:"width"`
	Counts map[string][]int   `json:"counts"`
	Nodes  map[string][][]int `json:"nodes"` // served, errors, unanswered
	Order  []string           `json:"order"`
}

func newCellView(c Cell, anchor, side string) (cellView, *series, error) {
	v := cellView{
		Cell: c, Anchor: anchor, Name: sided(side, c.Manifest.Subject.ID), State: c.State(), Phrase: c.Phrase(), Reasons: c.Reasons(),
		Failed: failedInWords(c), Facts: cellFacts(c),
	}
	if c.NotRun != "" {
		return v, nil, nil
	}
	verdict := c.Verdict
	said := strings.Join(v.Reasons, "\n")
	v.Because = slices.DeleteFunc(slices.Clone(verdict.Reasons), func(r string) bool { return strings.Contains(said, r) })
	v.Phases = []phaseView{{"before", verdict.Before}, {"during", verdict.During}, {"after", verdict.After}}
	for _, f := range verdict.Findings {
		rows, cut := first(f.Evidence, maxEvidence)
		v.Findings = append(v.Findings, findingView{f.Code, f.Text, rows, cut})
	}
	if c.Dir == "" { // it broke off before there was anything to record
		v.Unread = "there is none"
		return v, nil, nil
	}
	rec, err := recording.Open(c.Dir)
	if err != nil {
		v.Unread = err.Error()
		return v, nil, fmt.Errorf("page of %s: %w", c.Manifest.Subject.ID, err)
	}
	rec.Requests = judge.Outcomes(rec)
	s := newSeries(rec)
	v.Timeline = s.timeline()
	v.Kinds, v.Steps, v.Marks = s.kinds(), legend(s.windows), s.marks()
	text, err := json.Marshal(s.hover())
	if err != nil {
		return v, nil, fmt.Errorf("page of %s: %w", c.Manifest.Subject.ID, err)
	}
	v.Hover = string(text)
	v.Evidence = newEvidence(rec)
	return v, s, nil
}

func (s *series) hover() hover {
	a := s.axis()
	h := hover{
		Bin: float64(s.bin), From: a.x0, To: a.x1, End: a.to, Width: chartWidth,
		Counts: s.outcomes, Nodes: map[string][][]int{}, Order: shownKinds,
	}
	for _, n := range s.nodes {
		h.Nodes[n.Addr.String()] = [][]int{s.sum(n.served), s.sum(n.errors), n.unanswered}
	}
	return h
}

// sum adds up the counts of all classes, bin by bin.
func (s *series) sum(counts map[string][]int) []int {
	sums := make([]int, s.bins())
	for _, of := range counts {
		for i, n := range of {
			sums[i] += n
		}
	}
	return sums
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
	return way.Origin() + strings.Join(way.Paths, ", ") + " at " + way.Target + "; " + strings.Join(headers, "; ")
}

// dash stands for nothing in a table.
func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// cssClass makes a state or a result usable as a class.
func cssClass(s any) string { return strings.ReplaceAll(fmt.Sprint(s), " ", "-") }

// comparisonView is the table on top of the page of a comparison.
type comparisonView struct {
	Comparison
	Sentence string
	Noise    string
	State    State
	Rows     []pairView
}

type pairView struct {
	Pair
	State            State
	AnchorA, AnchorB string
}

func newComparisonView(c Comparison) *comparisonView {
	v := &comparisonView{Comparison: c, Sentence: c.Sentence(), Noise: noise, State: stateOf(c.Overall())}
	for i, p := range c.Pairs {
		v.Rows = append(v.Rows, pairView{p, stateOf(p.Result), anchorOf(2 * i), anchorOf(2*i + 1)})
	}
	return v
}
