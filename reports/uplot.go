package reports

import (
	_ "embed" // for the licence
	"fmt"
	"html/template"
	"io"

	"github.com/tsenart/vegeta/v12/lib/plot"
)

// uPlot 1.6.32 draws the plots. The module of vegeta, which makes the load, carries it.
//
//go:embed uplot.LICENSE
var uplotLicence string

var (
	uplotJS  = template.JS("/*!\n" + uplotLicence + "*/\n" + asset("uPlot.min.js")) //nolint:gosec // of a module whose checksum is in go.sum
	uplotCSS = template.CSS(asset("uPlot.min.css"))                                 //nolint:gosec // the same
)

// asset reads one of the files that are part of the program.
func asset(name string) string {
	file, err := plot.Assets.Open(name)
	if err != nil {
		panic(fmt.Sprintf("vegeta has no %s any more: %v", name, err))
	}
	defer file.Close()
	text, err := io.ReadAll(file)
	if err != nil {
		panic(fmt.Sprintf("read %s of vegeta: %v", name, err))
	}
	return string(text)
}
