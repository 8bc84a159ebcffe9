package pod

import (
	"fmt"
	"net/netip"
	"os"
	"os/signal"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"
)

// Command is `proxychaos pod`.
func Command() *cobra.Command {
	var control, resolvers, sockets string
	var seed uint64
	cmd := &cobra.Command{
		Use:     "pod",
		Short:   "Own the network namespace that the proxy under test joins (PID 1 of a container)",
		Args:    cobra.NoArgs,
		Example: "  proxychaos pod --control 0.0.0.0:9100",
		RunE: func(cmd *cobra.Command, _ []string) error {
			cmd.SilenceUsage = true
			cfg := Config{Seed: seed, Resolvers: resolvers, Sockets: sockets}
			var err error
			if cfg.Control, err = netip.ParseAddrPort(control); err != nil {
				return fmt.Errorf("--control: got %q, want an address with a port, such as 0.0.0.0:9100", control)
			}
			// It rewrites /etc/resolv.conf and answers on port 53: never on a host.
			if pid := os.Getpid(); pid != 1 {
				return fmt.Errorf("pod: got process id %d, want 1: it takes its network over, so it runs only as the first process of a container", pid)
			}
			ctx, stop := signal.NotifyContext(cmd.Context(), unix.SIGTERM, unix.SIGINT)
			defer stop()
			go reap(ctx)
			agent, err := New(cfg)
			if err != nil {
				return err
			}
			fmt.Fprintln(cmd.ErrOrStderr(), "pod:", notice)
			fmt.Fprintln(cmd.ErrOrStderr(), "pod: control API on", agent.Addr())
			return agent.Run(ctx)
		},
	}
	cmd.Flags().StringVar(&control, "control", "0.0.0.0:9100", "address of the control API")
	cmd.Flags().StringVar(&resolvers, "resolv-conf", "", "text of /etc/resolv.conf; whichever name servers it has, they are this agent")
	cmd.Flags().StringVar(&sockets, "sockets", "", "folder for sockets that are given to the proxy's container: log is its /dev/log, application one that answers")
	cmd.Flags().Uint64Var(&seed, "seed", 1, "of the random orders of DNS answers")
	return cmd
}
