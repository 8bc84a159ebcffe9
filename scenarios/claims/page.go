package claims

import (
	"cmp"
	_ "embed"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/template"

	"github.com/dustin/go-humanize"
)

//go:embed page.md.tmpl
var pageText string

// Page writes what became of all claims as Markdown. It is made of the claims and stored
// results alone.
func Page(w io.Writer, all []Claim, r Results) error {
	view := pageView{Tally: map[string]int{}}
	for _, a := range Articles {
		part := articleView{Article: a}
		for _, c := range all {
			if c.Article != a.ID {
				continue
			}
			v, err := c.Decide(r)
			if err != nil {
				return err
			}
			part.Verdicts = append(part.Verdicts, verdictView{v, r})
			view.Tally[kindOfWord(v.Word)]++
		}
		view.Articles = append(view.Articles, part)
		view.Claims += len(part.Verdicts)
	}
	of := r.Of(all).Runs
	view.Runs = len(of)
	for _, s := range of {
		view.Days = append(view.Days, s.Day)
	}
	slices.Sort(view.Days)
	view.Days = slices.Compact(view.Days)
	page, err := template.New("page").Funcs(template.FuncMap{"cell": cell, "join": strings.Join}).Parse(pageText)
	if err != nil {
		return err
	}
	return page.Execute(w, view)
}

// pageView is what the template is filled with.
type pageView struct {
	Articles     []articleView
	Claims, Runs int
	Days         []string
	Tally        map[string]int
}

// Words are the verdicts that there are, with the number of claims that have each.
func (p pageView) Words() []string {
	var words []string
	for _, word := range []string{Holds, upTo + "N", fromVersion + "N", "differs between versions", Narrower, HoldsNot, StartsNot, NotTried} {
		if n := p.Tally[word]; n > 0 {
			words = append(words, fmt.Sprintf("%d %s", n, word))
		}
	}
	return words
}

// kindOfWord is a verdict without the version.
func kindOfWord(word string) string {
	switch {
	case strings.HasPrefix(word, upTo):
		return upTo + "N"
	case strings.HasPrefix(word, fromVersion):
		return fromVersion + "N"
	case strings.Contains(word, "; "):
		return "differs between versions"
	}
	return word
}

type articleView struct {
	Article
	Verdicts []verdictView
}

type verdictView struct {
	Verdict
	results Results
}

// On are the proxy and its versions that the verdict is about.
func (v verdictView) On() string {
	var versions []string
	for _, version := range v.Versions {
		versions = append(versions, version.Version)
	}
	if len(versions) == 0 {
		return ""
	}
	return string(v.experiments()[0].Proxy) + " " + strings.Join(versions, ", ")
}

// Measured is a line for each run of each version, and then for those beside.
func (v verdictView) Measured() []string {
	var lines []string
	for _, version := range v.Versions {
		for _, name := range v.names() {
			lines = append(lines, v.line(name, v.Runs[name], version.Runs[name]))
		}
	}
	for _, name := range v.besideNames() {
		stored := v.results.of(v.Beside[name])
		for _, version := range slices.SortedFunc(maps.Keys(stored), compareVersions) {
			lines = append(lines, v.line(name+" (decides nothing)", v.Beside[name], stored[version]))
		}
	}
	return lines
}

// Experiments are what was run, one line each.
func (v verdictView) Experiments() []string {
	var lines []string
	for _, name := range v.names() {
		lines = append(lines, fmt.Sprintf("`%s`: %s", name, v.Runs[name]))
	}
	for _, name := range v.besideNames() {
		lines = append(lines, fmt.Sprintf("`%s`, beside them: %s", name, v.Beside[name]))
	}
	return lines
}

// String is the experiment in words.
func (e Experiment) String() string {
	what := e.Subject + " of the catalogue"
	if e.Subject == "" {
		what = string(e.Proxy) + " with the claim's own config"
	}
	text := fmt.Sprintf("%s in %s", what, e.Scenario)
	if len(e.Timeline) > 0 {
		text = fmt.Sprintf("%s in the world of %s, where %s", what, e.Scenario, e.happens())
	}
	for _, name := range slices.Sorted(maps.Keys(e.Variables)) {
		text += fmt.Sprintf(", %s=%s", name, e.Variables[name])
	}
	return text
}

func (verdictView) line(name string, e Experiment, s Stored) string {
	return fmt.Sprintf("%s %s, `%s`: %s", e.Proxy, s.Version, name, s.Took)
}

// String is what was measured, in a line.
func (f Figures) String() string {
	switch f.Result {
	case Rejected:
		return "did not start: " + code(f.Words)
	case Unreachable:
		return "no request got through: " + code(f.Words)
	}
	text := f.failures()
	if f.Stale > 0 {
		text += fmt.Sprintf("; %s went to nodes that the name had left", humanize.Comma(int64(f.Stale)))
	}
	text += fmt.Sprintf("; %.2f connections and %.2f look-ups for each request before the fault, %s DNS queries before and %s after it", f.Connections, f.Queries, humanize.Comma(int64(f.Before)), humanize.Comma(int64(f.After)))
	if f.Every > 0 {
		text += fmt.Sprintf("; asked again every %.1f s", f.Every)
	}
	if f.Moved > 0 {
		text += fmt.Sprintf("; %s sessions were moved while their nodes served", humanize.Comma(int64(f.Moved)))
	}
	if f.Sockets+f.Denied > 0 {
		text += fmt.Sprintf("; %s WebSockets were opened and carried %s messages, and %s were denied before the fault", humanize.Comma(int64(f.Sockets)), humanize.Comma(int64(f.Messages)), humanize.Comma(int64(f.Denied)))
	}
	if f.Slow > 0 {
		text += fmt.Sprintf("; %s answers came later than the scenario allows", humanize.Comma(int64(f.Slow)))
	}
	if f.Checks > 0 {
		text += fmt.Sprintf("; %s requests of the proxy's own reached nodes", humanize.Comma(int64(f.Checks)))
	}
	if f.Workers > 0 && f.Workers < 1 {
		text += fmt.Sprintf("; %.0f %% of its workers were there to the end", 100*f.Workers)
	}
	if f.Idle > 0 {
		text += fmt.Sprintf("; it closed connections to nodes %.1f s after their last answer (median)", f.Idle)
	}
	if f.Query < 1 {
		text += fmt.Sprintf("; %.0f %% of requests reached a node with their query string", 100*f.Query)
	}
	switch { // members of a balancer are asked for by their own names: once is enough
	case len(f.Shares) > 1:
		text += "; shares " + sharesOf(f.Shares)
	case len(f.Hosts) > 1:
		text += "; Hosts " + sharesOf(f.Hosts)
	}
	if len(f.Log) > 0 {
		var lines []string
		for _, mark := range slices.Sorted(maps.Keys(f.Log)) {
			lines = append(lines, fmt.Sprintf("%s %s", code(mark), humanize.Comma(int64(f.Log[mark]))))
		}
		text += "; lines of its log: " + strings.Join(lines, ", ")
	}
	if len(f.Findings) > 0 {
		text += "; " + strings.Join(f.Findings, ", ")
	}
	return text
}

// failures says how many requests failed, how and for how long.
func (f Figures) failures() string {
	text := fmt.Sprintf("%s of %s requests failed", humanize.Comma(int64(f.Failed)), humanize.Comma(int64(f.Sent)))
	if f.Failed == 0 {
		return text
	}
	text += " (" + f.outcomes() + ")"
	switch {
	case f.Never:
		text += fmt.Sprintf(", to the end of the window of %.1f s", f.Window)
	case f.Recovery > 0:
		text += fmt.Sprintf(", the last sent %.1f s after the loss", f.Recovery)
	}
	return text + fmt.Sprintf(", each after %.1f s (median)", f.FailedAfter)
}

// outcomes gives "803 502, 2 timeout", the most frequent first.
func (f Figures) outcomes() string {
	names := slices.SortedFunc(maps.Keys(f.By), func(a, b string) int { return cmp.Or(f.By[b]-f.By[a], cmp.Compare(a, b)) })
	for i, name := range names {
		names[i] = humanize.Comma(int64(f.By[name])) + " " + name
	}
	return strings.Join(names, ", ")
}

func sharesOf(parts map[string]float64) string {
	var words []string
	for _, name := range slices.Sorted(maps.Keys(parts)) {
		words = append(words, fmt.Sprintf("%s %.0f %%", name, 100*parts[name]))
	}
	return strings.Join(words, ", ")
}

// code is a text in backquotes, in one line.
func code(text string) string { return "`" + strings.ReplaceAll(oneLine(text), "`", "'") + "`" }

// cell is a text in a cell of a table.
func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }
