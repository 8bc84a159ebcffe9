package main

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/proxychaos/proxychaos/reports/compare"
)

// How many comparisons are drawn.
const (
	withItself = 200
	planted    = 100
)

// plants are what is added to B's runs.
var plants = []struct {
	title string
	to    func(*compare.Run)
	// cannot says why it cannot be added to runs; empty if it can.
	cannot func([][]compare.Run) string
}{
	{"5 failed requests more", func(r *compare.Run) { r.Failed += 5 }, func([][]compare.Run) string { return "" }},
	{"recovery 0.3 s later", func(r *compare.Run) { r.Recovery += 0.3 }, func(groups [][]compare.Run) string {
		for _, r := range slices.Concat(groups...) {
			if r.Never {
				return "does not always recover"
			}
		}
		return ""
	}},
}

// writeTables puts tables into the page, between the marks of the target of make that makes them.
func writeTables(path, tables, target string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	from, to := "<!-- from here on by make "+target+" -->", "<!-- until here by make "+target+" -->"
	before, rest, found := strings.Cut(string(text), from)
	_, after, end := strings.Cut(rest, to)
	if !found || !end {
		return fmt.Errorf("%s: want the lines %q and %q", path, from, to)
	}
	return os.WriteFile(path, []byte(before+from+"\n\n"+tables+"\n"+to+after), 0o644)
}

func (b *bank) tables() string {
	var t strings.Builder
	fmt.Fprintf(&t, "The bank has %d runs (`%s`). A block is three of them of one seed if there are three, which is how `compare` pairs runs; else three of any seeds, which differ more.\n\n", len(b.runs), bankFile)
	fmt.Fprintf(&t, "### Against itself\n\n%d comparisons of each config with itself, over all of its scenarios; at most %d blocks of each.\n\n", withItself, mostBlocks)
	fmt.Fprintln(&t, "| config | version | scenarios | runs | better or worse | no difference | not told | blocks, mean |\n|---|---|--:|--:|--:|--:|--:|--:|")
	for _, subject := range b.subjects() {
		names := b.scenarios(subject)
		if len(names) == 0 {
			continue
		}
		d := b.draw(withItself, subject, names, func(*compare.Run) {})
		runs, version := b.count(subject)
		fmt.Fprintf(&t, "| %s | %s | %d | %d | %d | %d | %d | %.1f |\n", subject, version, len(names), runs,
			d.words[compare.Better]+d.words[compare.Worse], d.words[compare.NoDifference], d.words[compare.CannotTell]+d.words[compare.NotWorse],
			float64(d.blocks)/withItself)
	}
	for _, plant := range plants {
		fmt.Fprintf(&t, "\n### %s\n\nAll of B's runs are made worse by so much. %d comparisons over all scenarios, as `compare` makes them, and as many in each scenario alone: in how many of them B is worse, and after how many blocks, on average.\n\n", plant.title, planted)
		b.plantedTable(&t, plant.to, plant.cannot)
	}
	return t.String()
}

// plantedTable has a row for each subject.
func (b *bank) plantedTable(t *strings.Builder, plant func(*compare.Run), cannot func([][]compare.Run) string) {
	all := distinct(b.runs, func(r stored) string { return r.Scenario })
	fmt.Fprintf(t, "| config | all | %s |\n|---|---|%s\n", strings.Join(all, " | "), strings.Repeat("---|", len(all)))
	for _, subject := range b.subjects() {
		names := b.scenarios(subject)
		if len(names) == 0 {
			continue
		}
		whole := b.draw(planted, subject, names, plant)
		fmt.Fprintf(t, "| %s | %d in %.1f |", subject, whole.words[compare.Worse], float64(whole.blocks)/planted)
		for _, scenario := range all {
			if !slices.Contains(names, scenario) {
				fmt.Fprint(t, " |")
				continue
			}
			groups, paired := b.of(subject, scenario)
			if why := cannot(groups); why != "" {
				fmt.Fprintf(t, " %s |", why)
				continue
			}
			d := b.draw(planted, subject, []string{scenario}, plant)
			pairing := ""
			if !paired {
				pairing = ", not paired"
			}
			fmt.Fprintf(t, " %d in %.1f%s |", d.words[compare.Worse], float64(d.blocks)/planted, pairing)
		}
		fmt.Fprintln(t)
	}
}

// count is how many runs of a subject there are, and of which versions.
func (b *bank) count(subject string) (int, string) {
	var of []stored
	for _, run := range b.runs {
		if run.Subject == subject {
			of = append(of, run)
		}
	}
	return len(of), strings.Join(distinct(of, func(r stored) string { return r.Version }), ", ")
}
