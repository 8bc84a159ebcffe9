package main

import (
	"fmt"
	"io"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/proxychaos/proxychaos/reports"
	"github.com/proxychaos/proxychaos/scenarios"
	"github.com/proxychaos/proxychaos/scenarios/proxies"
)

// The page of which config to use, and the runs that it is made of.
const (
	proxiesPage  = "proxies.md"
	proxiesFacts = "proxies.json"
)

// proxiesCommand is `proxychaos proxies [DIR...]`, behind `make proxies`.
func proxiesCommand() *cobra.Command {
	var docs string
	cmd := &cobra.Command{
		Use:   "proxies [DIR...]",
		Short: "Make the page of which config to use for which proxy, from stored nights",
		Long: "Each DIR is a folder of recordings with the reports of a nightly, or one of the folders of reports in it. What it has\n" +
			"takes the place of what proxies.json in the folder --docs had of the same cells. Without a DIR the page is made again of\n" +
			"what is stored.",
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, dirs []string) error {
			facts, err := proxies.Read(filepath.Join(docs, proxiesFacts))
			if err != nil {
				return err
			}
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
			slices.SortStableFunc(nights, func(x, y []reports.Cell) int { return scenarios.Began(x).Compare(scenarios.Began(y)) })
			for _, cells := range nights {
				facts = facts.With(cells)
			}
			if len(facts.Runs) == 0 {
				return fmt.Errorf("%s has no runs: name the folder of a nightly", filepath.Join(docs, proxiesFacts))
			}
			if err := facts.Write(filepath.Join(docs, proxiesFacts)); err != nil {
				return err
			}
			page := filepath.Join(docs, proxiesPage)
			if err := scenarios.Into(func(w io.Writer) error { return proxies.Page(w, facts) })(page); err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "wrote %s: %d runs of %d nights\n", page, len(facts.Runs), len(facts.Nights))
			return err
		},
	}
	cmd.Flags().StringVar(&docs, "docs", "docs", "the `FOLDER` of proxies.json and proxies.md")
	return cmd
}
