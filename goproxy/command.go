package goproxy

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"github.com/spf13/cobra"
)

// Command is "goproxy" with its subcommands run, validate and schema. The caller
// prints a returned error. It is a *ConfigError if FILE was read and cannot be served.
func Command() *cobra.Command {
	cmd := &cobra.Command{
		Use:           "goproxy",
		Short:         "Run the bundled reverse proxy, for backends whose addresses move",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	cmd.AddCommand(runCommand(), validateCommand(), schemaCommand())
	return cmd
}

func runCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "run FILE",
		Short: "Serve the config in FILE until SIGTERM or SIGINT, then drain; SIGHUP reloads, SIGUSR1 opens the access log again",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGTERM, syscall.SIGINT)
			defer stop()
			// A second signal ends the process at once.
			defer context.AfterFunc(ctx, stop)()
			spareThreads()
			return runFile(ctx, args[0])
		},
	}
}

func runFile(ctx context.Context, path string) error {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGHUP, syscall.SIGUSR1) // before all else: they would end the process
	defer signal.Stop(signals)
	cfg, err := Load(path)
	if err != nil {
		return err
	}
	lines := newLogQueue(os.Stderr)
	defer func() { _ = lines.Close() }() // its errors have nowhere to go
	log := slog.New(slog.NewTextHandler(lines, nil))
	var p *Proxy
	file := &rereader{path: path, log: log}
	again := func() error { return file.reread(p) }
	p, err = New(cfg, Options{Log: log, Reread: again}) //nolint:contextcheck // sends nothing yet
	if err != nil {
		return err
	}
	defer func() { _ = p.Close() }() // Run has reported it
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go file.actOn(ctx, signals, p)
	return p.Run(ctx)
}

// actOn reads the file again at each SIGHUP, and opens the access log again at that and at
// SIGUSR1, which is what those who rotate logs send to nginx and Apache.
func (r *rereader) actOn(ctx context.Context, signals <-chan os.Signal, p *Proxy) {
	for {
		select {
		case <-ctx.Done():
			return
		case s := <-signals:
			if s == syscall.SIGHUP {
				_ = r.reread(p) // it has logged why not
			}
			r.reopen(p)
		}
	}
}

// rereader reads a config file again.
type rereader struct {
	path string
	log  *slog.Logger
	one  sync.Mutex // at a time: what was read first would else be put in force last
}

// reread puts the config that is in the file now in force. One with a problem
// is logged, and the present one remains in force.
func (r *rereader) reread(p *Proxy) error {
	r.one.Lock()
	defer r.one.Unlock()
	cfg, err := Load(r.path)
	if err == nil {
		err = p.Reload(cfg)
	}
	if err != nil {
		r.log.Error("reload: the present config remains in force", "error", err.Error())
		return err
	}
	r.log.Info("reload: done", "file", r.path)
	return nil
}

// reopen opens the access log again.
func (r *rereader) reopen(p *Proxy) {
	if err := p.ReopenAccessLog(); err != nil {
		r.log.Error("the access log is not opened again: its lines go where they went", "error", err.Error())
	}
}

func validateCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "validate FILE",
		Short: "Check the config in FILE; exit 1 with one line for each problem",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := Load(args[0])
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: ok; routes: %d, upstreams: %d\n", args[0], len(cfg.Routes), len(cfg.Upstreams))
			return err
		},
	}
}

func schemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON schema of the config, for editors",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := cmd.OutOrStdout().Write(Schema)
			return err
		},
	}
}
