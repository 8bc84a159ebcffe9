package main

import (
	"encoding/csv"
	"fmt"
	"os"
	"strings"
)

// fact is one row of the list of facts.
type fact struct {
	number string // "2.1.1"; a section's where its facts have none
	// mark is D documented, S read in source code, O observed, O1 observed once,
	// G guessed; or two of them.
	mark string
	text string
	// whyNot says what of it is not built or not tested, and why.
	whyNot string
}

// required says that the fact has to be tested or explained.
func (f fact) required() bool { return strings.ContainsAny(f.mark, "DS") }

var columns = []string{"number", "mark", "fact", "why_not"}

func readFacts(path string) ([]fact, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("the list of facts: %w", err)
	}
	defer file.Close()
	r := csv.NewReader(file)
	r.Comma, r.LazyQuotes, r.FieldsPerRecord = '\t', true, len(columns)
	rows, err := r.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(rows) == 0 || strings.Join(rows[0], " ") != strings.Join(columns, " ") {
		return nil, fmt.Errorf("%s: want the columns %s in the first line", path, strings.Join(columns, ", "))
	}
	var facts []fact
	seen := map[string]bool{}
	for i, row := range rows[1:] {
		f := fact{row[0], row[1], row[2], row[3]}
		if f.number == "" || f.mark == "" || f.text == "" || seen[f.number] {
			return nil, fmt.Errorf("%s:%d: got %q, want a number of its own, a mark and a fact", path, i+2, row)
		}
		seen[f.number] = true
		facts = append(facts, f)
	}
	return facts, nil
}
