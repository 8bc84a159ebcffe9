package reports

import (
	"bytes"
	_ "embed" // for the files of the page
	"errors"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/proxychaos/proxychaos/harness/recording"
	"github.com/proxychaos/proxychaos/reports/atlas"
)

// Page is what HTML shows.
type Page struct {
	Title string // the heading; empty: one that says what is in it
	Cells []Cell
	// Comparison, if set, is shown above its cells, which are then the
	// cells of the page; Cells must be empty.
	Comparison *Comparison
	// Atlas, if set, is shown above the cells; see AtlasPage.
	Atlas *atlas.Atlas
}

var (
	//go:embed page.html
	pageHTML string
	//go:embed page.css
	pageCSS template.CSS
	//go:embed page.js
	pageJS template.JS

	//go:embed page_plots.js
	plotsJS template.JS
	//go:embed page_rows.js
	rowsJS template.JS

	pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{
		"thousands": thousands, "seconds": seconds, "milliseconds": milliseconds, "kinds": kindsInWords,
		"first": firstFailure, "recovery": recovery, "perRequest": connectionsPerRequest,
		"classes": countsByKind, "shown": shownKind, "count": count, "dash": dash, "class": cssClass,
		"once": legend,
	}).Parse(pageHTML))
)

// HTML writes one page that needs no network and no other file: the pictures,
// figures, findings and configurations of every cell. Cells are read from
// their folders one after the other. A recording that cannot be read leaves a
// line in the page, which is written all the same, and its error is returned.
func HTML(w io.Writer, page Page) error {
	view, unread := newPageView(page)
	var b bytes.Buffer
	if err := pageTemplate.Execute(&b, view); err != nil {
		return fmt.Errorf("make the page: %w", err)
	}
	_, err := w.Write(b.Bytes())
	return errors.Join(err, unread)
}

// pageView is what the template shows; all text in it is escaped there.
type pageView struct {
	Title      string
	CSS        []template.CSS
	JS         []template.JS
	Answers    []answerView
	MoreWrong  int // cells that are not as expected either, and of which Answers does not speak
	Tally      Tally
	Red        bool
	Comparison *comparisonView
	Atlas      *atlasView
	Matrix     *matrix // if there are several scenarios, and neither a comparison nor an atlas
	Scenarios  []scenarioView
	Filters    []filter // none if there is one cell only
	Broke      string   // the anchor of the first article with a failed request
	WallClock  string
	Lateness   string
}

// answerView is what the head of the page says of one cell.
type answerView struct {
	Anchor string // empty if there is no article
	State  State
	Text   []part
}

// part is a piece of text; code is what stood between backticks.
type part struct {
	Code bool
	Text string
}

func parts(markdown string) []part {
	var all []part
	for i, text := range strings.Split(markdown, "`") {
		if text != "" {
			all = append(all, part{i%2 == 1, text})
		}
	}
	return all
}

// answer fills in what the page says first. Cells are in the order of the page.
func (v *pageView) answer(cells []Cell) {
	all := wanting(cells)
	for _, i := range all[:min(len(all), maxAnswers)] {
		a := answerView{State: cells[i].State(), Text: parts(cells[i].Answer())}
		if cells[i].NotRun == "" {
			a.Anchor = anchorOf(i)
		}
		v.Answers = append(v.Answers, a)
	}
	v.MoreWrong = len(all) - len(v.Answers)
	if len(all) == 0 && !v.Red {
		v.Answers = []answerView{{State: Expected, Text: parts(allExpected(cells))}}
	}
}

type scenarioView struct {
	Name    string
	Anchor  string
	Summary string
	Facts   []fact
	Scale   string
	Kinds   []string // that occur in it
	Steps   []stepWindow
	Cells   []cellView
	End     recording.Seconds // of the time axis of its plots
}

type fact struct{ Name, Value string }

func newPageView(page Page) (pageView, error) {
	cells, sides := brokenFirst(page.Cells), map[int]string{}
	v := pageView{Title: page.Title, CSS: []template.CSS{uplotCSS, pageCSS}, JS: []template.JS{uplotJS, plotsJS, rowsJS, pageJS}}
	if page.Comparison != nil {
		cells = nil
		for _, p := range page.Comparison.Pairs {
			sides[len(cells)], sides[len(cells)+1] = "A", "B"
			cells = append(cells, p.A, p.B)
		}
		v.Comparison = newComparisonView(*page.Comparison)
	}
	v.Tally, v.WallClock, v.Lateness = Count(cells), fmt.Sprintf("%.1f s", wallClock(cells).Seconds()), loadLateness(cells)
	v.Red = v.Tally.Red()
	if page.Atlas != nil {
		v.Atlas = newAtlasView(*page.Atlas, cells)
	}
	alone := page.Comparison == nil && page.Atlas == nil // the cells are all there is to show
	if alone {
		v.answer(cells)
	}
	v.Filters, v.Broke = filters(cells), firstBroken(cells)
	if m := newMatrix(cells); alone && len(m.Scenarios) > 1 {
		v.Matrix = &m
	}
	var errs []error
	for i, name := range scenarios(cells) {
		s := scenarioView{Name: name, Anchor: fmt.Sprintf("s%d", i+1)}
		for j, c := range cells {
			if c.scenario() != name {
				continue
			}
			cv, err := newCellView(c, anchorOf(j), sides[j])
			if err != nil {
				errs = append(errs, err)
			}
			s.Cells = append(s.Cells, cv)
		}
		s.describe()
		v.Scenarios = append(v.Scenarios, s)
	}
	switch {
	case v.Title != "":
	case page.Comparison != nil:
		v.Title = page.Comparison.A + " against " + page.Comparison.B
	default:
		v.Title = titleOf(v.Scenarios)
	}
	return v, errors.Join(errs...)
}

func titleOf(all []scenarioView) string {
	switch len(all) {
	case 0:
		return "nothing was run"
	case 1:
		return all[0].Name
	default:
		return count(len(all), "scenario")
	}
}

// describe fills in what the cells of a scenario share, from the first that
// was run.
func (s *scenarioView) describe() {
	occurs := map[string]bool{}
	for _, c := range s.Cells {
		if s.Summary == "" {
			s.Summary = c.Manifest.Summary
		}
		for _, kind := range c.Kinds {
			occurs[kind] = true
		}
		if len(s.Steps) == 0 {
			s.Steps = legend(c.Steps)
		}
		s.End = max(s.End, c.end)
	}
	for _, kind := range shownKinds {
		if occurs[kind] {
			s.Kinds = append(s.Kinds, kind)
		}
	}
	s.Facts, s.Scale = scenarioFacts(s.Cells)
}

// elbTTL is the TTL of the DNS records of an Elastic Load Balancer. Source:
// AWS, "How Elastic Load Balancing works", the DNS entry has a TTL of 60 s.
const elbTTL = recording.Seconds(60)

// scenarioFacts are the numbers of the plan and of the machine, and the
// sentence on the scale of time.
func scenarioFacts(cells []cellView) ([]fact, string) {
	var m *recording.Manifest
	oneSeed := true
	for i := range cells {
		cm := &cells[i].Manifest
		if cm.Plan.Duration == 0 { // not run, or broke off before it was planned
			continue
		}
		if m == nil {
			m = cm
		}
		oneSeed = oneSeed && cm.Plan.Seed == m.Plan.Seed
	}
	if m == nil {
		return nil, ""
	}
	p := m.Plan
	seed := strconv.FormatUint(p.Seed, 10)
	if !oneSeed {
		seed = "another one for each subject"
	}
	facts := []fact{
		{"load", fmt.Sprintf("%d requests/s for %s, open loop, %s", p.Rate, seconds(p.Duration), count(p.Clients, "client connection"))},
		{"budget", budgetWords(p.Budget)},
		{"TTL", seconds(p.TTL)},
		{"clients give up after", seconds(p.ClientTimeout)},
		{"seed", seed},
		{"testbed", m.Testbed},
		{"machine", machine(m.Host)},
		{"proxychaos", commit(m.Tool) + ", " + m.Tool.Go},
		{"run", m.Began.UTC().Format("2006-01-02 15:04:05 UTC")},
	}
	facts = append(timelineFacts(cells), facts...)
	scale := ""
	if p.TTL > 0 && p.TTL < elbTTL {
		has := "the name of a real ALB has a TTL"
		if m.World.Cloud != "" {
			has = "the name of a load balancer is taken to have a TTL"
		}
		scale = fmt.Sprintf("Time is scaled: %s of %s, here it is %s, so one second here is about %.0f there. Timers that a configuration sets itself run as they are.",
			has, seconds(elbTTL), seconds(p.TTL), float64(elbTTL/p.TTL))
	}
	return facts, scale
}

// budgetWords are what a subject may lose, in words.
func budgetWords(b recording.Budget) string {
	words := "no failed request"
	own := count(b.MaxFailed, "failed request") // what the user allows
	switch {
	case b.RecoverWithin > 0 && b.MaxFailed > 0:
		words = "recovery within " + seconds(b.RecoverWithin) + " of each loss, and " + own + " besides"
	case b.RecoverWithin > 0:
		words = "recovery within " + seconds(b.RecoverWithin) + " of each loss"
	case b.MaxFailed > 0:
		words = own
	}
	return words + besides(b)
}

// besides is what a budget wants that no status shows: ", each query kept, no answer later
// than after 1.0 s".
func besides(b recording.Budget) string {
	var words string
	if b.Query {
		words += ", each query kept"
	}
	if b.Sessions {
		words += ", no session moved while its node serves"
	}
	before := ", shares of the nodes "
	for _, share := range b.Shares {
		words += fmt.Sprintf("%s%.2f", before, share)
		before = " and "
	}
	if b.Sockets {
		words += ", no WebSocket denied or cut without need"
	}
	if b.Connections > 0 {
		words += fmt.Sprintf(", at most %.2f connections for each request", b.Connections)
	}
	if b.Within > 0 {
		words += ", no answer later than after " + seconds(b.Within)
	}
	return words
}

// timelineFacts are the steps of the timeline that came into force, in their order, with
// the times at which they did in the cells of the scenario, which differ by the phase.
func timelineFacts(cells []cellView) []fact {
	type step struct {
		number int
		name   string
	}
	var steps []step
	came := map[step]*valueRange{}
	for _, c := range cells {
		for _, row := range c.Proofs {
			s := step{row.Number, row.Name}
			if came[s] == nil {
				came[s] = newRange()
				steps = append(steps, s)
			}
			came[s].add(float64(row.From()))
		}
	}
	slices.SortStableFunc(steps, func(a, b step) int { return a.number - b.number })
	var facts []fact
	for _, s := range steps {
		facts = append(facts, fact{s.name, "in force at " + came[s].words() + " of the load"})
	}
	return facts
}

func machine(h recording.Host) string {
	engine := "no Docker engine"
	if h.Engine != "" {
		engine = "Docker " + h.Engine
	}
	return fmt.Sprintf("%s, %s MiB, Linux %s, %s", count(h.Cores, "core"), thousands(h.MemoryMiB), h.Kernel, engine)
}

func commit(t recording.Tool) string {
	if t.Dirty {
		return shorten(t.Commit, 15) + " with local changes"
	}
	return shorten(t.Commit, 15)
}
