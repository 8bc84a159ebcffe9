package fakedns

import (
	"errors"
	"fmt"
	"net/netip"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
)

// options are the flags of the subcommand.
type options struct {
	listen      []string
	control     string
	names       []string
	ttl         time.Duration
	seed        uint64
	negativeTTL time.Duration
	maxTTL      time.Duration
}

// Command returns the subcommand "fakedns", which runs one server until it gets
// SIGINT or SIGTERM. The caller prints a returned error.
func Command() *cobra.Command {
	var o options
	cmd := &cobra.Command{
		Use:   "fakedns",
		Short: "Run a programmable DNS server (TEST ONLY)",
		Long: Notice + ".\n\nAnswers DNS over UDP and TCP with what its control API is told.\n" +
			"The first line on standard output is the URL of the control API, the next ones are the addresses answered on.",
		Example: "  proxychaos fakedns --listen 127.0.0.1:5300 --name app.example=10.0.0.1,10.0.0.2\n" +
			"  dig @127.0.0.1 -p 5300 app.example",
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			config, err := o.config()
			if err != nil {
				return err
			}
			return run(cmd, config)
		},
	}
	f := cmd.Flags()
	f.StringSliceVar(&o.listen, "listen", []string{"127.0.0.1:5300"}, "addresses to answer on; port 0 takes a free one; may be repeated")
	f.StringVar(&o.control, "control", "127.0.0.1:8053", "address of the control API; port 0 takes a free one")
	f.StringArrayVar(&o.names, "name", nil, "a name and its addresses, as NAME=ADDRESS,ADDRESS; * is every other name; may be repeated")
	f.DurationVar(&o.ttl, "ttl", time.Minute, "TTL of the names given by --name, in whole seconds")
	f.Uint64Var(&o.seed, "seed", 0, "decides every random order")
	f.DurationVar(&o.negativeTTL, "negative-ttl", DefaultNegativeTTL, "how long NXDOMAIN and NODATA may be kept, in whole seconds")
	f.DurationVar(&o.maxTTL, "max-ttl", DefaultMaxTTL, "highest TTL answered to a query that asks for recursion, in whole seconds")
	return cmd
}

func (o *options) config() (Config, error) {
	config := Config{Seed: o.seed, NegativeTTL: o.negativeTTL, MaxTTL: o.maxTTL}
	for _, s := range o.listen {
		addr, err := netip.ParseAddrPort(s)
		if err != nil {
			return Config{}, fmt.Errorf("fakedns: got --listen %q, want an address with a port such as 127.0.0.1:53", s)
		}
		config.Listen = append(config.Listen, addr)
	}
	var err error
	if config.Control, err = netip.ParseAddrPort(o.control); err != nil {
		return Config{}, fmt.Errorf("fakedns: got --control %q, want an address with a port such as 127.0.0.1:8053", o.control)
	}
	for _, s := range o.names {
		n, err := parseName(s)
		if err != nil {
			return Config{}, err
		}
		n.TTL = o.ttl
		config.Names = append(config.Names, n)
	}
	return config, nil
}

func parseName(s string) (Name, error) {
	name, list, ok := strings.Cut(s, "=")
	if !ok {
		return Name{}, fmt.Errorf("fakedns: got --name %q, want NAME=ADDRESS,ADDRESS", s)
	}
	n := Name{Name: name}
	for a := range strings.SplitSeq(list, ",") {
		addr, err := netip.ParseAddr(a)
		switch {
		case err != nil:
			return Name{}, fmt.Errorf("fakedns: got --name %q, want addresses after %q", s, name+"=")
		case addr.Is4():
			n.A = append(n.A, addr)
		default:
			n.AAAA = append(n.AAAA, addr)
		}
	}
	return n, nil
}

func run(cmd *cobra.Command, config Config) error {
	ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	s, err := New(config)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(cmd.ErrOrStderr(), Notice)
	lines := []string{s.ControlURL()}
	for _, addr := range s.Addrs() {
		lines = append(lines, addr.String())
	}
	_, outErr := fmt.Fprintln(cmd.OutOrStdout(), strings.Join(lines, "\n"))
	if err := errors.Join(err, outErr); err != nil {
		return errors.Join(err, s.Close())
	}
	return s.Run(ctx) // which closes s
}
