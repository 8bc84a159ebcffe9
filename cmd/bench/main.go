// Command bench measures the fakes and the bundled proxy beside their peers
// and soaks the proxy, and writes docs/performance.md. make bench, make
// bench-proxy and make soak call it.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/proxychaos/proxychaos/bench"
	"github.com/proxychaos/proxychaos/bench/fakes"
	"github.com/proxychaos/proxychaos/bench/lab"
	"github.com/proxychaos/proxychaos/bench/proxies"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := command().ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		stop()
		os.Exit(1) //nolint:gocritic // stop was called
	}
}

// options are the flags that every subcommand has.
type options struct {
	document string
	runs     string
	lab.Options
}

func command() *cobra.Command {
	var o options
	root := &cobra.Command{
		Use: "bench", Short: "Measure beside peers and write the tables of docs/performance.md",
		SilenceUsage: true, SilenceErrors: true,
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
	}
	root.PersistentFlags().StringVar(&o.document, "document", "docs/performance.md", "file whose section is written")
	root.AddCommand(
		o.table("fakes", fakes.Table, "fakedns and fakealb beside what people would use in their place", fakes.Rows, fakes.Tools),
		o.table("proxy", proxies.Table, "goproxy beside Caddy, Apache httpd, nginx and HAProxy", proxies.Rows, proxies.Tools),
		o.soak(),
		o.render(),
	)
	return root
}

// table is the subcommand that measures one table.
func (o *options) table(use, table, short string, rows func() []lab.Row, tools func(context.Context) []string) *cobra.Command {
	cmd := &cobra.Command{
		Use: use, Short: short, Args: cobra.NoArgs,
		Long: short + ".\n\nThe document is written when every row was measured for, so not with --only; the raw figures always are.\n" +
			"A missed bar is no error, one that nothing was measured for is.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			o.Table, o.Command, o.Progress = table, "make "+table, cmd.ErrOrStderr()
			if o.Rounds < 1 || o.Duration < time.Second {
				return fmt.Errorf("got --rounds %d --duration %s, want at least 1 and 1s", o.Rounds, o.Duration)
			}
			var err error
			if o.Binary, err = filepath.Abs(o.Binary); err != nil {
				return err
			}
			o.Tools = tools(ctx)
			report, err := lab.Run(ctx, rows(), o.Options)
			if err != nil {
				return err
			}
			return o.finish(cmd, report)
		},
	}
	f := cmd.Flags()
	f.IntVar(&o.Rounds, "rounds", 3, "how often each program is measured, in turns")
	f.DurationVar(&o.Duration, "duration", 4*time.Second, "of one measurement, in whole seconds")
	f.StringVar(&o.Only, "only", "", "one row")
	f.StringVar(&o.Binary, "binary", "bin/proxychaos", "proxychaos, statically linked")
	f.StringVar(&o.runs, "runs", "runs", "folder for the raw figures")
	return cmd
}

func (o *options) finish(cmd *cobra.Command, report bench.Report) error {
	stored, err := report.Save(o.runs)
	if err != nil {
		return err
	}
	fmt.Fprintln(cmd.OutOrStdout(), report.Markdown())
	fmt.Fprintln(cmd.OutOrStdout(), "raw figures:", stored)
	if o.Only == "" {
		if err := report.Publish(o.document); err != nil {
			return err
		}
	}
	if n := report.Unmeasured(); n > 0 {
		return fmt.Errorf("%d bars were not measured", n)
	}
	return nil
}

// render writes the section of a stored report again.
func (o *options) render() *cobra.Command {
	return &cobra.Command{
		Use: "render REPORT.json", Short: "Write a section again from raw figures", Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			report, err := bench.Load(filepath.Clean(args[0]))
			if err != nil {
				return err
			}
			return report.Publish(o.document)
		},
	}
}
