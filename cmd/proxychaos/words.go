package main

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// refuseWrongWords makes each command say in one line what is wrong with the words that
// it was given. Of an unknown command or topic of help cobra prints the help, and
// succeeds; of a wrong number of arguments it does not say which it wants.
func refuseWrongWords(cmd *cobra.Command) {
	for _, c := range cmd.Commands() {
		refuseWrongWords(c)
	}
	cmd.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return fmt.Errorf("%w; %s --help shows the flags", err, c.CommandPath())
	})
	switch {
	case cmd.Name() == "help":
		cmd.Run, cmd.RunE = nil, helpOn
	case cmd.HasSubCommands() && !cmd.Runnable():
		cmd.SuggestionsMinimumDistance = 2
		cmd.Args = cobra.ArbitraryArgs
		cmd.RunE = func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return c.Help()
			}
			return unknownWord(c, args[0])
		}
	case cmd.Args != nil:
		sayWhatIsWanted(cmd)
	}
}

// sayWhatIsWanted gives the line of usage with an error about the arguments.
func sayWhatIsWanted(cmd *cobra.Command) {
	check := cmd.Args
	cmd.Args = func(c *cobra.Command, args []string) error {
		if check(c, args) == nil {
			return nil
		}
		got := "nothing"
		if len(args) > 0 {
			got = strings.Join(args, " ")
		}
		return fmt.Errorf("got %s, want: %s", got, c.UseLine())
	}
}

// helpOn is `proxychaos help COMMAND`.
func helpOn(c *cobra.Command, words []string) error {
	topic, rest, err := c.Root().Find(words)
	if err != nil {
		return err
	}
	if len(rest) > 0 {
		return unknownWord(topic, rest[0])
	}
	return topic.Help()
}

// unknownWord names the command that was probably meant, or else those that there are.
func unknownWord(c *cobra.Command, word string) error {
	_, group, _ := strings.Cut(c.CommandPath()+" ", " ") // below proxychaos
	if meant := c.SuggestionsFor(word); len(meant) > 0 {
		return fmt.Errorf("no command %q: did you mean %q?", group+word, group+meant[0])
	}
	var names []string
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() {
			names = append(names, sub.Name())
		}
	}
	if len(names) == 0 {
		return fmt.Errorf("no command %q: %s has none below it", group+word, strings.TrimSpace(group))
	}
	return fmt.Errorf("no command %q: there are %s", group+word, strings.Join(names, ", "))
}

// checkHelp makes help an output that can fail, as on a full disk. Cobra's own does not
// look. The function that it returns says after the command what failed.
func checkHelp(root *cobra.Command) func() error {
	show := root.HelpFunc()
	var failed error
	root.SetHelpFunc(func(c *cobra.Command, args []string) {
		var page bytes.Buffer
		out := c.OutOrStdout()
		c.SetOut(&page)
		show(c, args)
		c.SetOut(out)
		_, failed = out.Write(page.Bytes())
	})
	return func() error { return failed }
}
