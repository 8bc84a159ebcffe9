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
	var control string
	var resolvers []string
	var seed uint64
	cmd := &cobra.Command{
		Use:     "pod",
		Short:   "Own the network namespace that the proxy under test joins (PID 1 of a container)",
		Args:    cobra.NoArgs,
		Example: "  proxychaos pod --control 0.0.0.0:9100 --resolver 169.254.169.253 --resolver 10.0.0.2:5353",
		RunE: func(cmd *cobra.Command, _ []string) error {
			cmd.SilenceUsage = true
			cfg := Config{Seed: seed}
			var err error
			if cfg.Control, err = netip.ParseAddrPort(control); err != nil {
				return fmt.Errorf("--control: got %q, want an address with a port, such as 0.0.0.0:9100", control)
			}
			if cfg.Resolvers, err = parseResolvers(resolvers); err != nil {
				return err
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
	cmd.Flags().StringArrayVar(&resolvers, "resolver", nil, "IPv4 address, port 53 unless it says another, that the proxy's configuration names as its resolver; can be repeated")
	cmd.Flags().Uint64Var(&seed, "seed", 1, "of the random orders of DNS answers")
	return cmd
}

func parseResolvers(texts []string) ([]netip.AddrPort, error) {
	var out []netip.AddrPort
	for _, text := range texts {
		r, err := parseResolver(text)
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, nil
}

func parseResolver(text string) (netip.AddrPort, error) {
	const dnsPort = 53
	r, err := netip.ParseAddrPort(text)
	if err != nil {
		addr, bad := netip.ParseAddr(text)
		r, err = netip.AddrPortFrom(addr, dnsPort), bad
	}
	if err != nil || !r.Addr().Is4() || r.Port() == 0 {
		return netip.AddrPort{}, fmt.Errorf("--resolver: got %q, want an IPv4 address with or without a port, such as 169.254.169.253 or 10.0.0.2:5353", text)
	}
	return r, nil
}
