package reports

import (
	"fmt"
	"html"
	"html/template"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/proxychaos/proxychaos/harness/ledger"
	"github.com/proxychaos/proxychaos/harness/recording"
)

// drawing collects the elements of one SVG. Numbers are pixels of its viewBox.
type drawing struct {
	strings.Builder
	captions strings.Builder // written last, over all shapes
}

func (d *drawing) rect(class string, x, y, width, height float64) {
	fmt.Fprintf(d, `<rect class="%s" x="%s" y="%s" width="%s" height="%s"/>`, class, px(x), px(y), px(width), px(height))
}

func (d *drawing) line(class string, x1, y1, x2, y2 float64) {
	fmt.Fprintf(d, `<path class="%s" d="M%s %sL%s %s"/>`, class, px(x1), px(y1), px(x2), px(y2))
}

// text writes s, which may come from anywhere: it is escaped here.
func (d *drawing) text(class string, x, y float64, s string) {
	fmt.Fprintf(d, `<text class="%s" x="%s" y="%s">%s</text>`, class, px(x), px(y), html.EscapeString(s))
}

// caption writes text that stands among the shapes: over all of them, with a seam in the
// colour of the page, so that no line runs through it.
func (d *drawing) caption(class string, x, y float64, s string) {
	fmt.Fprintf(&d.captions, `<text class="%s halo" x="%s" y="%s">%s</text>`, class, px(x), px(y), html.EscapeString(s))
}

// path writes many marks of one class as one element; empty ones are left out.
func (d *drawing) path(class string, marks *strings.Builder) {
	if marks.Len() > 0 {
		fmt.Fprintf(d, `<path class="%s" d="%s"/>`, class, marks.String())
	}
}

// svg closes the drawing. Everything in it was written by the methods above,
// which is why it may go into the page as it is.
func (d *drawing) svg(class, label string, width, height float64) template.HTML {
	return template.HTML(fmt.Sprintf( //nolint:gosec // text is escaped by drawing.text
		`<svg class="%s" viewBox="0 0 %s %s" role="img" aria-label="%s">%s%s</svg>`,
		class, px(width), px(height), html.EscapeString(label), d.String(), d.captions.String()))
}

// bar adds a filled rectangle to the marks of a path.
func bar(marks *strings.Builder, x, y, width, height float64) {
	marks.WriteString("M" + px(x) + " " + px(y) + "h" + px(width) + "v" + px(height) + "h" + px(-width) + "z")
}

// px writes a coordinate with at most one digit after the point.
func px(v float64) string {
	return strconv.FormatFloat(math.Round(v*10)/10, 'f', -1, 64)
}

// timeAxis maps seconds since the start of the load to pixels.
type timeAxis struct {
	to     float64 // seconds at x1; x0 is t=0
	x0, x1 float64
}

func (a timeAxis) x(t recording.Seconds) float64 {
	return a.x0 + min(max(float64(t)/a.to, 0), 1)*(a.x1-a.x0)
}

// ticks are round seconds, at most about twelve.
func (a timeAxis) ticks() []float64 {
	step := 1.0
	for _, s := range []float64{1, 2, 5, 10, 20, 30, 60, 120, 300, 600} {
		step = s
		if a.to/s <= 14 {
			break
		}
	}
	var ticks []float64
	for t := 0.0; t <= a.to+1e-9; t += step {
		ticks = append(ticks, t)
	}
	return ticks
}

func (a timeAxis) draw(d *drawing, y float64) {
	for _, t := range a.ticks() {
		x := a.x(recording.Seconds(t))
		d.line("axis", x, y, x, y+4)
		d.text("tick mid", x, y+15, strconv.FormatFloat(t, 'f', -1, 64)+" s")
	}
}

// stepWindow is how long what a step of the timeline did was true. Windows may overlap.
type stepWindow struct {
	From, To recording.Seconds
	Class    string // its colour in the style sheet
	Name     string // its legend entry
}

// stepClasses is how many colours of steps the style sheet has.
const stepClasses = 4

// heals is the class of a step that only brings back what had been so at the start.
const heals = "heals"

// Heals says whether the step brought something back.
func (w stepWindow) Heals() bool { return w.Class == heals }

// windows are the faults of a recording in the order in which they came into force.
func windows(acts []ledger.Act, end recording.Seconds) []stepWindow {
	var all []stepWindow
	classes := map[string]string{} // by name: what comes again has its colour again
	for _, a := range acts {
		w := stepWindow{From: a.From, To: min(a.To, end), Name: a.Name, Class: heals}
		if !a.Heals {
			if _, known := classes[a.Name]; !known {
				classes[a.Name] = "step" + strconv.Itoa(len(classes)%stepClasses)
			}
			w.Class = classes[a.Name]
		}
		all = append(all, w)
	}
	return all
}

// legend is one window for each name.
func legend(all []stepWindow) []stepWindow {
	var once []stepWindow
	for _, w := range all {
		if !slices.ContainsFunc(once, func(o stepWindow) bool { return o.Name == w.Name && o.Class == w.Class }) {
			once = append(once, w)
		}
	}
	return once
}

// shade draws the windows, to be called before what they lie behind.
func shade(d *drawing, a timeAxis, all []stepWindow, y, height float64) {
	for _, w := range all {
		if from, to := a.x(w.From), a.x(w.To); to > from {
			d.rect("shade "+w.Class, from, y, to-from, height)
		}
	}
}

// mark draws the line at which each window begins, over all shapes.
func mark(d *drawing, a timeAxis, all []stepWindow, y, height float64) {
	for _, w := range all {
		x := a.x(w.From)
		d.line("begin "+w.Class, x, y, x, y+height)
	}
}
