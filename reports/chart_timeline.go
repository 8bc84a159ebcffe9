package reports

import (
	"cmp"
	"fmt"
	"html/template"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/proxychaos/proxychaos/harness/recording"
)

// Measures of the timeline of one subject, in pixels of its viewBox.
const (
	chartWidth     = 1100.0
	chartLeft      = 130.0 // the gutter for the names of what is shown
	chartRight     = 12.0
	outcomesHeight = 92.0
	latencyHeight  = 112.0
	laneHeight     = 25.0
	queryHeight    = 15.0
	panelGap       = 20.0
	headroom       = 8.0 // above the tallest bar, where the shade can be seen
)

// timeline draws everything that happened to one subject on one time axis.
func (s *series) timeline() template.HTML {
	d := &drawing{}
	a := s.axis()
	top := s.labelsHeight()
	y := s.outcomesPanel(d, a, top) + panelGap
	s.drawLabels(d, a, top)
	y = s.latencyPanel(d, a, y) + panelGap
	y = s.nodesPanel(d, a, y) + panelGap
	y = s.queriesPanel(d, a, y)
	mark(d, a, s.windows, top, y-top)
	a.draw(d, y)
	d.line("cursor", a.x0, 0, a.x0, y)
	label := fmt.Sprintf("Timeline of %s: outcomes, latency, serving nodes and DNS queries over %s",
		s.rec.Manifest.Subject.ID, seconds(s.end))
	return d.svg("timeline", label, chartWidth, y+22)
}

func (s *series) axis() timeAxis {
	return timeAxis{to: float64(s.end), x0: chartLeft, x1: chartWidth - chartRight}
}

// label names a moment above the panels.
type label struct {
	at    recording.Seconds
	class string
	text  string
	reach float64 // how far its line goes down into the panels
}

// labels names the beginning of each window, and the end of each budget.
func (s *series) labels() []label {
	var labels []label
	for _, w := range s.windows {
		labels = append(labels, label{w.From, "begin " + w.Class, fmt.Sprintf("%s, %.2f s", w.Name, w.From), 0})
	}
	for _, end := range s.budgetEnds() {
		labels = append(labels, label{end, "limit", fmt.Sprintf("no failure allowed from here, %.2f s", end), outcomesHeight})
	}
	slices.SortStableFunc(labels, func(a, b label) int { return cmp.Compare(a.at, b.at) })
	return labels
}

// budgetEnds are when the time to recover from each loss ends, unless the next loss has
// come by then, which gives as much time again.
func (s *series) budgetEnds() []recording.Seconds {
	within := s.rec.Manifest.Plan.Budget.RecoverWithin
	if within <= 0 {
		return nil
	}
	var ends []recording.Seconds
	losses := s.ledger.Losses()
	for i, loss := range losses {
		end := loss.At + within
		if end < s.end && (i+1 == len(losses) || end < losses[i+1].At) {
			ends = append(ends, end)
		}
	}
	return ends
}

// labelHeight is that of the line which each label has, so that they never
// overlap.
const labelHeight = 15.0

func (s *series) labelsHeight() float64 { return labelHeight*float64(len(s.labels())) + 5 }

func (s *series) drawLabels(d *drawing, a timeAxis, bottom float64) {
	for i, l := range s.labels() {
		x, y := a.x(l.at), labelHeight*float64(i+1)
		class, at := "label", x+5
		if x+textWidth(l.text) > a.x1 {
			class, at = "label end", x-5
		}
		d.line(l.class, x, y-labelHeight+4, x, bottom+l.reach)
		d.caption(class, at, y, l.text)
	}
}

// textWidth is about how wide a label becomes.
func textWidth(s string) float64 { return 7.2 * float64(len([]rune(s))) }

func panelName(d *drawing, y float64, name, detail string) {
	d.text("name", 0, y+11, name)
	d.text("tick", 0, y+25, detail)
}

func (s *series) outcomesPanel(d *drawing, a timeAxis, y float64) float64 {
	shade(d, a, s.windows, y, outcomesHeight)
	panelName(d, y, "outcomes", "per "+binName(s.bin))
	most := s.tallest()
	d.text("tick end", a.x0-6, y+headroom+5, strconv.Itoa(int(most)))
	d.text("tick end", a.x0-6, y+outcomesHeight, "0")
	s.stack(d, a, y+headroom, outcomesHeight-headroom, most)
	d.line("axis", a.x0, y+outcomesHeight, a.x1, y+outcomesHeight)
	return y + outcomesHeight
}

// overflow is how far a bar may be taller than the full height.
const overflow = 1.3

// stack draws the bars of the outcomes, failures at the base. A bar of full
// requests has the full height; one far above it is drawn to scale in itself.
func (s *series) stack(d *drawing, a timeAxis, y, height, full float64) {
	sums, base := s.sum(s.outcomes), make([]float64, s.bins())
	for _, kind := range shownKinds {
		var marks strings.Builder
		for i, n := range s.outcomes[kind] {
			if n == 0 {
				continue
			}
			x, width := s.barAt(a, i)
			tall := height * float64(n) / max(full, float64(sums[i])/overflow)
			base[i] += tall
			bar(&marks, x, y+height-base[i], width, tall)
		}
		d.path("bar k-"+kind, &marks)
	}
}

// barAt is the place of the i-th bin. Bars overlap a little, or rounding to the
// pixels of a screen would leave seams.
func (s *series) barAt(a timeAxis, i int) (x, width float64) {
	from, to := a.x(recording.Seconds(i)*s.bin), a.x(recording.Seconds(i+1)*s.bin)
	return from, to - from + 0.4
}

// Latencies outside of these are drawn at the edge.
const (
	latencyFloor = recording.Seconds(100e-6)
	latencyTop   = recording.Seconds(10)
)

func latencyY(y float64, latency recording.Seconds) float64 {
	share := math.Log10(float64(latency/latencyFloor)) / math.Log10(float64(latencyTop/latencyFloor))
	return y + latencyHeight*(1-min(max(share, 0), 1))
}

func (s *series) latencyPanel(d *drawing, a timeAxis, y float64) float64 {
	shade(d, a, s.windows, y, latencyHeight)
	for _, t := range []struct {
		at   recording.Seconds
		name string
	}{{10, "10 s"}, {1, "1 s"}, {.1, "100 ms"}, {.01, "10 ms"}, {.001, "1 ms"}, {.0001, "0.1 ms"}} {
		at := latencyY(y, t.at)
		d.line("grid", a.x0, at, a.x1, at)
		d.text("tick end", a.x0-6, at+3.5, t.name)
	}
	if timeout := s.rec.Manifest.Plan.ClientTimeout; timeout > 0 {
		at := latencyY(y, timeout)
		d.line("limit", a.x0, at, a.x1, at)
		d.caption("tick", a.x0+4, at+11, "clients give up after "+seconds(timeout))
	}
	detail := "each request"
	if grid := s.dots(d, a, y); grid > 1 {
		detail = fmt.Sprintf("one dot per %d px", grid)
	}
	panelName(d, y, "latency", detail)
	return y + latencyHeight
}

// maxDots bounds the dots of one chart; if there are more, those within a
// wider square of pixels become one.
const maxDots = 6000

// dots draws each request by its send time and latency, and returns the side of
// the square of pixels in which those of one outcome are one dot.
func (s *series) dots(d *drawing, a timeAxis, y float64) int {
	type place struct {
		kind string
		x, y int
	}
	for grid := 1; ; grid++ {
		seen := map[place]bool{}
		marks := map[string]*strings.Builder{}
		last := map[string]place{}
		for _, r := range s.rec.Requests {
			p := place{shownKind(r.Outcome), int(a.x(r.Sent)) / grid * grid, int(latencyY(y, r.Latency)) / grid * grid}
			if seen[p] {
				continue
			}
			seen[p] = true
			if marks[p.kind] == nil {
				marks[p.kind] = &strings.Builder{}
			}
			// A move from the last dot is shorter to write than a place.
			fmt.Fprintf(marks[p.kind], "m%d %dh0", p.x-last[p.kind].x, p.y-last[p.kind].y)
			last[p.kind] = p
		}
		if len(seen) > maxDots {
			continue
		}
		// The good ones first, so that failures lie on top.
		for i := len(shownKinds) - 1; i >= 0; i-- {
			if m := marks[shownKinds[i]]; m != nil {
				d.path("dots k-"+shownKinds[i], m)
			}
		}
		return grid
	}
}

func binName(bin recording.Seconds) string {
	if bin < 1 {
		return strconv.Itoa(int(math.Round(float64(bin)*1000))) + " ms"
	}
	return seconds(bin)
}
