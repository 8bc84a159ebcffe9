package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/proxychaos/proxychaos/goproxy"
	"github.com/proxychaos/proxychaos/goproxy/migrate"
)

// The exit codes of all commands, as those of diff and grep. docs/exit-codes.md shows
// what ends with which.
const (
	exitDone        = 0   // done, and nothing is wrong
	exitWrong       = 1   // what was looked at is not as it should be
	exitTrouble     = 2   // the command was given wrongly or could not be carried out, or proved nothing
	exitNotRun      = 3   // a comparison could not be run: 2 is its word that it cannot tell
	exitInterrupted = 130 // ended by an interrupt, as a shell says it
)

// exitError ends the process with a code of its own.
type exitError struct {
	code int
	text string // empty if everything has been said
}

func (e *exitError) Error() string { return e.text }

// end says on errs why a command failed, and returns its exit code: trouble if the error has
// none of its own.
func end(errs io.Writer, err error, trouble int) int {
	if err == nil {
		return exitDone
	}
	if err.Error() != "" {
		fmt.Fprintln(errs, "proxychaos:", err)
	}
	var exit *exitError
	var config *goproxy.ConfigError
	switch {
	case errors.As(err, &exit):
		return exit.code
	case errors.As(err, &config), errors.Is(err, migrate.ErrNotWhole):
		return exitWrong
	default:
		return trouble
	}
}
