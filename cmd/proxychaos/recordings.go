package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
	"github.com/proxychaos/proxychaos/reports"
	"github.com/proxychaos/proxychaos/scenarios"
)

// recheckCommand is `proxychaos recheck DIR...`.
func recheckCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "recheck DIR...",
		Short:   "Judge stored runs again; exit 1 if a verdict differs from the stored one",
		Example: "  proxychaos recheck runs/*/*/*/latest",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, dirs []string) error {
			cells, differ, err := judgeAgain(dirs, noDrawing)
			if err != nil {
				return err
			}
			if err := reports.Table(cmd.OutOrStdout(), cells); err != nil {
				return err
			}
			if len(differ) > 0 {
				return &exitError{exitWrong, "the verdict differs from the stored one: " + strings.Join(differ, ", ")}
			}
			return nil
		},
	}
}

// noDrawing is for cells of which no page is made.
func noDrawing(*recording.Recording, []judge.Finding) (*reports.Drawing, error) { return nil, nil }

// judgeAgain opens recordings, one after the other, and judges them with today's rules.
func judgeAgain(dirs []string, draw func(*recording.Recording, []judge.Finding) (*reports.Drawing, error)) (cells []reports.Cell, differ []string, err error) {
	for _, dir := range dirs {
		rec, err := recording.Open(dir)
		if err != nil {
			return nil, nil, err
		}
		var v judge.Verdict
		v, rec.Requests = judge.WithOutcomes(rec)
		var stored judge.Verdict
		switch err := recording.ReadVerdict(dir, &stored); {
		case errors.Is(err, os.ErrNotExist):
		case err != nil:
			return nil, nil, err
		case stored.Result != v.Result || stored.Failed != v.Failed:
			differ = append(differ, dir)
		}
		drawing, err := draw(rec, v.Findings)
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", dir, err)
		}
		cells = append(cells, reports.Cell{Manifest: rec.Manifest, Verdict: v, Dir: dir, Expect: scenarios.Expectation(rec.Manifest), Drawing: drawing})
	}
	return cells, differ, nil
}

// reportCommand is `proxychaos report DIR... -o FILE`.
func reportCommand() *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:     "report DIR...",
		Short:   "Write the page of stored runs",
		Example: "  proxychaos report runs/alb-ip-rotate/*/*/latest -o page.html",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, dirs []string) (err error) {
			cells, _, err := judgeAgain(dirs, reports.Draw)
			if err != nil {
				return err
			}
			file, err := os.Create(out)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, file.Close()) }()
			return reports.HTML(file, reports.Page{Cells: cells})
		},
	}
	cmd.Flags().StringVarP(&out, "output", "o", "report.html", "the `FILE` to write")
	cmd.AddCommand(mergeCommand(), storedAtlasCommand())
	return cmd
}
