package run

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"time"

	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/config"
	"github.com/proxychaos/proxychaos/harness/embedded"
	"github.com/proxychaos/proxychaos/harness/fault"
	"github.com/proxychaos/proxychaos/harness/kind"
	"github.com/proxychaos/proxychaos/harness/pod"
	"github.com/proxychaos/proxychaos/harness/recording"
	"github.com/proxychaos/proxychaos/harness/testbed"
	"github.com/proxychaos/proxychaos/harness/world"
)

// containerBed is a testbed in containers.
type containerBed struct {
	lab   *Lab
	tb    *testbed.Testbed
	proxy testbed.Proxy
	libc  []netip.AddrPort // the resolvers of /etc/resolv.conf
	// reload is how the proxy is told to reload its configuration; nil if that is not known.
	reload *kind.Reload
	stop   string       // the signal at which it finishes its requests and ends
	from   []netip.Addr // of the machine, at which the proxy's connections begin
	// beside says that applications answer beside the proxy.
	beside bool
}

// vpcResolver is where AWS has its resolver in every VPC (aws-facts 5.1).
var vpcResolver = netip.AddrPortFrom(netip.AddrFrom4([4]byte{169, 254, 169, 253}), 53)

// openContainers readies the agents of a cell. The bed is to be closed also
// when there is an error.
func (l *Lab) openContainers(ctx context.Context, image string, conf config.Config, proxies int, ipv6 bool, seed uint64) (*containerBed, error) {
	b := &containerBed{lab: l, reload: kind.ReloadOf(conf.Kind), stop: kind.StopOf(conf.Kind), from: conf.SourceAddresses()}
	if n := len(b.from); n > pod.MaxAddresses {
		return b, fmt.Errorf("%s: connections to backends begin at %d addresses (proxy_bind, source and the like), and a proxy here can have %d of them: take the others out for this run", conf.Path, n, pod.MaxAddresses)
	}
	layout, err := conf.Layout()
	if err != nil {
		return b, err
	}
	b.proxy = testbed.Proxy{Image: image, Layout: layout}
	spec := testbed.Spec{
		Kit: l.shared.Kit, Labels: l.shared.Labels, Scaled: l.opt.Settings.Clock != harness.Production, Seed: seed,
		Proxies: proxies, IPv6: ipv6, Start: os.Getpid() + int(l.next.Add(1)),
	}
	b.libc = []netip.AddrPort{pod.LibcResolver}
	if conf.Resolvers != nil {
		spec.ResolvConf = string(conf.Resolvers.Content)
		b.libc = append(b.libc, conf.LibcServers()...)
	}
	b.tb, err = l.bedFor(ctx, spec)
	return b, err
}

func (b *containerBed) clients() clients {
	c := clients{
		dns: b.tb.DNS, alb: b.tb.ALB, load: b.tb.Load, probe: testbed.Prober{Pod: b.tb.Pod},
		resolvers: []netip.AddrPort{vpcResolver}, libc: b.libc, node: b.tb.Node, beside: b.tb.Beside(), port: 80, isProbe: pod.IsProbe,
	}
	for _, s := range b.tb.Others {
		c.otherDNS = append(c.otherDNS, s.DNS)
	}
	if b.tb.Subnet6.IsValid() {
		c.node6 = b.tb.Node6
	}
	return c
}

func (b *containerBed) startProxy(ctx context.Context, ca []byte) error {
	for _, path := range caPaths {
		b.proxy.Files = append(b.proxy.Files, kind.Placed{Path: path, Content: ca})
	}
	links, err := caLinks(ca)
	if err != nil {
		return err
	}
	b.proxy.Files = append(b.proxy.Files, links...)
	if !b.beside {
		b.proxy.Sockets = nil // there is nothing to put there
	}
	for _, s := range b.tb.Seats() {
		if len(b.from) > 0 {
			if err := s.Pod.SetAddresses(ctx, pod.AddressesRequest{Addresses: b.from}); err != nil {
				return err
			}
		}
		if _, err := s.StartProxy(ctx, b.proxy); err != nil {
			return err
		}
	}
	return nil
}

func (b *containerBed) others() []netip.Addr {
	var addrs []netip.Addr
	for _, s := range b.tb.Others {
		addrs = append(addrs, s.ProxyAddress(0).Addr())
	}
	return addrs
}

func (b *containerBed) listeners(ctx context.Context) ([]netip.AddrPort, error) {
	listeners, err := b.tb.Pod.Listeners(ctx, 0)
	var addrs []netip.AddrPort
	for _, l := range listeners {
		if !l.Addr.IsLoopback() {
			addrs = append(addrs, b.tb.ProxyAddress(l.Port))
		}
	}
	if err == nil && len(addrs) == 0 {
		err = b.tb.Ended(ctx) // some listen, and then read what they cannot
	}
	return addrs, err
}

func (b *containerBed) standIn(ctx context.Context, ipv4, ipv6 []netip.Addr) error {
	for _, s := range b.tb.Seats() {
		err := s.Pod.SetLiterals(ctx, pod.LiteralsRequest{Network: b.tb.Subnet, Nodes: ipv4})
		if err == nil && b.tb.Subnet6.IsValid() {
			err = s.Pod.SetLiterals(ctx, pod.LiteralsRequest{Network: b.tb.Subnet6, Nodes: ipv6})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (b *containerBed) besideIs(ctx context.Context, node netip.Addr) error {
	for _, s := range b.tb.Seats() {
		if err := s.Pod.SetBeside(ctx, pod.BesideRequest{Node: node}); err != nil {
			return err
		}
	}
	b.beside = true
	return nil
}

func (b *containerBed) literals(ctx context.Context) ([]world.LiteralAddr, error) {
	found, err := b.tb.Pod.Literals(ctx)
	var all []world.LiteralAddr
	for _, l := range found {
		all = append(all, world.LiteralAddr{Addr: l.Addr, Node: l.Node})
	}
	return all, err
}

func (b *containerBed) watch(ctx context.Context) error {
	var errs []error
	for _, s := range b.tb.Seats() {
		errs = append(errs, s.Watch(ctx))
	}
	return errors.Join(errs...)
}

// Restart implements fault.Proxy.
func (b *containerBed) Restart(ctx context.Context) (time.Time, error) {
	return b.tb.RestartProxy(ctx)
}

// Life implements fault.Proxy.
func (b *containerBed) Life(ctx context.Context) (fault.Life, error) { return b.tb.ProxyLife(ctx) }

// Stop implements fault.Proxy.
func (b *containerBed) Stop(ctx context.Context, number int, atOnce bool) (time.Time, error) {
	seat := b.tb.Seats()[number-1]
	if atOnce {
		return seat.KillProxy(ctx)
	}
	return seat.StopProxy(ctx, b.stop)
}

// Ended implements fault.Proxy.
func (b *containerBed) Ended(ctx context.Context, number int) (bool, string, error) {
	return b.tb.Seats()[number-1].ProxyEnded(ctx)
}

// Start implements fault.Proxy.
func (b *containerBed) Start(ctx context.Context, number int) (time.Time, error) {
	return b.tb.Seats()[number-1].StartAgain(ctx)
}

// Listens implements fault.Proxy.
func (b *containerBed) Listens(ctx context.Context, number int) (bool, string, error) {
	return b.tb.Seats()[number-1].ProxyListens(ctx)
}

// Reload implements fault.Proxy.
func (b *containerBed) Reload(ctx context.Context) (time.Time, error) {
	if b.reload == nil {
		return time.Time{}, errors.New("it is not known how this kind of proxy is told to reload its configuration")
	}
	return b.tb.ReloadProxy(ctx, *b.reload)
}

// Reloaded implements fault.Proxy.
func (b *containerBed) Reloaded(ctx context.Context) (bool, string, error) {
	return b.tb.Reloaded(ctx, *b.reload)
}

func (b *containerBed) warmed(ctx context.Context) error {
	var errs []error
	for _, s := range b.tb.Seats() {
		errs = append(errs, s.Warmed(ctx))
	}
	return errors.Join(errs...)
}

func (b *containerBed) workers(ctx context.Context) ([]recording.Process, error) {
	var all []recording.Process
	for _, s := range b.tb.Seats() {
		workers, err := s.Workers(ctx)
		if err != nil {
			return nil, err
		}
		all = append(all, workers...)
	}
	return all, nil
}

// proxyLog is what the proxies printed, and what they wrote to files, in the order of time.
func (b *containerBed) proxyLog(ctx context.Context) ([]embedded.Line, error) {
	var lines []embedded.Line
	for _, s := range b.tb.Seats() {
		of, err := logOf(ctx, s)
		if err != nil {
			return nil, err
		}
		lines = append(lines, of...)
	}
	slices.SortStableFunc(lines, func(a, b embedded.Line) int { return a.At.Compare(b.At) })
	return lines, nil
}

// logOf is the log of one proxy.
func logOf(ctx context.Context, s *testbed.Seat) ([]embedded.Line, error) {
	text, err := s.ProxyLog(ctx)
	var lines []embedded.Line
	for line := range bytes.Lines(text) {
		stamp, rest, _ := bytes.Cut(bytes.TrimRight(line, "\n"), []byte(" "))
		at, parseErr := time.Parse(time.RFC3339Nano, string(stamp))
		if parseErr != nil {
			continue // the rest of a line that the engine has split
		}
		lines = append(lines, embedded.Line{At: at, Text: string(rest)})
	}
	files, filesErr := s.Pod.Logs(ctx)
	for _, line := range files.Lines {
		lines = append(lines, embedded.Line{At: line.At, Text: line.Text})
	}
	if files.Dropped > 0 || files.Error != "" {
		lines = append(lines, embedded.Line{At: time.Now(), Text: fmt.Sprintf("proxychaos: %d lines of log files were not kept %s", files.Dropped, files.Error)})
	}
	return lines, errors.Join(err, filesErr)
}

func (b *containerBed) Close(well bool) error {
	switch {
	case b.tb == nil:
		return nil
	case well:
		return b.lab.leave(b.tb)
	}
	return b.tb.Close()
}
