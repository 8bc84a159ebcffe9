package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/signal"
	"syscall"

	"github.com/dustin/go-humanize/english"
	"github.com/spf13/cobra"

	"github.com/proxychaos/proxychaos/harness/machine"
	"github.com/proxychaos/proxychaos/harness/run"
	"github.com/proxychaos/proxychaos/reports"
	"github.com/proxychaos/proxychaos/reports/atlas"
	"github.com/proxychaos/proxychaos/scenarios"
	"github.com/proxychaos/proxychaos/scenarios/journal"
	"github.com/proxychaos/proxychaos/scenarios/survey"
)

// atlasCommand is `proxychaos atlas`, behind `make atlas`.
func atlasCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "atlas",
		Short: "Say between which releases of a proxy its behaviour changed",
		Long: "Runs the catalogued configs of a kind of proxy, or your own, on every available release, in every scenario that suits them.\n" +
			"What differs between two releases is run again with other seeds, to rule out chance. Exits 0 if two releases could be compared, 2 if not.",
		Example: "  proxychaos atlas --proxy nginx\n" +
			"  proxychaos atlas --proxy haproxy --config ./haproxy.cfg --release oldstable,stable",
		Args: cobra.NoArgs,
	}
	p := player{settings: addSettings(cmd, atlasWords, "IMAGE", "COMMAND", "SUBJECT", "RELEASE", "FLOOR", "BASELINE", "SHARD", "MAX_FAILED", "RECOVER_WITHIN")}
	p.addFlags()
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM)
		defer stop()
		return p.spell(p.atlas(ctx, cmd))
	}
	return cmd
}

// atlasWords are the words of an atlas alone.
var atlasWords = []scenarios.Word{
	{Name: "NAME", Value: "SCENARIO", Usage: "run one scenario alone"},
	{Name: "RELEASE", Value: "RELEASES", Usage: "some releases alone, with commas between them: oldstable,stable"},
}

// atlas runs what is lacking, and writes the page of what there is.
func (p *player) atlas(ctx context.Context, cmd *cobra.Command) error {
	if !p.has("PROXY") {
		return errors.New("PROXY=: say which kind of proxy, such as PROXY=nginx")
	}
	asked, err := p.request(map[string]string{"RELEASE": ""})
	if err != nil {
		return err
	}
	if p.quiet {
		asked.Options.Log = io.Discard
	}
	if err := asked.Options.CanRecord(); err != nil {
		return err
	}
	list, _ := p.lookup("RELEASE")
	q, err := atlasQuestion(asked, list)
	if err != nil {
		return err
	}
	j, err := journal.Open[survey.Done](asked.Options.Runs, "atlas", atlasOf(ctx, asked.Options, q)...)
	if err != nil {
		return err
	}
	logf := func(format string, args ...any) { fmt.Fprintf(asked.Options.Log, format+"\n", args...) }
	if n := len(j.Rows()); n > 0 {
		logf("goes on after %s of an earlier call; remove %s to start over", english.Plural(n, "run", ""), j.Path())
	}
	if err := p.survey(ctx, asked.Options, q, j, logf); err != nil && ctx.Err() == nil {
		return err
	}
	cells, err := survey.Cells(q, j)
	if err != nil {
		return err
	}
	if err := p.showAtlas(cmd.OutOrStdout(), asked, cells); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return &exitError{exitInterrupted, fmt.Sprintf("interrupted after %s; the same command goes on from there", english.Plural(len(j.Rows()), "run", ""))}
	}
	return nil
}

// atlasQuestion is what a request asks for on all of its releases, or on some.
func atlasQuestion(asked scenarios.Request, releases string) (survey.Question, error) {
	q := survey.Question{Seed: asked.Options.Settings.Seed, Parallel: asked.Options.Parallel}
	subjects, err := scenarios.OnReleases(asked.Subjects, releases)
	if err != nil {
		return q, err
	}
	for _, s := range asked.Scenarios {
		for _, subject := range subjects {
			if s.Suits(subject) {
				q.Cells = append(q.Cells, run.Cell{Scenario: s, Subject: subject})
			}
		}
	}
	return q, nil
}

// atlasOf are the words that tell an atlas from any other: the build, the numbers of the run,
// what is in the configs.
func atlasOf(ctx context.Context, opt run.Options, q survey.Question) []string {
	words := []string{machine.Tool(ctx).Commit, fmt.Sprintf("%+v", opt.Settings), fmt.Sprintf("%+v", opt.Wanted)}
	for _, c := range q.Cells {
		words = append(words, c.Scenario.Name, c.Scenario.World.Cloud)
		words = append(words, scenarios.SubjectWords(c.Subject)...)
	}
	return words
}

// survey runs what is still needed.
func (p *player) survey(ctx context.Context, opt run.Options, q survey.Question, j *journal.File[survey.Done], logf func(string, ...any)) (err error) {
	opt.NeedsEngine = true
	lab, err := run.Open(ctx, opt)
	defer func() { err = errors.Join(err, lab.Close()) }()
	if err != nil {
		return p.opening(err)
	}
	lab.Fetch(ctx, q.Cells)
	return survey.Answer(ctx, lab, q, j, logf)
}

// showAtlas prints what changed, and writes the page, the same for programs, and the report of
// the cells, from which `report atlas` makes the page again.
func (p *player) showAtlas(out io.Writer, asked scenarios.Request, cells []reports.Cell) error {
	if len(cells) == 0 {
		return errors.New("nothing was run, so there is nothing to show")
	}
	a := atlas.New(scenarios.AtlasRuns(cells))
	files := []scenarios.File{
		{Name: "atlas.html", Write: scenarios.Into(func(w io.Writer) error { return reports.HTML(w, reports.AtlasPage(a, cells)) })},
		{Name: "atlas.json", Write: scenarios.Into(func(w io.Writer) error { return reports.AtlasJSON(w, a) })},
		{Name: scenarios.ReportJSON, Write: scenarios.Into(func(w io.Writer) error { return reports.JSON(w, reports.Suite{Cells: cells}) })},
	}
	folder, err := scenarios.Write(asked.Options.Runs, files...)
	if p.json {
		return errors.Join(reports.AtlasJSON(out, a), err)
	}
	if err := errors.Join(reports.AtlasTable(spelling{out}, a), err); err != nil {
		return err
	}
	if _, err := fmt.Fprintln(out, scenarios.Wrote(folder, files)); err != nil {
		return err
	}
	if len(a.Versions) < 2 {
		return &exitError{exitTrouble, fmt.Sprintf("want two versions of %s, got %s", a.Proxy, a.Span())}
	}
	return nil
}

// storedAtlasCommand is `proxychaos report atlas DIR...`.
func storedAtlasCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "atlas DIR...",
		Short: "Write the page of an atlas of stored runs",
		Long: "Each DIR is the --runs of an atlas or of a nightly. If it has several kinds of proxy, --proxy chooses one.\n" +
			"It needs no engine.",
		Example: "  proxychaos report atlas runs --proxy nginx",
		Args:    cobra.MinimumNArgs(1),
	}
	p := player{settings: addFlags(cmd, wordsOf("PROXY", "RUNS"))}
	p.flags.BoolVar(&p.json, "json", false, "print the atlas as JSON instead of the table")
	cmd.RunE = func(cmd *cobra.Command, dirs []string) error {
		asked, err := p.request(nil)
		if err != nil {
			return err
		}
		if err := asked.Options.CanRecord(); err != nil {
			return p.spell(err)
		}
		cells, err := storedAtlas(dirs, asked)
		if err != nil {
			return err
		}
		return p.showAtlas(cmd.OutOrStdout(), asked, cells)
	}
	return cmd
}

// storedAtlas reads the cells of one kind of proxy back. Of a run that was killed it takes what
// had been recorded.
func storedAtlas(dirs []string, asked scenarios.Request) ([]reports.Cell, error) {
	kinds := map[string]bool{}
	for _, s := range asked.Subjects {
		kinds[string(s.Kind)] = true
	}
	var cells []reports.Cell
	found := map[string]bool{}
	for _, dir := range dirs {
		some, err := scenarios.Stored(dir)
		if err != nil && !errors.Is(err, scenarios.ErrNoReport) {
			return nil, err
		}
		for _, c := range some {
			if kinds[c.Manifest.Subject.Kind] {
				found[c.Manifest.Subject.Kind] = true
				cells = append(cells, c)
			}
		}
	}
	if _, err := scenarios.OfOneCloud(cells); err != nil {
		return nil, err
	}
	if len(found) > 1 {
		return nil, fmt.Errorf("the runs are of %d kinds of proxy: say which one with --proxy", len(found))
	}
	return cells, nil
}
