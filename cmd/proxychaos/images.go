package main

import (
	"errors"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/proxychaos/proxychaos/harness/engine"
	"github.com/proxychaos/proxychaos/harness/run"
	"github.com/proxychaos/proxychaos/scenarios"
)

// imagesCommand is `proxychaos images`: make runs it beside the compiling of the
// suite, so that neither waits for the other.
func imagesCommand() *cobra.Command {
	return &cobra.Command{
		Use: "images", Short: "Put the images of the proxies in place, ahead of a run", Args: cobra.NoArgs, Hidden: true,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			asked, err := scenarios.FromEnvironment(scenarios.Environment)
			if err != nil {
				return err
			}
			ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM)
			defer stop()
			opt := asked.Options
			opt.Make, opt.InstallEngine, opt.NeedsEngine = true, true, true
			lab, err := run.Open(ctx, opt)
			defer func() { err = errors.Join(err, lab.Close()) }()
			switch {
			case errors.Is(err, engine.ErrNoEngine) && !asked.Options.InsistsOnEngine():
				return nil // there is nothing to put in place; the suite says that there is no engine
			case err != nil:
				return err
			}
			var cells []run.Cell
			for _, s := range asked.Scenarios {
				cells = append(cells, asked.Cells(s)...)
			}
			lab.Fetch(ctx, cells)
			return ctx.Err()
		},
	}
}
