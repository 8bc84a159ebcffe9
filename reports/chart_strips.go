package reports

import (
	"fmt"
	"html"
	"html/template"
	"strings"
)

// Measures of the picture of all subjects, in pixels of its viewBox.
const (
	stripLeft   = 238.0
	stripRight  = 292.0
	stripHeight = 24.0
	stripGap    = 10.0
)

// strip is one row of the picture: a subject, and its series if there is a
// recording.
type strip struct {
	cell   Cell
	anchor string
	side   string // "A" or "B" in a comparison
	series *series
}

// strips draws the outcomes of every subject below one another on one time
// axis. A bar has the full height if as many requests were sent as the plan
// has; if a few more fell into one bin it reaches into the gap above.
func strips(rows []strip) template.HTML {
	a := timeAxis{to: 1, x0: stripLeft, x1: chartWidth - stripRight}
	for _, r := range rows {
		if r.series != nil {
			a.to = max(a.to, float64(r.series.end))
		}
	}
	d := &drawing{}
	y := stripGap
	for _, r := range rows {
		if r.cell.NotRun == "" {
			fmt.Fprintf(d, `<a href="#%s">`, html.EscapeString(r.anchor))
			r.draw(d, a, y)
			d.WriteString("</a>")
		} else {
			r.draw(d, a, y)
		}
		y += stripHeight + stripGap
	}
	a.draw(d, y-stripGap+2)
	return d.svg("strips", "Outcomes of the requests to every subject over time", chartWidth, y+12)
}

func (r strip) draw(d *drawing, a timeAxis, y float64) {
	subject := r.cell.Manifest.Subject
	d.text("name", 0, y+11, shorten(sided(r.side, subject.ID), 30))
	d.text("tick", 0, y+23, strings.TrimSpace(subject.Role+" "+r.cell.Manifest.Image.Version))
	state := strings.ReplaceAll(string(r.cell.State()), " ", "-")
	x := a.x1 + 10
	switch {
	case r.cell.NotRun != "":
		d.text("tick", a.x0, y+16, shorten("not run: "+r.cell.NotRun, 110))
		d.text("result "+state, x, y+16, "not run")
		return
	case r.series == nil:
		d.text("tick", a.x0, y+16, "no recording")
	default:
		const above = stripGap - 2 // the shade reaches into the gap, where no bar hides it
		shade(d, a, r.series.windows, y-above, stripHeight+above)
		r.series.stack(d, a, y, stripHeight, r.series.planned())
		d.line("axis", a.x0, y+stripHeight, a.x(r.series.end), y+stripHeight)
		mark(d, a, r.series.windows, y-above, stripHeight+above)
	}
	d.text("result "+state, x, y+11, r.cell.Phrase())
	d.text("tick", x, y+23, failedInWords(r.cell))
}

func failedInWords(c Cell) string {
	v := c.Verdict
	switch {
	case v.Failed == 0:
		return fmt.Sprintf("0 of %s failed", thousands(v.Sent))
	case v.NeverRecovered:
		return fmt.Sprintf("%s failed, no recovery in %s", thousands(v.Failed), seconds(v.Window))
	case v.Recovery != nil && *v.Recovery >= 0:
		return fmt.Sprintf("%s failed, recovered after %s", thousands(v.Failed), recovery(v))
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
