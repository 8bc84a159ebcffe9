package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/proxychaos/proxychaos/harness/run"
	"github.com/proxychaos/proxychaos/reports"
	"github.com/proxychaos/proxychaos/scenarios"
)

// compareCommand is `proxychaos compare`, behind `make compare`.
func compareCommand() *cobra.Command {
	var a, b string
	cmd := &cobra.Command{
		Use:   "compare --a FILE --b FILE",
		Short: "Run two configs over every scenario and set them side by side; exit 1 if B is worse, 2 if nothing was proved",
		Long: "Runs two configs over every scenario that suits both, and sets them side by side.\n" +
			"The kind of proxy and the numbers of the run come from the variables of make: PROXY, RELEASE, TTL, GRACE, RATE, SEED.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if a == "" || b == "" {
				return errors.New("compare needs two configs: make compare A=./now.conf B=./next.conf PROXY=nginx")
			}
			ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM)
			defer stop()
			return compare(ctx, cmd, a, b)
		},
	}
	cmd.Flags().StringVar(&a, "a", "", "the config in production, a file or a folder")
	cmd.Flags().StringVar(&b, "b", "", "the config to roll out")
	return cmd
}

func compare(ctx context.Context, cmd *cobra.Command, a, b string) (err error) {
	var asked [2]scenarios.Request
	for i, path := range []string{a, b} {
		r, err := scenarios.FromEnvironment(func(name string) (string, bool) {
			if name == "CONFIG" {
				return path, true
			}
			return withoutMake(name)
		})
		if err != nil {
			return errors.New(strings.Replace(err.Error(), "CONFIG="+path, []string{"A=", "B="}[i]+path, 1))
		}
		r.Subjects[0].Name = strings.Replace(r.Subjects[0].Name, "own", []string{"a", "b"}[i], 1)
		asked[i] = r
	}
	opt, cells := asked[0].Options, pairs(asked)
	lab, err := run.Open(ctx, opt)
	defer func() { err = errors.Join(err, lab.Close()) }()
	if err != nil {
		return err
	}
	results := lab.Run(ctx, cells)
	if ctx.Err() != nil {
		return &exitError{exitInterrupted, "interrupted: nothing is compared; what was recorded until then is in " + opt.Runs}
	}
	shown := scenarios.Cells(results)
	comparison := reports.Compare(shown[:len(shown)/2], shown[len(shown)/2:])
	comparison.A, comparison.B = a, b
	page, err := scenarios.Write(opt.Runs, "compare.html", func(w io.Writer) error {
		return reports.HTML(w, reports.Page{Comparison: &comparison})
	})
	if err := errors.Join(comparison.Table(cmd.OutOrStdout()), err); err != nil {
		return err
	}
	if _, err := fmt.Fprintln(cmd.OutOrStdout(), "wrote", page); err != nil {
		return err
	}
	if code := comparison.ExitCode(); code != 0 {
		return &exitError{code, ""}
	}
	return nil
}

// withoutMake looks a variable up as make would set it if it is not there:
// the command can be run by itself, in any folder.
func withoutMake(name string) (string, bool) {
	if value, ok := os.LookupEnv(name); ok && value != "" {
		return value, true
	}
	switch name {
	case "RUNS":
		return "runs", true
	case "KIT":
		own, err := os.Executable()
		return own, err == nil
	default:
		return "", false
	}
}

// pairs are the cells of both configs, first all of A's, over each scenario
// that suits both.
func pairs(asked [2]scenarios.Request) []run.Cell {
	var of [2][]run.Cell
	for _, s := range asked[0].Scenarios {
		a, b := asked[0].Cells(s), asked[1].Cells(s)
		if len(a) > 0 && len(b) > 0 {
			of[0], of[1] = append(of[0], a...), append(of[1], b...)
		}
	}
	return append(of[0], of[1]...)
}
