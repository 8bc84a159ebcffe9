// Command fidelity makes docs/aws-fidelity.md and docs/cloud-fidelity.md: for every fact
// about AWS, or about another cloud, that the fakes are built by, the tests that prove it,
// or why there is none. It reads docs/aws-facts.tsv and docs/cloud-facts.tsv and, from
// standard input, what
//
//	go test -json ./fakedns/... ./fakealb/... ./harness
//
// printed, in which tests name the facts they prove as attributes "aws-fact" and
// "cloud-fact". make fidelity runs it.
//
// It ends with 1 where a documented fact (mark D or S) has neither a test that
// passed nor a reason, where a test names an unknown fact, or where a test failed.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// page is a table of facts, and the list that it is made of.
type page struct {
	list, table string // the files
	attr        string // by which tests name facts
	head        string // of the table
}

// pages are all there are.
var pages = []page{
	{"docs/aws-facts.tsv", "docs/aws-fidelity.md", "aws-fact", awsHead},
	{"docs/cloud-facts.tsv", "docs/cloud-fidelity.md", "cloud-fact", cloudHead},
}

func main() {
	if err := run(pages, os.Stdin); err != nil {
		fmt.Fprintln(os.Stderr, "fidelity:", err)
		os.Exit(1)
	}
}

// run writes the tables even where it returns an error, so that they show what
// is missing.
func run(pages []page, output io.Reader) error {
	found, err := readTests(output)
	if err != nil {
		return err
	}
	var wrong []error
	for _, name := range found.failed {
		wrong = append(wrong, fmt.Errorf("%s failed", name))
	}
	for _, p := range pages {
		known, err := readFacts(p.list)
		if err != nil {
			return err
		}
		text := p.markdown(known, found)
		if err := os.WriteFile(p.table, []byte(text), 0o644); err != nil {
			return fmt.Errorf("write the table: %w", err)
		}
		wrong = append(wrong, p.check(known, found)...)
	}
	return errors.Join(wrong...)
}
