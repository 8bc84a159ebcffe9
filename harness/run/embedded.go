package run

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/proxychaos/proxychaos/harness/config"
	"github.com/proxychaos/proxychaos/harness/embedded"
	"github.com/proxychaos/proxychaos/harness/fault"
	"github.com/proxychaos/proxychaos/harness/kind"
	"github.com/proxychaos/proxychaos/harness/recording"
	"github.com/proxychaos/proxychaos/harness/world"
)

// embeddedBed is a testbed in this process.
type embeddedBed struct {
	bed    *embedded.Bed
	config config.Config
	port   uint16
	proxy  netip.AddrPort
}

// unprivileged are the ports of the config that any user may listen on.
func unprivileged(ports []uint16) []uint16 {
	var open []uint16
	for _, p := range ports {
		if p >= 1024 {
			open = append(open, p)
		}
	}
	return open
}

func openEmbedded(ctx context.Context, n int, seed uint64, conf config.Config) (bed, error) {
	if conf.TLS() {
		return nil, fmt.Errorf("%s: %w, since the nodes' authority is put at %s in the proxy's container", conf.Path, errNeedsEngine, kind.CAPath)
	}
	ports := unprivileged(conf.Ports())
	if len(ports) == 0 {
		return nil, fmt.Errorf("%s: without a Docker engine the backend needs a port of 1024 or above, such as http://backend.example.com:8080", conf.Path)
	}
	b := &embeddedBed{config: conf, port: ports[0]}
	var err error
	b.bed, err = embedded.Start(ctx, n, seed, ports)
	return b, err
}

func (b *embeddedBed) clients() clients {
	return clients{
		dns: b.bed.DNS, alb: b.bed.ALB, load: b.bed.Load, probe: b.bed.Probe(),
		resolvers: []netip.AddrPort{b.bed.Resolver}, node: b.bed.Node,
		port: b.port, isProbe: b.bed.Probe().IsOwn,
	}
}

func (b *embeddedBed) startProxy(ctx context.Context, _ []byte) (err error) {
	b.proxy, err = b.bed.StartProxy(ctx, b.config.Path, b.config.Files[0].Content)
	return err
}

func (b *embeddedBed) listeners(context.Context) ([]netip.AddrPort, error) {
	return []netip.AddrPort{b.proxy}, nil
}

func (b *embeddedBed) others() []netip.Addr { return nil }

func (b *embeddedBed) standIn(context.Context, []netip.Addr, []netip.Addr) error { return nil }

func (b *embeddedBed) besideIs(context.Context, netip.Addr) error { return nil }

func (b *embeddedBed) literals(context.Context) ([]world.LiteralAddr, error) { return nil, nil }

func (b *embeddedBed) watch(context.Context) error { return nil }

func (b *embeddedBed) warmed(context.Context) error { return nil }

func (b *embeddedBed) workers(context.Context) ([]recording.Process, error) { return nil, nil }

func (b *embeddedBed) proxyLog(context.Context) ([]embedded.Line, error) { return b.bed.Log(), nil }

// Restart implements fault.Proxy.
func (b *embeddedBed) Restart(ctx context.Context) (time.Time, error) {
	return b.bed.RestartProxy(ctx)
}

// Life implements fault.Proxy: the proxy has no process of its own, and either it was
// restarted, or Restart said what was wrong.
func (b *embeddedBed) Life(context.Context) (fault.Life, error) {
	return fault.Life{Runs: true, Listens: true}, nil
}

// errOneProxy: a proxy in this process is not ended while others go on.
var errOneProxy = errors.New("the testbed without a Docker engine has one proxy, which runs to the end")

// Stop implements fault.Proxy.
func (b *embeddedBed) Stop(context.Context, int, bool) (time.Time, error) {
	return time.Time{}, errOneProxy
}

// Ended implements fault.Proxy.
func (b *embeddedBed) Ended(context.Context, int) (bool, string, error) {
	return false, "", errOneProxy
}

// Start implements fault.Proxy.
func (b *embeddedBed) Start(context.Context, int) (time.Time, error) {
	return time.Time{}, errOneProxy
}

// Listens implements fault.Proxy.
func (b *embeddedBed) Listens(context.Context, int) (bool, string, error) {
	return false, "", errOneProxy
}

// Reload implements fault.Proxy.
func (b *embeddedBed) Reload(context.Context) (time.Time, error) {
	return time.Now(), b.bed.ReloadProxy()
}

// Reloaded implements fault.Proxy: the proxy has taken the configuration, or Reload said what
// was wrong.
func (b *embeddedBed) Reloaded(context.Context) (bool, string, error) {
	return true, "the proxy has taken its configuration again", nil
}

func (b *embeddedBed) Close(bool) error { return b.bed.Close() }
