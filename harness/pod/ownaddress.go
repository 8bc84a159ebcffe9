//go:build linux

package pod

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// ownTable is the nftables table of ownAddresses.
const ownTable = "proxychaos_own"

// ownAddresses are those of the machine that a configuration is from. Some are known by what
// the proxy listens on: 203.0.113.10:443. The kernel lets a socket be bound to an address that
// is not there (ip_nonlocal_bind). Once it listens, the address is put on lo, and what comes
// to its port at the pod's own address is sent there. Others are given, because the proxy's
// connections begin there: the kernel lets none begin at an address that is not there.
type ownAddresses struct {
	added []*netlink.Addr
	sent  map[uint16]netip.Addr // where a port leads
	table *nftables.Table       // nil until one is needed
	ports *nftables.Set
	addrs *nftables.Set
}

// take gives the namespace the addresses that listeners want, as far as it lacks them. A
// port that is listened on at every address, too, leads there already; with [::] beside
// 203.0.113.10, the one is for IPv6 alone.
func (o *ownAddresses) take(all []Listener) error {
	for _, l := range all {
		if !l.Addr.Is4() || l.Addr.IsUnspecified() || l.Addr.IsLoopback() || o.sent[l.Port].IsValid() ||
			slices.ContainsFunc(all, func(other Listener) bool { return other.Port == l.Port && other.Addr == netip.IPv4Unspecified() }) {
			continue
		}
		has, err := present()
		if err != nil {
			return err
		}
		isOurs := slices.ContainsFunc(o.added, func(a *netlink.Addr) bool { return a.IP.Equal(l.Addr.AsSlice()) })
		if has[l.Addr] && !isOurs {
			continue
		}
		if err := o.lead(l, !isOurs); err != nil {
			return fmt.Errorf("pod: give the proxy the address %s that it listens on (needs CAP_NET_ADMIN and nf_tables in the kernel): %w", l.Addr, err)
		}
	}
	return nil
}

// present are the addresses that the namespace has.
func present() (map[netip.Addr]bool, error) {
	there, err := net.InterfaceAddrs()
	all := map[netip.Addr]bool{}
	for _, a := range there {
		if prefix, err := netip.ParsePrefix(a.String()); err == nil {
			all[prefix.Addr()] = true
		}
	}
	return all, err
}

// addresses are those that were added.
func (o *ownAddresses) addresses() []netip.Addr {
	var all []netip.Addr
	for _, a := range o.added {
		if addr, ok := netip.AddrFromSlice(a.IP); ok {
			all = append(all, addr.Unmap())
		}
	}
	return all
}

// give gives the namespace addresses at which the proxy's connections begin, as far as it
// lacks them.
func (o *ownAddresses) give(addrs []netip.Addr) error {
	has, err := present()
	if err != nil {
		return err
	}
	var lacking []netip.Addr
	for _, a := range addrs {
		if !has[a] {
			has[a], lacking = true, append(lacking, a)
		}
	}
	if len(lacking) == 0 {
		return nil
	}
	if err := o.change(func(*nftables.Conn) error { return nil }, lacking...); err != nil {
		return fmt.Errorf("pod: give the proxy the addresses that it connects from, %v (needs CAP_NET_ADMIN and nf_tables in the kernel): %w", lacking, err)
	}
	return nil
}

// change puts addresses on lo, with the rules for them and what more is to be in the table.
func (o *ownAddresses) change(more func(*nftables.Conn) error, addrs ...netip.Addr) error {
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		return err
	}
	var keys []nftables.SetElement
	for _, a := range addrs {
		keys = append(keys, nftables.SetElement{Key: a.AsSlice()})
		addr := &netlink.Addr{IPNet: &net.IPNet{IP: a.AsSlice(), Mask: net.CIDRMask(32, 32)}, Scope: int(netlink.SCOPE_HOST)}
		if err := netlink.AddrAdd(lo, addr); err != nil {
			return err
		}
		o.added = append(o.added, addr)
	}
	conn, err := nftables.New()
	if err != nil {
		return err
	}
	if o.table == nil {
		if err := o.makeTable(conn); err != nil {
			return err
		}
	}
	if len(keys) > 0 {
		if err := conn.SetAddElements(o.addrs, keys); err != nil {
			return err
		}
	}
	if err := more(conn); err != nil {
		return err
	}
	return conn.Flush()
}

func (o *ownAddresses) lead(l Listener, add bool) error {
	var addrs []netip.Addr
	if add {
		addrs = append(addrs, l.Addr)
	}
	port := []byte{byte(l.Port >> 8), byte(l.Port)}
	err := o.change(func(conn *nftables.Conn) error {
		return conn.SetAddElements(o.ports, []nftables.SetElement{{Key: port, Val: l.Addr.AsSlice()}})
	}, addrs...)
	if err != nil {
		return err
	}
	if o.sent == nil {
		o.sent = map[uint16]netip.Addr{}
	}
	o.sent[l.Port] = l.Addr
	return nil
}

// makeTable adds the rule by which a port leads to its address, and the one by which what the
// proxy sends from such an address (nginx's proxy_bind) finds its way back.
func (o *ownAddresses) makeTable(conn *nftables.Conn) error {
	o.table = conn.AddTable(&nftables.Table{Name: ownTable, Family: nftables.TableFamilyIPv4})
	o.ports = &nftables.Set{Table: o.table, Name: "ports", IsMap: true, KeyType: nftables.TypeInetService, DataType: nftables.TypeIPAddr}
	o.addrs = &nftables.Set{Table: o.table, Name: "addresses", KeyType: nftables.TypeIPAddr}
	if err := errors.Join(conn.AddSet(o.ports, nil), conn.AddSet(o.addrs, nil)); err != nil {
		return err
	}
	chain := conn.AddChain(&nftables.Chain{
		Name: "arrived", Table: o.table, Type: nftables.ChainTypeNAT,
		Hooknum: nftables.ChainHookPrerouting, Priority: nftables.ChainPriorityNATDest,
	})
	const tcpDestination = 2
	conn.AddRule(&nftables.Rule{Table: o.table, Chain: chain, Exprs: slices.Concat(protocolTCP(), []expr.Any{
		&expr.Payload{DestRegister: regAddr, Base: expr.PayloadBaseTransportHeader, Offset: tcpDestination, Len: 2},
		&expr.Lookup{SourceRegister: regAddr, DestRegister: regAddr, IsDestRegSet: true, SetName: o.ports.Name, SetID: o.ports.ID},
		&expr.NAT{Type: expr.NATTypeDestNAT, Family: unix.NFPROTO_IPV4, RegAddrMin: regAddr},
	})})
	leaving := conn.AddChain(&nftables.Chain{
		Name: "leaving", Table: o.table, Type: nftables.ChainTypeNAT,
		Hooknum: nftables.ChainHookPostrouting, Priority: nftables.ChainPriorityNATSource,
	})
	const ipv4Source = 12
	conn.AddRule(&nftables.Rule{Table: o.table, Chain: leaving, Exprs: []expr.Any{
		&expr.Meta{Key: expr.MetaKeyOIFNAME, Register: regAddr},
		&expr.Cmp{Op: expr.CmpOpNeq, Register: regAddr, Data: []byte("lo\x00")},
		&expr.Payload{DestRegister: regAddr, Base: expr.PayloadBaseNetworkHeader, Offset: ipv4Source, Len: 4},
		&expr.Lookup{SourceRegister: regAddr, SetName: o.addrs.Name, SetID: o.addrs.ID},
		&expr.Masq{},
	}})
	return nil
}

// giveBack undoes what take did.
func (o *ownAddresses) giveBack() error {
	var errs []error
	if o.table != nil {
		conn, err := nftables.New()
		if err == nil {
			conn.DelTable(o.table)
			err = conn.Flush()
		}
		errs = append(errs, err)
	}
	lo, err := netlink.LinkByName("lo")
	errs = append(errs, err)
	for _, addr := range o.added {
		if err == nil {
			errs = append(errs, netlink.AddrDel(lo, addr))
		}
	}
	return errors.Join(errs...)
}
