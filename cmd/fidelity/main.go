// Command fidelity makes docs/aws-fidelity.md: for every fact about AWS that
// the fakes are built by, the tests that prove it, or why there is none. It
// reads docs/aws-facts.tsv and, from standard input, what
//
//	go test -json ./fakedns/... ./fakealb/...
//
// printed, in which tests name the facts they prove as attributes "aws-fact".
// make fidelity runs it.
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

const (
	factsFile = "docs/aws-facts.tsv"
	tableFile = "docs/aws-fidelity.md"
)

func main() {
	if err := run(factsFile, os.Stdin, tableFile); err != nil {
		fmt.Fprintln(os.Stderr, "fidelity:", err)
		os.Exit(1)
	}
}

// run writes the table even where it returns an error, so that it shows what
// is missing.
func run(facts string, tests io.Reader, table string) error {
	known, err := readFacts(facts)
	if err != nil {
		return err
	}
	found, err := readTests(tests)
	if err != nil {
		return err
	}
	text := markdown(known, found)
	if err := os.WriteFile(table, []byte(text), 0o644); err != nil {
		return fmt.Errorf("write the table: %w", err)
	}
	return errors.Join(check(known, found)...)
}
