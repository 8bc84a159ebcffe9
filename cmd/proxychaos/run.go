package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/proxychaos/proxychaos/harness/run"
	"github.com/proxychaos/proxychaos/reports"
	"github.com/proxychaos/proxychaos/scenarios"
	"github.com/proxychaos/proxychaos/scenarios/junit"
)

// nightlyFloor is how many cells run without a registry: fewer make a nightly red. The
// Makefile has it too.
const nightlyFloor = "736"

// runCommand is `proxychaos run`, which does what `make scenario` does with Ginkgo.
func runCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "run NAME",
		Short: "Run a scenario on the catalogued configs, or on your own",
		Long: "Runs a scenario on the catalogued configs, on your own with --proxy and --config, or on any image with --proxy image and --image.\n" +
			"It prints a table, and writes a page and all recordings to --runs. \"proxychaos list\" shows the scenarios.\n" +
			"Exits 0 if every config came out as expected, 1 if one did not, 2 if a run proved nothing.",
		Example: "  proxychaos run alb-ip-rotate --proxy nginx --config ./nginx\n" +
			"  proxychaos run alb-ip-rotate --proxy image --image pen:0.34 --command 'pen -f 80 backend.example.com:80'\n" +
			"  proxychaos run alb-ip-rotate --subject nginx/static --quiet --json",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: scenarioNames,
	}
	p := player{settings: addSettings(cmd, nil)}
	p.addFlags()
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return p.play(cmd, map[string]string{"NAME": args[0]})
	}
	return cmd
}

// nightlyCommand is `proxychaos nightly`, which does what `make nightly` does with Ginkgo.
func nightlyCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "nightly",
		Short: "Run every scenario on the catalogued configs that it is for, and compare the results with earlier nights",
		Long: "Runs every scenario on the catalogued configs that it is for. On 2 cores that took 55 min for 736 cells.\n" +
			"It prints a table, and writes a page, a JUnit file and all recordings to --runs.\n" +
			"Exits 0 if every config came out as in the catalogue and in earlier nights, 1 if one did not, 2 if too few cells ran or a run proved nothing.",
		Args: cobra.NoArgs,
	}
	p := player{settings: addSettings(cmd, nil, "CONFIG", "IMAGE", "COMMAND", "ENV", "CLOUD", "MAX_FAILED", "RECOVER_WITHIN")}
	p.addFlags()
	nightlyDefaults(p.settings)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return p.play(cmd, nil) }
	return cmd
}

// nightlyDefaults makes the flags about the whole of a run those of a nightly.
func nightlyDefaults(s *settings) {
	for word, value := range map[string]string{"FLOOR": nightlyFloor, "BASELINE": scenarios.BuiltIn} {
		flag := s.flags.Lookup(flagOf(word))
		flag.DefValue = value
		_ = flag.Value.Set(value) // any text is one
	}
}

// player runs the cells that a command asks for, and shows their results.
type player struct {
	*settings
	json, quiet bool
	// whole says that the cells show something together only: each has to be run.
	whole bool
}

func (p *player) addFlags() {
	p.flags.BoolVar(&p.json, "json", false, "print the result as JSON instead of the table")
	p.flags.BoolVarP(&p.quiet, "quiet", "q", false, "print no progress")
}

func (p *player) play(cmd *cobra.Command, settled map[string]string) error {
	asked, err := p.request(settled)
	if err != nil {
		return err
	}
	var cells []run.Cell
	for _, s := range asked.Scenarios {
		cells = append(cells, asked.Cells(s)...)
	}
	return p.playCells(cmd, asked, cells)
}

func (p *player) playCells(cmd *cobra.Command, asked scenarios.Request, which []run.Cell) error {
	ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if p.quiet {
		asked.Options.Log = io.Discard
	}
	asked.Options.Shown = true // by the table, or the JSON
	began := time.Now()
	results, err := p.results(ctx, asked, which)
	if err != nil {
		return err
	}
	cells := scenarios.Cells(results)
	if err := p.show(cmd.OutOrStdout(), asked, cells, began); err != nil {
		return err
	}
	return p.outcome(ctx, asked, cells, len(which))
}

// results are those of the cells that were run.
func (p *player) results(ctx context.Context, asked scenarios.Request, cells []run.Cell) (results []run.Result, err error) {
	lab, err := run.Open(ctx, asked.Options)
	defer func() { err = errors.Join(err, p.spell(lab.Close())) }()
	if err != nil {
		return nil, p.opening(err)
	}
	results = lab.Run(ctx, cells)
	if ctx.Err() != nil { // what broke off says only that it was interrupted
		results = slices.DeleteFunc(results, func(r run.Result) bool { return r.Err != nil })
	}
	for i := range results {
		results[i].Err = p.spell(results[i].Err)
	}
	return results, nil
}

// show prints the cells and writes their reports.
func (p *player) show(out io.Writer, asked scenarios.Request, cells []reports.Cell, began time.Time) error {
	if len(cells) == 0 {
		return nil
	}
	suite := asked.Suite(cells)
	files := append(scenarios.Files(suite), junit.File(junit.Of(cells, began), suite.Wrong()))
	folder, err := scenarios.Write(asked.Options.Runs, files...)
	if p.json {
		return errors.Join(reports.JSON(out, suite), err)
	}
	if err := errors.Join(reports.Table(spelling{out}, cells), suite.Remarks(out), err); err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, scenarios.Wrote(folder, files))
	return err
}

// outcome is the error that ends the command with the exit code that the cells deserve.
func (p *player) outcome(ctx context.Context, asked scenarios.Request, cells []reports.Cell, asking int) error {
	tally, suite := reports.Count(cells), asked.Suite(cells)
	switch {
	case ctx.Err() != nil:
		return &exitError{exitInterrupted, fmt.Sprintf("interrupted: %d of %d cells were run; what was recorded is in %s", len(cells), asking, asked.Options.Runs)}
	case tally.Unexpected > 0 || suite.Against != nil && len(suite.Against.Red()) > 0:
		return &exitError{exitWrong, ""}
	case suite.TooFew != nil:
		return p.spell(suite.TooFew)
	case p.whole && tally.Run < asking:
		return &exitError{exitTrouble, fmt.Sprintf("%d of %d cells were run: all of them have to be", tally.Run, asking)}
	case tally.Unproven > 0:
		return &exitError{exitTrouble, ""}
	}
	return nil
}
