package bench

import (
	"fmt"
	"math"
	"path/filepath"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/plotutil"
	"gonum.org/v1/plot/vg"
)

// Size of a plot.
const (
	plotWidth  = 8 * vg.Inch
	plotHeight = 4 * vg.Inch
)

// curves returns the series of r that can be drawn.
func (r Row) curves() []Series {
	var found []Series
	for _, s := range r.Series {
		if len(s.Curve) > 0 {
			found = append(found, s)
		}
	}
	return found
}

// plotName is the file of the row's plot, beside the document.
func (r Report) plotName(row Row) string {
	return fmt.Sprintf("performance-%s-%s.svg", r.Table, row.Name)
}

// plots writes the plot of every row that has curves to the folder dir.
func (r Report) plots(dir string) error {
	for _, row := range r.Rows {
		curves := row.curves()
		if len(curves) == 0 {
			continue
		}
		if err := drawCurves(row, curves, filepath.Join(dir, r.plotName(row))); err != nil {
			return fmt.Errorf("plot of %s: %w", row.Name, err)
		}
	}
	return nil
}

// drawCurves draws the distributions of latencies, with the percentiles on a
// scale that gives each nine the same room, as HdrHistogram does.
func drawCurves(row Row, curves []Series, path string) error {
	p := plot.New()
	p.X.Label.Text = "percentile"
	p.X.Tick.Marker = plot.ConstantTicks{
		{Value: 0, Label: "0"}, {Value: 1, Label: "90"}, {Value: 2, Label: "99"}, {Value: 3, Label: "99.9"}, {Value: 4, Label: "99.99"},
	}
	p.Y.Label.Text = row.Unit
	p.Y.Scale, p.Y.Tick.Marker = plot.LogScale{}, plot.LogTicks{Prec: -1}
	p.Legend.Top, p.Legend.Left = true, true
	p.Legend.Padding, p.Legend.XOffs, p.Legend.YOffs = vg.Points(3), vg.Points(8), -vg.Points(8)
	p.Add(plotter.NewGrid())
	for i, s := range curves {
		line, err := plotter.NewLine(nines(s.Curve))
		if err != nil {
			return err
		}
		line.Color, line.Dashes = plotutil.Color(i), plotutil.Dashes(i)
		p.Add(line)
		p.Legend.Add(s.Who, line)
	}
	// Whole decades, so that there is a tick with a number at either end.
	p.X.Min, p.X.Max = 0, 4
	p.Y.Min = math.Pow(10, math.Floor(math.Log10(p.Y.Min)))
	p.Y.Max = math.Pow(10, math.Ceil(math.Log10(p.Y.Max)))
	return p.Save(plotWidth, plotHeight, path)
}

// nines puts a distribution on the axis of nines. The greatest value has no
// place there, and a value of 0 none on the axis of latencies.
func nines(curve []Point) plotter.XYs {
	var points plotter.XYs
	for _, c := range curve {
		if c.Quantile < 1 && c.Value > 0 {
			points = append(points, plotter.XY{X: -math.Log10(1 - c.Quantile), Y: c.Value})
		}
	}
	return points
}
