//go:build linux

package netfault

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// closedPorts drops what is sent to ports of an address on which nothing is to
// listen, in place of the kernel's RST.
type closedPorts struct {
	guarded *nftables.Set // addresses of which only some ports are open
	open    *nftables.Set // address and port
	ports   map[netip.Addr][]uint16
}

// create adds the sets, the chain and the rule to the table, with the caller's next
// flush. The chain comes before any port is changed.
func (c *closedPorts) create(t *table) error {
	c.ports = map[netip.Addr][]uint16{}
	c.guarded = &nftables.Set{Table: t.tab, Name: "guarded", KeyType: t.key}
	c.open = &nftables.Set{
		Table: t.tab, Name: "open", Concatenation: true,
		KeyType: nftables.MustConcatSetType(t.key, nftables.TypeInetService),
	}
	for _, set := range []*nftables.Set{c.guarded, c.open} {
		if err := t.nft.AddSet(set, nil); err != nil {
			return err
		}
	}
	// Registers of 4 bytes: the key is the address and, behind it, the port.
	addr, port := uint32(unix.NFT_REG32_00), unix.NFT_REG32_00+t.size/4
	arriving := t.chain("arriving", nftables.ChainHookPrerouting, nftables.ChainPriorityRaw)
	t.rule(arriving, t.dst, c.guarded, append(matchTCP(),
		&expr.Payload{DestRegister: addr, Base: expr.PayloadBaseNetworkHeader, Offset: t.dst, Len: t.size},
		&expr.Payload{DestRegister: port, Base: expr.PayloadBaseTransportHeader, Offset: dstPort, Len: 2},
		&expr.Lookup{SourceRegister: addr, SetName: c.open.Name, SetID: c.open.ID, Invert: true},
		&expr.Verdict{Kind: expr.VerdictDrop},
	)...)
	return nil
}

// OpenPorts implements Network.
func (k *kernelNet) OpenPorts(addr netip.Addr, ports []uint16) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.nodes[addr] == nil {
		return fmt.Errorf("address %s was not added", addr)
	}
	return k.tables[familyOf(addr)].openPorts(addr, ports)
}

// openPorts is OpenPorts with mu held.
func (t *table) openPorts(addr netip.Addr, ports []uint16) error {
	old, guarded := t.closed.ports[addr]
	if slices.Equal(old, ports) && guarded == (ports != nil) {
		return nil
	}
	var errs []error
	if guarded {
		errs = append(errs, t.closed.change(t.nft.SetDeleteElements, addr, old))
		delete(t.closed.ports, addr)
	}
	if ports != nil {
		errs = append(errs, t.closed.change(t.nft.SetAddElements, addr, ports))
		t.closed.ports[addr] = slices.Clone(ports)
	}
	if err := errors.Join(append(errs, t.nft.Flush())...); err != nil {
		return fmt.Errorf("guard the ports of %s in nftables: %w", addr, err)
	}
	return nil
}

// change adds an address and its open ports to the sets, or deletes them, with the
// next flush.
func (c *closedPorts) change(elements func(*nftables.Set, []nftables.SetElement) error, addr netip.Addr, ports []uint16) error {
	err := elements(c.guarded, []nftables.SetElement{{Key: addr.AsSlice()}})
	if len(ports) == 0 {
		return err
	}
	return errors.Join(err, elements(c.open, portKeys(addr, ports)))
}

// portKeys are the elements of the set of open ports: address, and port in a word of 4
// bytes.
func portKeys(addr netip.Addr, ports []uint16) []nftables.SetElement {
	var keys []nftables.SetElement
	for _, p := range ports {
		key := binary.BigEndian.AppendUint16(addr.AsSlice(), p)
		keys = append(keys, nftables.SetElement{Key: append(key, 0, 0)})
	}
	return keys
}
