// Package reports shows people and machines what the runs of a suite, or of a
// comparison, came to. It takes Cells, each one scenario run over one subject
// and already judged, and writes
//
//	Table      the table at the end of make scenario, on a terminal
//	HTML       one page that works offline, with every chart and all evidence
//	Markdown   a short summary for the page of a CI job
//	JSON       the figures of each cell, for programs
//
// Compare sets the cells of two configurations against each other, scenario
// by scenario. A Cell whose verdict is not what the catalogue
// expects of the subject is red, which is how a pitfall that no longer breaks shows.
//
// The package computes no verdict and knows neither containers nor Ginkgo: it
// reads recordings (harness/recording) and verdicts (harness/judge), nothing
// else, so that a page can be made again from a stored run.
//
// # Why the charts are drawn here
//
// go-analyze/charts v0.5.20 was searched: no shaded windows along the x axis
// were found in it, and no dots on a logarithmic axis against free time.
// gonum/plot v0.17 was not tried. What is needed is bars, dots, ticks and
// rectangles on one time axis, in colours of the page's style sheet, so that
// they follow its dark scheme, and many dots in one element; so they are
// written as SVG paths, coloured by class.
package reports
