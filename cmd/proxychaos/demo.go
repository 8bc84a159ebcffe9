package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/fakedns"
	"github.com/proxychaos/proxychaos/goproxy"
)

// What the demo shows: the name of goproxy's quickstart config, and the nodes
// that it moves between. An ALB's TTL is 60 s; nobody watches for so long.
const (
	demoName     = "backend.example.com"
	demoTTL      = time.Second
	demoResolver = "127.0.0.1:5300"
	demoControl  = "127.0.0.1:8053"
	demoALB      = "127.0.0.1:8500"
	demoNodePort = 8080
)

var demoNodes = [2][]netip.Addr{
	{netip.MustParseAddr("127.0.7.1"), netip.MustParseAddr("127.0.7.2")},
	{netip.MustParseAddr("127.0.7.3"), netip.MustParseAddr("127.0.7.4")},
}

func demoCommand() *cobra.Command {
	var every time.Duration
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Run goproxy in front of a fake ALB whose name keeps moving, until Ctrl-C",
		Long: "Runs goproxy with its quickstart config, a fake ALB with four nodes and a fake DNS server, all on loopback.\n" +
			"Every 10 s the name moves to the other two nodes; 3 s later those that it left refuse connections.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if every < 2*demoGrace {
				return fmt.Errorf("got --every %s, want at least %s: the nodes that the name leaves serve for %s", every, 2*demoGrace, demoGrace)
			}
			ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM)
			defer stop()
			return runDemo(ctx, cmd.OutOrStdout(), cmd.ErrOrStderr(), every)
		},
	}
	cmd.Flags().DurationVar(&every, "every", 10*time.Second, "how long the name has the same nodes")
	return cmd
}

// demoGrace is how long the nodes that the name has left go on answering.
const demoGrace = 3 * time.Second

// runDemo serves until ctx ends or a part of the demo does.
func runDemo(ctx context.Context, out, log io.Writer, every time.Duration) (err error) {
	dns, err := fakedns.New(fakedns.Config{
		Listen:  []netip.AddrPort{netip.MustParseAddrPort(demoResolver)},
		Control: netip.MustParseAddrPort(demoControl),
		Names:   []fakedns.Name{{Name: demoName, TTL: demoTTL, A: demoNodes[0]}},
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dns.Close()) }()
	config := fakealb.Config{Control: demoALB, Network: fakealb.NetworkUserspace, Ports: []uint16{demoNodePort}}
	config.LoadBalancers = []fakealb.LoadBalancer{{Name: "demo", Targets: 2}}
	for _, group := range demoNodes {
		for _, addr := range group {
			config.Nodes = append(config.Nodes, fakealb.Node{Addr: addr, LoadBalancer: "demo"})
		}
	}
	alb, err := fakealb.New(config)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, alb.Close()) }()
	settings, err := goproxy.Parse("quickstart.yaml", goproxy.Quickstart)
	if err != nil {
		return err
	}
	proxy, err := goproxy.New(settings, goproxy.Options{AccessLog: out, Log: slog.New(slog.NewTextHandler(log, nil))}) //nolint:contextcheck // sends nothing yet
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, proxy.Close()) }()

	fmt.Fprintf(log, `goproxy   http://%s/                 config: goproxy/quickstart.yaml
fakealb   %v and %v, port %d; control API %s (TEST ONLY)
fakedns   %s at %s; control API http://%s (TEST ONLY)
Every %s the name moves to the other two nodes, and %s later those it left refuse connections.
In another terminal:  curl http://%[1]s/          Ctrl-C ends it. Below is goproxy's access log.
`, proxy.Addr(), demoNodes[0], demoNodes[1], demoNodePort, alb.ControlURL(), demoName, demoResolver, demoControl, every, demoGrace)

	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return dns.Run(ctx) })
	group.Go(func() error { return alb.Run(ctx) })
	group.Go(func() error { return proxy.Run(ctx) })
	group.Go(func() error { return keepMoving(ctx, log, dns, fakealb.NewClient(alb.ControlURL(), nil), every) })
	return group.Wait()
}

// keepMoving moves the name and ends the nodes that it left, until ctx ends.
func keepMoving(ctx context.Context, log io.Writer, dns *fakedns.Server, alb *fakealb.Client, every time.Duration) error {
	for turn := 1; ; turn++ {
		if !wait(ctx, every-demoGrace) {
			return nil
		}
		left, next := demoNodes[(turn-1)%2], demoNodes[turn%2]
		if _, err := alb.SetFault(ctx, fakealb.FaultNone, next...); err != nil {
			return unlessEnded(ctx, err)
		}
		if _, err := dns.PutNames(fakedns.Name{Name: demoName, TTL: demoTTL, A: next}); err != nil {
			return err
		}
		fmt.Fprintf(log, "-- %s moves to %v\n", demoName, next)
		if !wait(ctx, demoGrace) {
			return nil
		}
		if _, err := alb.SetFault(ctx, fakealb.FaultRefuse, left...); err != nil {
			return unlessEnded(ctx, err)
		}
		fmt.Fprintf(log, "-- %v refuse connections\n", left)
	}
}

// unlessEnded drops an error that only says that the demo is over.
func unlessEnded(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// wait is false if ctx ends first.
func wait(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}
