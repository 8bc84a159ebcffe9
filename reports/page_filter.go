package reports

import (
	"slices"
	"strings"

	"github.com/proxychaos/proxychaos/harness/judge"
)

// filter is one choice of which cells the page shows.
type filter struct {
	Name    string // of the attribute that the articles have
	Label   string
	Options []option
}

// option is a value of the attribute, or one of its words, and how it is called.
type option struct{ Value, Text string }

// verdictOptions are the results that a cell can have: see filterWords.
var verdictOptions = []option{
	{cssClass(Unexpected), "not as expected"},
	{cssClass(Expected), "as expected"},
	{cssClass(Unproven), "unproven"},
	{"broke", "broke"},
	{"held", "held"},
	{cssClass(NotRun), "not run"},
}

// filters are by kind of proxy, by verdict and by scenario; each only if it has a choice.
func filters(cells []Cell) []filter {
	proxies, found := filter{Name: "proxy", Label: "Proxy"}, filter{Name: "words", Label: "Verdict"}
	in := filter{Name: "scenario", Label: "Scenario"}
	words := ""
	for _, c := range cells {
		kind := option{c.Manifest.Subject.Kind, c.Manifest.Subject.Kind}
		if kind.Value != "" && !slices.Contains(proxies.Options, kind) {
			proxies.Options = append(proxies.Options, kind)
		}
		words += " " + filterWords(c) + " "
	}
	for _, name := range scenarios(cells) {
		in.Options = append(in.Options, option{name, name})
	}
	for _, o := range verdictOptions {
		if slices.Contains(strings.Fields(words), o.Value) {
			found.Options = append(found.Options, o)
		}
	}
	return slices.DeleteFunc([]filter{proxies, found, in}, func(f filter) bool { return len(f.Options) < 2 })
}

// firstBroken is the anchor of the first cell whose page shows a failed request; empty if
// there is none.
func firstBroken(cells []Cell) string {
	i := slices.IndexFunc(cells, func(c Cell) bool { return c.NotRun == "" && c.Dir != "" && c.Verdict.Failed > 0 })
	if i < 0 {
		return ""
	}
	return anchorOf(i)
}

// filterWords are the words of the filter by verdict for which a cell is shown.
func filterWords(c Cell) string {
	state := c.State()
	words := cssClass(state)
	switch {
	case state == NotRun || state == Unproven:
	case c.Verdict.Result == judge.Fail:
		words += " broke"
	default:
		words += " held"
	}
	return words
}
