package reaper

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/moby/moby/client"
	"github.com/spf13/cobra"
)

// labelsVariable names the environment variable with the labels, which are a
// secret: other users of the machine can read a command line, and not this.
const labelsVariable = "PROXYCHAOS_REAPER_LABELS"

// Command returns "proxychaos reaper", which a run starts in a container with
// the engine's socket at /var/run/docker.sock.
func Command() *cobra.Command {
	cfg := Config{}
	cmd := &cobra.Command{
		Use:   "reaper",
		Short: "Remove a run's containers and networks once the run is gone",
		Long: `Serves the protocol of the Testcontainers reaper (Ryuk). Its labels are in
` + labelsVariable + `, as label=name=value&label=name=value. Clients
connect, send the same in a line, and are answered ACK. When the last client is
gone, all containers and networks with the labels are removed from the engine of
DOCKER_HOST (default: /var/run/docker.sock), and the reaper ends. A run starts
one for itself; there is no need to do it by hand.`,
		Args:         cobra.NoArgs,
		SilenceUsage: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			labels, err := ParseLabels(os.Getenv(labelsVariable))
			if err != nil {
				return fmt.Errorf("%s: %w", labelsVariable, err)
			}
			cfg.Labels = labels
			ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGTERM, syscall.SIGINT)
			defer stop()
			cli, err := client.New(client.FromEnv)
			if err != nil {
				return err
			}
			defer func() { _ = cli.Close() }()
			cfg.Log = cmd.OutOrStdout()
			s, err := New(cfg, func(ctx context.Context, labels map[string]string) error { return Reap(ctx, cli, labels) })
			if err != nil {
				return err
			}
			return s.Run(ctx)
		},
	}
	cmd.Flags().StringVar(&cfg.Listen, "listen", ":8080", "TCP address to listen on")
	cmd.Flags().DurationVar(&cfg.Grace, "grace", 2*time.Second, "wait between the end of the last client and the removal")
	cmd.Flags().DurationVar(&cfg.FirstClient, "first-client", time.Minute, "give up if no client has connected by then")
	return cmd
}
