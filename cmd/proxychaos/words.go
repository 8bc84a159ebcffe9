package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// refuseUnknownWords makes each command that only has subcommands refuse a word that is
// none of them, with the one that was probably meant. Cobra prints the help and succeeds.
func refuseUnknownWords(cmd *cobra.Command) {
	for _, c := range cmd.Commands() {
		refuseUnknownWords(c)
	}
	if !cmd.HasSubCommands() || cmd.Runnable() {
		return
	}
	cmd.SuggestionsMinimumDistance = 2
	cmd.Args = cobra.ArbitraryArgs
	cmd.RunE = func(c *cobra.Command, args []string) error {
		if len(args) == 0 {
			return c.Help()
		}
		return unknownWord(c, args[0])
	}
}

func unknownWord(c *cobra.Command, word string) error {
	if meant := c.SuggestionsFor(word); len(meant) > 0 {
		return fmt.Errorf("%s has no command %q: did you mean %q?", c.CommandPath(), word, meant[0])
	}
	var names []string
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() {
			names = append(names, sub.Name())
		}
	}
	return fmt.Errorf("%s has no command %q: there are %s", c.CommandPath(), word, strings.Join(names, ", "))
}
