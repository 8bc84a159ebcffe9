package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
	"github.com/proxychaos/proxychaos/reports"
	"github.com/proxychaos/proxychaos/scenarios"
)

// recheckCommand is `proxychaos recheck DIR...`.
func recheckCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "recheck DIR...",
		Short: "Judge stored runs again, and say where the verdict differs from the stored one (exit 1)",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, dirs []string) error {
			cells, differ, err := judgeAgain(dirs)
			if err != nil {
				return err
			}
			if err := reports.Table(cmd.OutOrStdout(), cells); err != nil {
				return err
			}
			if len(differ) > 0 {
				return &exitError{exitWrong, fmt.Sprintf("judged otherwise than when they were made: %v", differ)}
			}
			return nil
		},
	}
}

// judgeAgain opens recordings and judges them with today's rules.
func judgeAgain(dirs []string) (cells []reports.Cell, differ []string, err error) {
	for _, dir := range dirs {
		rec, err := recording.Open(dir)
		if err != nil {
			return nil, nil, err
		}
		v := judge.Judge(rec)
		var stored judge.Verdict
		switch err := recording.ReadVerdict(dir, &stored); {
		case errors.Is(err, os.ErrNotExist):
		case err != nil:
			return nil, nil, err
		case stored.Result != v.Result || stored.Failed != v.Failed:
			differ = append(differ, dir)
		}
		cells = append(cells, reports.Cell{Manifest: rec.Manifest, Verdict: v, Dir: dir, Expect: scenarios.Expectation(rec.Manifest)})
	}
	return cells, differ, nil
}

// reportCommand is `proxychaos report DIR... -o FILE`.
func reportCommand() *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:   "report DIR...",
		Short: "Write the HTML page of stored runs",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, dirs []string) (err error) {
			cells, _, err := judgeAgain(dirs)
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
	cmd.Flags().StringVarP(&out, "output", "o", "report.html", "the file to write")
	return cmd
}
