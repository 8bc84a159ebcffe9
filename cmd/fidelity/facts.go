package main

import (
	"encoding/csv"
	"fmt"
	"os"
	"slices"
	"strings"
)

// fact is one row of the list of facts.
type fact struct {
	number string // "2.1.1"; a section's where its facts have none
	// mark is D documented, S read in source code, O observed, O1 observed once,
	// G guessed; or two of them.
	mark string
	text string
	// source is where it is from; empty in the list about AWS, whose sources are by section.
	source string
	// whyNot says what of it is not built or not tested, and why.
	whyNot string
}

// required says that the fact has to be tested or explained.
func (f fact) required() bool { return strings.ContainsAny(f.mark, "DS") }

// columns are those of a list; one with sources has one more.
var (
	columns = []string{"number", "mark", "fact", "why_not"}
	sourced = []string{"number", "mark", "fact", "source", "why_not"}
)

func readFacts(path string) ([]fact, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("the list of facts: %w", err)
	}
	defer file.Close()
	r := csv.NewReader(file)
	r.Comma, r.LazyQuotes = '\t', true // and all rows are as long as the first
	rows, err := r.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	withSources := len(rows) > 0 && slices.Equal(rows[0], sourced)
	if len(rows) == 0 || !withSources && !slices.Equal(rows[0], columns) {
		return nil, fmt.Errorf("%s: want the columns %s in the first line, or %s", path, strings.Join(columns, ", "), strings.Join(sourced, ", "))
	}
	var facts []fact
	seen := map[string]bool{}
	for i, row := range rows[1:] {
		f := fact{number: row[0], mark: row[1], text: row[2], whyNot: row[len(row)-1]}
		if withSources {
			f.source = row[3]
		}
		if f.number == "" || f.mark == "" || f.text == "" || seen[f.number] || withSources && f.source == "" && f.mark != "G" {
			return nil, fmt.Errorf("%s:%d: got %q, want a number of its own, a mark, a fact and, unless it is a guess, a source", path, i+2, row)
		}
		seen[f.number] = true
		facts = append(facts, f)
	}
	return facts, nil
}
