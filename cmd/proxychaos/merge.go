package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/proxychaos/proxychaos/scenarios"
)

// mergeCommand is `proxychaos report merge DIR...`.
func mergeCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "merge DIR...",
		Short: "Put the shards of a nightly together into the report that one run makes",
		Long: "Each DIR is the --runs of a shard. The whole is red for the same reasons\n" +
			"as a nightly of one run: fewer cells than the floor, a difference from earlier nights.",
		Args: cobra.MinimumNArgs(1),
	}
	set := addFlags(cmd, mergeWords)
	nightlyDefaults(set)
	cmd.RunE = func(cmd *cobra.Command, dirs []string) error {
		asked, err := set.request(nil)
		if err != nil {
			return err
		}
		if err := asked.Options.CanRecord(); err != nil {
			return set.spell(err)
		}
		cells, killed, err := scenarios.Merge(dirs)
		if err == nil && asked.Baseline != nil {
			err = scenarios.OfAWS(cells) // as earlier nights are
		}
		if err != nil {
			return err
		}
		p := player{settings: set}
		if err := p.show(cmd.OutOrStdout(), asked, cells, scenarios.Began(cells)); err != nil {
			return err
		}
		err = p.outcome(cmd.Context(), asked, cells, len(cells))
		if killed == nil {
			return err
		}
		code := exitTrouble
		if said := (*exitError)(nil); errors.As(err, &said) {
			code = said.code
		}
		return &exitError{code, killed.Error()}
	}
	return cmd
}

// mergeWords are those that are about the whole.
var mergeWords = wordsOf("FLOOR", "BASELINE", "RUNS")
