package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/proxychaos/proxychaos/scenarios"
)

// parallelCommand is `proxychaos parallel`: make asks it for the number of Ginkgo's
// processes, each of which runs one cell at a time.
func parallelCommand() *cobra.Command {
	return &cobra.Command{
		Use: "parallel", Short: "Print how many cells run at a time", Args: cobra.NoArgs, Hidden: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			asked, err := scenarios.FromEnvironment(scenarios.Environment)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), asked.Options.Parallel)
			return err
		},
	}
}
