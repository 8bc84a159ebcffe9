// Command errorrate measures how often a comparison errs, and writes it into
// docs/comparing.md: it draws comparisons of a configuration with itself, and with
// itself made worse, from a bank of stored runs. make errorrate runs it.
//
//	errorrate                 the tables, from the bank
//	errorrate add DIR...      puts the recordings below the folders into the bank
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
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "errorrate:", err)
		os.Exit(1)
	}
}

func run(words []string) error {
	bank, err := readBank(bankFile)
	if err != nil {
		return err
	}
	if len(words) == 0 {
		return writeTables(page, bank)
	}
	if words[0] != "add" || len(words) == 1 {
		return errors.New("want errorrate, or errorrate add with folders of recordings")
	}
	for _, dir := range words[1:] {
		if err := bank.add(dir); err != nil {
			return err
		}
	}
	return bank.write(bankFile)
}
