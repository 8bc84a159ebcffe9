package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/proxychaos/proxychaos/harness/machine"
	"github.com/proxychaos/proxychaos/harness/run"
	"github.com/proxychaos/proxychaos/reports"
	"github.com/proxychaos/proxychaos/scenarios"
	"github.com/proxychaos/proxychaos/scenarios/rollout"
)

// compareCommand is `proxychaos compare`, behind `make compare`.
func compareCommand() *cobra.Command {
	var a, b string
	cmd := &cobra.Command{
		Use:   "compare --a FILE --b FILE",
		Short: "Whether to roll out config B instead of A; exit 0 not worse, 1 worse, 2 cannot tell, 3 could not run",
		Long: "Runs config A, B, and A again over every scenario that suits both, until it can tell whether B is worse.\n" +
			"What is run is in variables: PROXY, RELEASE (or PROXY_A and PROXY_B, RELEASE_A and RELEASE_B), NAME, SEED, TTL, GRACE, RATE.\n" +
			"FOR bounds the time (20m). MIN_FAILED, MIN_RECOVERY and MIN_P99 are the sizes that count (5, 0.3s, 20%).",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM)
			defer stop()
			err := compareBoth(ctx, cmd, a, b)
			var said *exitError
			if err != nil && !errors.As(err, &said) {
				return &exitError{exitNotRun, err.Error()}
			}
			return err
		},
	}
	cmd.Flags().StringVar(&a, "a", "", "the config in production, a file or a folder")
	cmd.Flags().StringVar(&b, "b", "", "the config to roll out; the same as --a if only the release is another")
	return cmd
}

func compareBoth(ctx context.Context, cmd *cobra.Command, a, b string) (err error) {
	if b == "" && isSet("RELEASE_A", "RELEASE_B", "PROXY_A", "PROXY_B") {
		b = a
	}
	asked, err := bothSides(a, b)
	if err != nil {
		return err
	}
	question, err := rollout.Asked(asked[0], asked[1], withoutMake)
	if err != nil {
		return err
	}
	opt := asked[0].Options
	if err := opt.CanRecord(); err != nil {
		return err
	}
	journal, err := rollout.OpenFile(opt.Runs, question.Words(opt, machine.Tool(ctx).Commit)...)
	if err != nil {
		return err
	}
	logf := func(format string, args ...any) { fmt.Fprintf(opt.Log, format+"\n", args...) }
	if n := len(journal.Blocks()); n > 0 {
		logf("goes on after %d blocks that were run before; remove %s to begin anew", n, journal.Path())
	}
	if !question.Decide(journal).Settled() {
		if err := answer(ctx, opt, question, journal, logf); err != nil && ctx.Err() == nil {
			return err
		}
	}
	return report(ctx, cmd, opt, question, journal, a, b)
}

// isSet says whether any of the variables is.
func isSet(names ...string) bool {
	return slices.ContainsFunc(names, func(name string) bool { return os.Getenv(name) != "" })
}

// bothSides reads the variables for A and for B.
func bothSides(a, b string) (asked [2]scenarios.Request, err error) {
	if a == "" || b == "" {
		return asked, errors.New("compare needs two configs: make compare A=./now.conf B=./next.conf PROXY=nginx; or one and two releases: A=./now.conf RELEASE_A=stable RELEASE_B=testing PROXY=nginx")
	}
	for i, side := range []struct{ name, path string }{{"A", a}, {"B", b}} {
		asked[i], err = scenarios.FromEnvironment(func(name string) (string, bool) {
			switch name {
			case "CONFIG":
				return side.path, true
			case "PROXY", "RELEASE", "ENV":
				if value, ok := withoutMake(name + "_" + side.name); ok {
					return value, true
				}
			}
			return withoutMake(name)
		})
		if err != nil {
			return asked, errors.New(strings.Replace(err.Error(), "CONFIG="+side.path, side.name+"="+side.path, 1))
		}
		subject := &asked[i].Subjects[0]
		subject.Name = strings.Replace(subject.Name, "own", strings.ToLower(side.name), 1)
	}
	return asked, nil
}

// answer runs what is still needed.
func answer(ctx context.Context, opt run.Options, question rollout.Question, journal rollout.Journal, logf func(string, ...any)) (err error) {
	lab, err := run.Open(ctx, opt)
	defer func() { err = errors.Join(err, lab.Close()) }()
	if err != nil {
		return err
	}
	lab.Fetch(ctx, question.Cells())
	return rollout.Answer(ctx, lab, question, journal, logf)
}

// report writes what the journal has, also of a comparison that was interrupted.
func report(ctx context.Context, cmd *cobra.Command, opt run.Options, question rollout.Question, journal *rollout.File, a, b string) error {
	last, err := rollout.Last(journal)
	if err != nil {
		return err
	}
	comparison := reports.NewComparison(question.Title(0, a), question.Title(1, b), question.Decide(journal), last)
	comparison.PerBlock = rollout.Took(journal) / time.Duration(rollout.AtATime(opt.Parallel))
	comparison.Changes = rollout.Changes(context.WithoutCancel(ctx), a, b)
	page, err := scenarios.Write(opt.Runs, "compare.html", func(w io.Writer) error {
		return reports.HTML(w, reports.Page{Comparison: &comparison})
	})
	if err := errors.Join(comparison.Table(cmd.OutOrStdout()), err); err != nil {
		return err
	}
	if _, err := fmt.Fprintln(cmd.OutOrStdout(), "wrote", page); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return &exitError{exitInterrupted, fmt.Sprintf("interrupted after %d blocks; the same command goes on from there", len(journal.Blocks()))}
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
