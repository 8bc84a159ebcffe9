// Package reports shows people and machines what the runs of a suite, or of a
// comparison, came to. It takes Cells, each one scenario run over one subject
// and already judged, and writes
//
//	Table      the table at the end of make scenario, on a terminal
//	HTML       one page that works offline, with every plot and all evidence
//	Markdown   a short summary for the page of a CI job
//	JSON       the figures of each cell, for programs
//
// A Comparison shows what package compare decided between two configurations, with a run of
// each in every scenario. A Cell whose verdict is not what the catalogue expects of the
// subject is red, which is how a pitfall that no longer breaks shows.
//
// The package computes no verdict and knows neither containers nor Ginkgo: it reads
// recordings (harness/recording) and verdicts (harness/judge) and asks the ledger of a
// recording what was true, so that a page can be made again from a stored run.
//
// # The page
//
// HTML writes one file that asks for no other: a policy in its head forbids it to. It begins
// with what broke, why, and what to change (Cell.Answer). Each cell carries what its plots show
// and the rows of its recording, packed (pack.go), and the page's script unpacks them when
// somebody comes near. Plots are drawn by uPlot, which the module of vegeta carries (uplot.go).
// series.go and plots.go count what they show, rows.go says what stands in the rows, and
// rowtable.go chooses them: all of a recording of usual size, and of one of a million
// requests each failed one.
package reports
