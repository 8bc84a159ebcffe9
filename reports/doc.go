// Package reports shows people and machines what the runs of a suite, or of a
// comparison, came to. It takes Cells, each one scenario run over one subject
// and already judged, and writes
//
//	Table      the table at the end of make scenario, on a terminal
//	HTML       one page that works offline, with every chart and all evidence
//	JUnit      the XML that CI systems read
//	Markdown   a short summary for the page of a CI job
//	JSON       the figures of each cell, for programs
//
// Compare sets the cells of two configurations against each other, scenario
// by scenario. Check holds a verdict against what the catalogue expects of the
// subject, which is how a pitfall that no longer breaks turns the suite red.
//
// The package computes no verdict and knows neither containers nor Ginkgo: it
// reads recordings (harness/recording) and verdicts (harness/judge), nothing
// else, so that a page can be made again from a stored run.
//
// # Why the charts are drawn here
//
// go-analyze/charts v0.5.20 and gonum/plot v0.17 were looked at. The first has
// no shaded windows along the x axis and no dots on a logarithmic axis against
// free time. The second can draw both, but writes fixed colours, its own fonts
// and one element for each dot: such a picture follows neither a dark scheme
// nor the style sheet of the page, and 4,000 dots for each of 12 subjects
// weigh several megabytes. What is needed is bars, dots, ticks and rectangles
// on one time axis, so they are written as SVG paths, coloured by class.
package reports
