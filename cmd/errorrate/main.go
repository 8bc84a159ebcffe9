// Command errorrate measures how often a comparison errs, and writes it into
// docs/comparing.md: it draws comparisons of a configuration with itself, and with
// itself made worse, from a bank of stored runs, and it runs pairs of configurations of
// which the right answer is known. make errorrate and make pairs run it.
//
//	errorrate                 the tables, from the bank
//	errorrate bank NUMBER     first runs what the bank lacks of so many runs of each cell
//	errorrate pairs [NAME]    runs the pairs that have no answer yet, or one pair again
package main

import (
	"errors"
	"fmt"
	"os"
)

const (
	bankFile = "cmd/errorrate/bank.jsonl.gz"
	page     = "docs/comparing.md"
)

func main() {
	if err := do(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "errorrate:", err)
		os.Exit(1)
	}
}

func do(words []string) error {
	if len(words) > 0 && words[0] == "pairs" {
		return runPairs(words[1:])
	}
	bank, err := readBank(bankFile)
	if err != nil {
		return err
	}
	switch {
	case len(words) == 2 && words[0] == "bank":
		if err := bank.record(bankFile, words[1]); err != nil {
			return err
		}
	case len(words) > 0:
		return errors.New("want errorrate, errorrate bank with a number of runs, or errorrate pairs")
	}
	return writeTables(page, bank.tables(), "errorrate")
}
