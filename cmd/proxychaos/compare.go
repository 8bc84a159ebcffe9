package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/dustin/go-humanize/english"
	"github.com/spf13/cobra"

	"github.com/proxychaos/proxychaos/harness/machine"
	"github.com/proxychaos/proxychaos/harness/run"
	"github.com/proxychaos/proxychaos/reports"
	"github.com/proxychaos/proxychaos/scenarios"
	"github.com/proxychaos/proxychaos/scenarios/rollout"
)

// compareName is the command whose exit code 2 is a word.
const compareName = "compare"

// compareCommand is `proxychaos compare`, behind `make compare`.
func compareCommand() *cobra.Command {
	var a, b string
	var set *settings
	cmd := &cobra.Command{
		Use:   compareName + " --a FILE --b FILE",
		Short: "Say whether to roll out config B instead of A",
		Long: "Runs config A, B, and A again in every scenario that suits both, until it can tell whether B is worse.\n" +
			"Exits 0 if B is not worse, 1 if it is, 2 if it cannot tell, 3 if it could not be run.",
		Example: "  proxychaos compare --a ./now.conf --b ./next.conf --proxy nginx\n" +
			"  proxychaos compare --a ./now.conf --release-a stable --release-b testing --proxy nginx",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM)
			defer stop()
			return compareBoth(ctx, cmd, set, a, b)
		},
	}
	cmd.Flags().StringVar(&a, "a", "", "the config in production: `PATH` of a file or a folder")
	cmd.Flags().StringVar(&b, "b", "", "the config to roll out: `PATH` of a file or a folder; default: that of --a, to compare releases or kinds of proxy")
	set = addSettings(cmd, compareWords, "CONFIG", "SUBJECT", "FLOOR", "BASELINE", "SHARD", "MAX_FAILED", "RECOVER_WITHIN")
	return cmd
}

// compareWords are the words of a comparison alone.
var compareWords = []scenarios.Word{
	{Name: "NAME", Value: "SCENARIO", Usage: "run one scenario alone"},
	{Name: "FOR", Value: "TIME", Usage: "how long it may take", Default: "20m"},
	{Name: "PROXY_A", Value: "KIND", Usage: "the kind of proxy of A, if B has another"},
	{Name: "PROXY_B", Value: "KIND", Usage: "the kind of proxy of B"},
	{Name: "RELEASE_A", Value: "RELEASE", Usage: "the release of A, if B has another"},
	{Name: "RELEASE_B", Value: "RELEASE", Usage: "the release of B"},
	{Name: "ENV_A", Value: "FILE", Usage: "the variables of A, or a file of them, if B has others"},
	{Name: "ENV_B", Value: "FILE", Usage: "the variables of B, or a file of them"},
	{Name: "WHY", Value: "1", Usage: "undo the changes between A and B one at a time, and say which of them matter"},
	{Name: "MIN_FAILED", Value: "NUMBER", Usage: "how many failed requests make a difference that counts", Default: "5"},
	{Name: "MIN_RECOVERY", Value: "TIME", Usage: "how much longer a recovery makes a difference that counts", Default: "0.3s"},
	{Name: "MIN_P99", Value: "SHARE", Usage: "how much more latency (99th percentile) makes a difference that counts", Default: "20%"},
}

func compareBoth(ctx context.Context, cmd *cobra.Command, set *settings, a, b string) (err error) {
	if b == "" && slices.ContainsFunc([]string{"RELEASE_A", "RELEASE_B", "PROXY_A", "PROXY_B"}, set.has) {
		b = a
	}
	asked, err := bothSides(set, a, b)
	if err != nil {
		return err
	}
	changed, err := whyAsked(set, a, b)
	if err != nil {
		return set.spell(err)
	}
	question, err := rollout.Asked(asked[0], asked[1], set.lookup)
	if err != nil {
		return set.spell(err)
	}
	opt := asked[0].Options
	opt.Settings.Watch = question.Watch()
	if err := opt.CanRecord(); err != nil {
		return set.spell(err)
	}
	journal, err := rollout.OpenFile(opt.Runs, question.Words(opt, machine.Tool(ctx).Commit)...)
	if err != nil {
		return err
	}
	logf := func(format string, args ...any) { fmt.Fprintf(opt.Log, format+"\n", args...) }
	if n := len(journal.Blocks()); n > 0 {
		logf("goes on after %s of an earlier call; remove %s to start over", english.Plural(n, "block", ""), journal.Path())
	}
	if !question.Decide(journal).Settled() {
		if err := answer(ctx, set, opt, question, journal, logf); err != nil && ctx.Err() == nil {
			return err
		}
	}
	e := explainer{set: set, opt: opt, question: question, changed: changed, logf: logf}
	if err := e.explain(ctx, question.Decide(journal)); err != nil && ctx.Err() == nil {
		return err
	}
	return report(ctx, cmd, opt, question, journal, a, b, e)
}

// bothSides reads what is asked of A and of B.
func bothSides(set *settings, a, b string) (asked [2]scenarios.Request, err error) {
	switch {
	case a != "" && b != "":
	case set.make:
		return asked, errors.New("compare needs two configs: make compare A=./now.conf B=./next.conf PROXY=nginx; or one and two releases: A=./now.conf RELEASE_A=stable RELEASE_B=testing PROXY=nginx")
	default:
		return asked, errors.New("compare needs two configs: proxychaos compare --a ./now.conf --b ./next.conf --proxy nginx; or one and two releases: --a ./now.conf --release-a stable --release-b testing --proxy nginx")
	}
	for i, side := range []struct{ name, path string }{{"A", a}, {"B", b}} {
		settled := map[string]string{"CONFIG": side.path}
		for _, word := range []string{"PROXY", "RELEASE", "ENV"} {
			if value, ok := set.lookup(word + "_" + side.name); ok {
				settled[word] = value
			}
		}
		if asked[i], err = set.request(settled); err != nil {
			return asked, set.called(err, side.name, settled)
		}
		subject := &asked[i].Subjects[0]
		subject.Name = strings.Replace(subject.Name, "own", strings.ToLower(side.name), 1)
	}
	return asked, nil
}

// answer runs what is still needed.
func answer(ctx context.Context, set *settings, opt run.Options, question rollout.Question, journal rollout.Journal, logf func(string, ...any)) (err error) {
	lab, err := run.Open(ctx, opt)
	defer func() { err = errors.Join(err, lab.Close()) }()
	if err != nil {
		return set.opening(err)
	}
	lab.Fetch(ctx, question.Cells())
	return rollout.Answer(ctx, lab, question, journal, logf)
}

// report writes what the journal has, also of a comparison that was interrupted.
func report(ctx context.Context, cmd *cobra.Command, opt run.Options, question rollout.Question, journal *rollout.File, a, b string, e explainer) error {
	last, err := rollout.Last(journal)
	if err != nil {
		return err
	}
	comparison := reports.NewComparison(question.Title(0, a), question.Title(1, b), question.Decide(journal), last)
	comparison.PerBlock = rollout.Took(journal) / time.Duration(rollout.AtATime(opt.Parallel))
	comparison.Why, comparison.WhyIn = e.blames, e.in
	if !e.set.make {
		comparison.Longer = run.Flag("FOR")
	}
	comparison.Changes = rollout.Changes(context.WithoutCancel(ctx), a, b)
	page := scenarios.File{Name: "compare.html", Write: scenarios.Into(func(w io.Writer) error {
		return reports.HTML(w, reports.Page{Comparison: &comparison})
	})}
	folder, err := scenarios.Write(opt.Runs, page)
	if err := errors.Join(comparison.Table(cmd.OutOrStdout()), err); err != nil {
		return err
	}
	if _, err := fmt.Fprintln(cmd.OutOrStdout(), scenarios.Wrote(folder, []scenarios.File{page})); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return &exitError{exitInterrupted, fmt.Sprintf("interrupted after %s; the same command goes on from there", english.Plural(len(journal.Blocks()), "block", ""))}
	}
	if code := comparison.ExitCode(); code != 0 {
		return &exitError{code, ""}
	}
	return nil
}
