package main

import (
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"github.com/proxychaos/proxychaos/reports"
	"github.com/proxychaos/proxychaos/reports/baseline"
	"github.com/proxychaos/proxychaos/scenarios"
)

// baselineCommand is `proxychaos baseline DIR... -o FILE`, behind `make baseline`.
func baselineCommand() *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:   "baseline DIR...",
		Short: "Make the file that later nights are compared with, from stored nights, and show what is different from before",
		Long: "Each DIR is a folder of recordings with the reports of a nightly, or one of the folders of reports in it.\n" +
			"The bands of the figures need at least three nights, or three seeds.",
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, dirs []string) error {
			var nights [][]reports.Cell
			for _, dir := range dirs {
				cells, err := scenarios.Stored(dir)
				if err != nil {
					return err
				}
				if err := scenarios.OfAWS(cells); err != nil {
					return fmt.Errorf("%s: %w", dir, err)
				}
				nights = append(nights, cells)
			}
			made, err := makeBaseline(nights)
			if err != nil {
				return err
			}
			before, err := baseline.Read(out)
			if err != nil && !errors.Is(err, os.ErrNotExist) {
				return err
			}
			for _, line := range made.Since(before) {
				if _, err := fmt.Fprintln(cmd.OutOrStdout(), line); err != nil {
					return err
				}
			}
			if err := made.Write(out); err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "wrote %s: %d cells of %d nights\n", out, len(made.Cells), len(made.Nights))
			return err
		},
	}
	cmd.Flags().StringVarP(&out, "output", "o", "reports/baseline.json", "the file to write")
	return cmd
}

// makeBaseline makes a baseline of nights in whatever order.
func makeBaseline(nights [][]reports.Cell) (baseline.Baseline, error) {
	slices.SortStableFunc(nights, func(x, y []reports.Cell) int { return scenarios.Began(x).Compare(scenarios.Began(y)) })
	var ran [][]baseline.Ran
	for _, cells := range nights {
		ran = append(ran, reports.Ran(cells))
	}
	return baseline.Make(ran...)
}
