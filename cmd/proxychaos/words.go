package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/proxychaos/proxychaos/harness/meant"
)

// refuseWrongWords makes each command say in one line what is wrong with the words that
// it was given. Of an unknown command or topic of help cobra prints the help, and
// succeeds; of a wrong number of arguments it does not say which it wants.
func refuseWrongWords(cmd *cobra.Command) {
	for _, c := range cmd.Commands() {
		refuseWrongWords(c)
	}
	cmd.SetFlagErrorFunc(unknownFlag)
	switch {
	case cmd.Name() == "help":
		cmd.Run, cmd.RunE = nil, helpOn
	case cmd.HasSubCommands() && !cmd.Runnable():
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
	if cmd.HasSubCommands() && cmd.Args != nil {
		refuseMistyped(cmd)
	}
}

// refuseMistyped is for a command that takes files and has commands below it, such as
// report: a file that is not there may be a command.
func refuseMistyped(cmd *cobra.Command) {
	check := cmd.Args
	cmd.Args = func(c *cobra.Command, args []string) error {
		if len(args) > 0 && len(meant.Near(args[0], below(c))) > 0 {
			if _, err := os.Lstat(args[0]); errors.Is(err, fs.ErrNotExist) {
				return unknownWord(c, args[0])
			}
		}
		return check(c, args)
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
		return fmt.Errorf("got %s, want: %s; %s --help says more", got, c.UseLine(), c.CommandPath())
	}
}

// unknownFlag names the flag that was probably meant.
func unknownFlag(c *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	if !errors.As(err, &unknown) {
		return fmt.Errorf("%w; %s --help shows the flags", err, c.CommandPath())
	}
	typed, said := unknown.GetSpecifiedName(), "--"+unknown.GetSpecifiedName()
	if short := unknown.GetSpecifiedShortnames(); short != "" { // -proxy is p, r, o, x and y to pflag
		typed, said = short, "-"+short
	}
	var names []string
	c.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			names = append(names, "--"+f.Name)
		}
	})
	near := meant.Near("--"+typed, names)
	if len(near) == 0 {
		return fmt.Errorf("there is no flag %s; %s --help shows the flags", said, c.CommandPath())
	}
	return fmt.Errorf("there is no flag %s%s", said, meant.Ask(near))
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
	names := below(c)
	if len(names) == 0 {
		return fmt.Errorf("there is no command %q: %s has none below it", group+word, strings.TrimSpace(group))
	}
	near := meant.Near(word, names)
	if len(near) == 0 {
		return fmt.Errorf("there is no command %q%s", group+word, meant.Hint(word, names))
	}
	for i := range near {
		near[i] = group + near[i]
	}
	return fmt.Errorf("there is no command %q%s", group+word, meant.Ask(near))
}

// below are the names of the commands below a command.
func below(c *cobra.Command) []string {
	var names []string
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() {
			names = append(names, sub.Name())
		}
	}
	return names
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
