package goproxy

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/proxychaos/proxychaos/goproxy/resolve"
)

// member is one url of an upstream: a name that is followed and the endpoints
// it has at the moment.
type member struct {
	up         *upstream
	route      string
	id         string // in the admin API, unique in the upstream
	loadFactor atomic.Int32
	mode       atomic.Int32 // a memberMode
	backup     bool
	url        *url.URL
	host       string // Host header: the url's host, without the scheme's own port
	port       uint16
	tls        *tls.Config
	follower   *resolve.Follower // nil where the url holds an IP address

	endpoints []*endpoint // guarded by up.setMu
}

func newMember(up *upstream, cfg Member, servers []netip.AddrPort, tlsConfig *tls.Config, log *slog.Logger) (*member, error) {
	target, err := parseURL(cfg.URL)
	if err != nil {
		return nil, err
	}
	port, err := strconv.ParseUint(target.Port(), 10, 16)
	if err != nil {
		return nil, err
	}
	m := &member{up: up, route: cfg.Route, backup: cfg.Backup, url: target, host: target.Host, port: uint16(port), tls: tlsConfig.Clone()}
	m.loadFactor.Store(int32(max(1, cfg.LoadFactor)))
	m.id = m.route
	if m.id == "" {
		m.id = target.Host
	}
	if (target.Scheme == "http" && port == 80) || (target.Scheme == "https" && port == 443) {
		m.host = strings.TrimSuffix(target.Host, ":"+target.Port())
	}
	host := target.Hostname()
	if m.tls.ServerName == "" {
		m.tls.ServerName = host
	}
	if strings.EqualFold(host, "localhost") {
		host = "127.0.0.1"
	}
	if addr, err := netip.ParseAddr(host); err == nil {
		m.replace([]netip.Addr{addr})
		return m, nil
	}
	family, err := resolve.ParseFamily(up.cfg.DNS.Family)
	if err != nil {
		return nil, err
	}
	m.follower, err = resolve.New(resolve.Config{
		Name:    host,
		Servers: servers,
		Family:  family,
		TTLMin:  time.Duration(up.cfg.DNS.TTLMin),
		TTLMax:  time.Duration(up.cfg.DNS.TTLMax),
		Timeout: time.Duration(up.cfg.DNS.Timeout),

		HoldFailed: time.Duration(up.cfg.DNS.HoldFailed),
		HoldAbsent: time.Duration(up.cfg.DNS.HoldAbsent),

		Log: log,
	}, m.replace)
	if err != nil {
		return nil, fmt.Errorf("follow %s: %w", host, err)
	}
	return m, nil
}

// hostFor is the Host that the member gets of a request. HTTP/1.0 may have none
// that could be preserved.
func (m *member) hostFor(req *request) string {
	if req.route.PreserveHost && req.Host != "" {
		return req.Host
	}
	return m.host
}

// inherit begins with the addresses of an older member of the same name, until
// DNS answers.
func (m *member) inherit(from *member) {
	from.up.setMu.Lock()
	var addrs []netip.Addr
	for _, e := range from.endpoints {
		addrs = append(addrs, e.addr.Addr())
	}
	from.up.setMu.Unlock()
	if known := m.follower.Know(addrs); len(known) > 0 {
		m.replace(known)
	}
}

// run follows the name until ctx ends.
func (m *member) run(ctx context.Context) {
	if m.follower != nil {
		m.follower.Run(ctx)
	}
}

// replace puts a new set of addresses in place. Endpoints that stay keep their
// connections; those that are not in it depart.
func (m *member) replace(addrs []netip.Addr) {
	m.up.setMu.Lock()
	defer m.up.setMu.Unlock()
	leaving := map[netip.AddrPort]*endpoint{}
	for _, e := range m.endpoints {
		leaving[e.addr] = e
	}
	var next []*endpoint
	for _, a := range addrs {
		addr := netip.AddrPortFrom(a, m.port)
		e := leaving[addr]
		if e == nil {
			e = newEndpoint(m, addr)
			m.up.startChecks(e)
		}
		delete(leaving, addr)
		next = append(next, e)
	}
	m.endpoints = next
	// The new set first: who is told that an endpoint departed must find it.
	replaced := m.up.publish()
	for _, e := range leaving {
		e.depart()
	}
	close(replaced)
	m.up.room.open() // who waits may find an address in the new set
}
