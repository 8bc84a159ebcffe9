package soak

import (
	"fmt"
	"os"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/plotutil"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// plotName is the file of the plot, beside the document.
const plotName = "goproxy-soak.svg"

// Size of the plot.
const (
	plotWidth  = 8 * vg.Inch
	plotHeight = 8 * vg.Inch
)

// curve is one line over the time of the run.
type curve struct {
	what string
	of   func(Sample) float64
}

// panels stand below each other, with the same time axis.
var panels = []struct {
	unit   string
	curves []curve
}{
	{"MiB", []curve{{"memory", func(s Sample) float64 { return s.MiB }}}},
	{"number", []curve{
		{"goroutines", func(s Sample) float64 { return s.Goroutines }},
		{"open files", func(s Sample) float64 { return s.OpenFiles }},
	}},
	{"ms", []curve{
		{"p50 of a second", func(s Sample) float64 { return s.P50 }},
		{"p99 of a second", func(s Sample) float64 { return s.P99 }},
	}},
	{"requests", []curve{{"failed so far", func(s Sample) float64 { return float64(s.Failed) }}}},
}

// draw writes the plot to path.
func (r Report) draw(path string) error {
	if len(r.Samples) == 0 {
		return fmt.Errorf("plot: there is no sample to draw")
	}
	column := make([][]*plot.Plot, len(panels))
	for i, panel := range panels {
		p := plot.New()
		p.Y.Label.Text = panel.unit
		p.Legend.Top, p.Legend.Left = true, true
		p.Legend.Padding, p.Legend.XOffs, p.Legend.YOffs = vg.Points(3), vg.Points(8), -vg.Points(2)
		p.Add(plotter.NewGrid())
		for n, c := range panel.curves {
			points := make(plotter.XYs, len(r.Samples))
			for j, s := range r.Samples {
				points[j] = plotter.XY{X: float64(s.At) / 60, Y: c.of(s)}
			}
			line, err := plotter.NewLine(points)
			if err != nil {
				return fmt.Errorf("plot of %s: %w", c.what, err)
			}
			line.Color = plotutil.Color(n)
			p.Add(line)
			p.Legend.Add(c.what, line)
		}
		p.X.Min, p.Y.Min = 0, 0
		p.Y.Max = max(1, p.Y.Max*1.5) // with room for the legend
		column[i] = []*plot.Plot{p}
	}
	column[len(column)-1][0].X.Label.Text = "minutes"
	canvas := vgsvg.New(plotWidth, plotHeight)
	tiles := draw.Tiles{Rows: len(column), Cols: 1, PadY: vg.Points(6)}
	for i, row := range plot.Align(column, tiles, draw.New(canvas)) {
		column[i][0].Draw(row[0])
	}
	file, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("plot: %w", err)
	}
	defer file.Close()
	if _, err := canvas.WriteTo(file); err != nil {
		return fmt.Errorf("plot: %w", err)
	}
	return file.Close()
}
