package goproxy

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/proxychaos/proxychaos/goproxy/resolve"
)

// table is one loaded configuration at work. A reload replaces it as a whole.
type table struct {
	cfg       Config
	router    *router
	trust     *trust
	upstreams map[string]*running
}

// running is an upstream with what a reload needs to know about it.
type running struct {
	*upstream
	source  Upstream
	servers []netip.AddrPort
	stop    context.CancelFunc // nil until started
}

// newTable builds the table for cfg. An upstream that is the same in old keeps
// its connections and what it learnt.
func (p *Proxy) newTable(cfg Config, old *table) (*table, error) {
	t := &table{cfg: cfg, upstreams: map[string]*running{}}
	for name, source := range cfg.Upstreams {
		servers, err := chooseResolvers(p.opts.Resolvers, source.Resolvers, cfg.Resolvers)
		if err != nil {
			return nil, err
		}
		if old != nil {
			if was := old.upstreams[name]; was != nil && was.same(source, servers) {
				t.upstreams[name] = was
				continue
			}
		}
		up, err := newUpstream(name, source, servers, p.log)
		if err != nil {
			return nil, err
		}
		t.upstreams[name] = &running{upstream: up, source: source, servers: servers}
		if old != nil {
			t.upstreams[name].inherit(old)
		}
	}
	bound := make([]boundRoute, len(cfg.Routes))
	for i, r := range cfg.Routes {
		var err error
		if bound[i], err = newBoundRoute(r, t.upstreams[r.Upstream]); err != nil {
			return nil, fmt.Errorf("routes.%d: %w", i, err)
		}
	}
	t.router = newRouter(bound)
	var err error
	t.trust, err = newTrust(cfg.TrustedProxies)
	return t, err
}

// same reports whether source would build this very upstream. Files may have
// new content under the same name.
func (r *running) same(source Upstream, servers []netip.AddrPort) bool {
	return reflect.DeepEqual(r.source, source) && slices.Equal(r.servers, servers) && r.files.unchanged()
}

// inherit gives the members whose names the old table followed too, at the same
// resolvers, the addresses that were known there. Else a reload would lose them
// whenever DNS does not answer. Addresses that the upstream had before begin with
// what operators and health checks said of them, and so do members, unless the upstream's
// part of the config has changed.
func (r *running) inherit(old *table) {
	for _, m := range r.members {
		if m.follower == nil {
			continue
		}
		if from := old.follows(m.url.Hostname(), r.servers); from != nil {
			m.inherit(from)
		}
	}
	was := old.upstreams[r.name]
	if was == nil {
		return
	}
	r.sticky.inherit(was.sticky)
	if reflect.DeepEqual(r.source, was.source) { // a file that it names has changed
		for i, m := range r.members {
			m.mode.Store(was.members[i].mode.Load())
			m.loadFactor.Store(was.members[i].loadFactor.Load())
		}
		r.reweigh()
	}
	known := map[netip.AddrPort]*endpoint{}
	for _, e := range was.set.Load().endpoints {
		known[e.addr] = e
	}
	for _, e := range r.set.Load().endpoints {
		if from := known[e.addr]; from != nil {
			e.inherit(from)
		}
	}
}

// follows returns a member that follows the name at the resolvers, or nil.
func (t *table) follows(name string, servers []netip.AddrPort) *member {
	for _, up := range t.upstreams {
		if !slices.Equal(up.servers, servers) {
			continue
		}
		for _, m := range up.members {
			if m.follower != nil && strings.EqualFold(m.url.Hostname(), name) {
				return m
			}
		}
	}
	return nil
}

// start runs the upstreams of t that do not run yet and stops those of old that
// t does not have. The caller holds p.reloading.
func (p *Proxy) start(t, old *table) {
	for _, up := range t.upstreams {
		if up.stop != nil {
			continue
		}
		ctx, stop := context.WithCancel(p.work) //nolint:gosec // up.stop is called, by Reload or by the end of p.work
		up.stop = stop
		p.followers.Go(func() { up.run(ctx) })
	}
	if old == nil {
		return
	}
	for name, up := range old.upstreams {
		if t.upstreams[name] != up {
			// Requests that came to it may still wait for an address, or for a
			// better one, for so long.
			time.AfterFunc(time.Duration(up.cfg.Retries.Window), up.stop)
		}
	}
}

// Reload puts cfg in place of the present config. Requests that run go on under
// the old one; no connection is refused or closed. The addresses to listen on
// and the access log cannot change, and a proxy that drains or is closed takes no
// other config. On an error nothing has changed.
func (p *Proxy) Reload(cfg Config) error {
	if err := cfg.Validate(); err != nil {
		return err
	}
	p.reloading.Lock()
	defer p.reloading.Unlock()
	if p.ending || p.isClosed.Err() != nil {
		return errors.New("the proxy is ending: no other config can be put in force")
	}
	old := p.table.Load()
	if err := sameListeners(old.cfg, cfg); err != nil {
		return err
	}
	t, err := p.newTable(cfg, old)
	if err != nil {
		return err
	}
	if cfg.TLS != nil {
		tlsConfig, err := cfg.TLS.server()
		if err != nil {
			return err
		}
		p.tls.Store(tlsConfig)
	}
	p.table.Store(t)
	if p.work != nil {
		p.start(t, old)
	}
	return nil
}

func sameListeners(a, b Config) error {
	var tlsA, tlsB string
	if a.TLS != nil {
		tlsA = a.TLS.address()
	}
	if b.TLS != nil {
		tlsB = b.TLS.address()
	}
	var errs []error
	for _, v := range []struct{ key, old, new string }{
		{"listen", a.Listen, b.Listen}, {"tls.listen", tlsA, tlsB}, {"admin", a.Admin, b.Admin}, {"access_log", a.AccessLog, b.AccessLog},
	} {
		if v.old != v.new {
			errs = append(errs, fmt.Errorf("%s: %q cannot become %q by a reload: restart the proxy", v.key, v.old, v.new))
		}
	}
	if a.H2C != b.H2C || a.Clients != b.Clients || a.ProxyProtocol != b.ProxyProtocol {
		errs = append(errs, errors.New("h2c, clients and proxy_protocol cannot change by a reload: restart the proxy"))
	}
	if !reflect.DeepEqual(a.Traces, b.Traces) {
		errs = append(errs, errors.New("traces cannot change by a reload: restart the proxy"))
	}
	return errors.Join(errs...)
}

// chooseResolvers takes the first list that is not empty, else the system's.
func chooseResolvers(override []netip.AddrPort, lists ...[]string) ([]netip.AddrPort, error) {
	if len(override) > 0 {
		return override, nil
	}
	for _, list := range lists {
		var servers []netip.AddrPort
		for _, s := range list {
			server, err := resolve.ParseServer(s)
			if err != nil {
				return nil, err
			}
			servers = append(servers, server)
		}
		if len(servers) > 0 {
			return servers, nil
		}
	}
	return resolve.SystemServers("/etc/resolv.conf")
}
