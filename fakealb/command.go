package fakealb

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
)

// Command returns the subcommand "fakealb", which runs one server until it gets
// SIGINT or SIGTERM.
func Command() *cobra.Command {
	var (
		config  Config
		network string
		ports   []uint
		nodes   []string
		targets int
		logs    logFiles
	)
	cmd := &cobra.Command{
		Use:   "fakealb",
		Short: "Run fake AWS load balancer nodes (TEST ONLY)",
		Long: notice + ".\n\nRuns fake load balancer nodes, each on an address of its own, with a control API.\n" +
			"The first line on standard output is the URL of the control API.",
		Example: "  proxychaos fakealb --network userspace --ports 8080 --nodes blue=127.0.7.1,127.0.7.2\n" +
			"  curl http://127.0.7.1:8080/",
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			config.Network = Network(network)
			for _, p := range ports {
				if p > 65535 {
					return fmt.Errorf("got port %d, want 1 to 65535", p)
				}
				config.Ports = append(config.Ports, uint16(p))
			}
			if err := addNodes(&config, nodes, targets); err != nil {
				return err
			}
			config.Logger = slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), nil))
			return run(cmd, config, logs)
		},
	}
	f := cmd.Flags()
	f.StringVar(&config.Control, "control", "127.0.0.1:8500", "address of the control API; port 0 takes a free one")
	f.StringVar(&network, "network", string(NetworkUserspace), "nftables (real addresses; needs NET_ADMIN and NET_RAW) or userspace (127.x.y.z)")
	f.StringVar(&config.Interface, "interface", "", "interface of the node addresses in nftables mode (default: the only one)")
	f.BoolVar(&config.NoCapture, "no-capture", false, "do without the packet capture in nftables mode, and without NET_RAW")
	f.UintSliceVar(&ports, "ports", []uint{80, 443}, "ports that every node listens on")
	f.BoolVar(&config.AnyPort, "any-port", false, "take connections to every other port of a node too, in nftables mode")
	f.StringArrayVar(&nodes, "nodes", nil, "nodes of a load balancer, as name=address,address; may be repeated")
	f.IntVar(&targets, "targets", 2, "built-in targets of the load balancers named by --nodes")
	f.StringVar(&logs.access, "access-log", "", "file to which lines of an ALB's access log are appended")
	f.StringVar(&logs.connection, "connection-log", "", "file to which lines of an ALB's connection log are appended")
	f.StringVar(&logs.check, "health-check-log", "", "file to which lines of an ALB's health check log are appended")
	f.Float64Var(&config.TimeScale, "time-scale", 1, "divides every timer: with 60 the idle timeout is 1 s")
	return cmd
}

func addNodes(config *Config, nodes []string, targets int) error {
	for _, arg := range nodes {
		name, list, ok := strings.Cut(arg, "=")
		if !ok {
			return fmt.Errorf("got --nodes %q, want name=address,address", arg)
		}
		known := slices.ContainsFunc(config.LoadBalancers, func(lb LoadBalancer) bool { return lb.Name == name })
		if !known {
			config.LoadBalancers = append(config.LoadBalancers, LoadBalancer{Name: name, Targets: targets})
		}
		for a := range strings.SplitSeq(list, ",") {
			addr, err := netip.ParseAddr(a)
			if err != nil {
				return fmt.Errorf("got --nodes %q, want IP addresses after %q", arg, name+"=")
			}
			config.Nodes = append(config.Nodes, Node{Addr: addr, LoadBalancer: name})
		}
	}
	return nil
}

// heapFloor is memory that is never touched, so that none of it is resident. The
// collector counts it as live, and so lets at least as much pass between two
// collections: with the few MiB that a server without many rows has it would collect
// several times a second, and requests would wait for it. A higher GOGC would do
// that too, but then a server with many rows would take a multiple of their memory.
func heapFloor() []byte { return make([]byte, 16<<20) }

// logFiles are the names of files for the logs of a Config, empty for none.
type logFiles struct{ access, connection, check string }

func run(cmd *cobra.Command, config Config, logs logFiles) error {
	for _, l := range []struct {
		path string
		to   *io.Writer
	}{{logs.access, &config.AccessLog}, {logs.connection, &config.ConnectionLog}, {logs.check, &config.HealthCheckLog}} {
		if l.path == "" {
			continue
		}
		file, err := os.OpenFile(l.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
		if err != nil {
			return fmt.Errorf("open a log: %w", err)
		}
		defer file.Close()
		*l.to = file
	}
	ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	defer runtime.KeepAlive(heapFloor())
	s, err := New(config)
	if err != nil {
		return err
	}
	fmt.Fprintln(cmd.ErrOrStderr(), notice)
	if _, err := fmt.Fprintln(cmd.OutOrStdout(), s.ControlURL()); err != nil {
		return errors.Join(err, s.Close())
	}
	return s.Run(ctx) // which closes s
}
