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
func (c *closedPorts) create(k *kernelNet) error {
	c.ports = map[netip.Addr][]uint16{}
	c.guarded = &nftables.Set{Table: k.tab, Name: "guarded", KeyType: nftables.TypeIPAddr}
	c.open = &nftables.Set{
		Table: k.tab, Name: "open", Concatenation: true,
		KeyType: nftables.MustConcatSetType(nftables.TypeIPAddr, nftables.TypeInetService),
	}
	for _, set := range []*nftables.Set{c.guarded, c.open} {
		if err := k.nft.AddSet(set, nil); err != nil {
			return err
		}
	}
	const firstHalf, secondHalf = unix.NFT_REG32_00, unix.NFT_REG32_01 // of a key of two words
	arriving := k.chain("arriving", nftables.ChainHookPrerouting, nftables.ChainPriorityRaw)
	k.rule(arriving, ipDst, c.guarded, append(matchTCP(),
		&expr.Payload{DestRegister: firstHalf, Base: expr.PayloadBaseNetworkHeader, Offset: ipDst, Len: 4},
		&expr.Payload{DestRegister: secondHalf, Base: expr.PayloadBaseTransportHeader, Offset: dstPort, Len: 2},
		&expr.Lookup{SourceRegister: firstHalf, SetName: c.open.Name, SetID: c.open.ID, Invert: true},
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
	return k.openPorts(addr, ports)
}

// openPorts is OpenPorts with mu held.
func (k *kernelNet) openPorts(addr netip.Addr, ports []uint16) error {
	old, guarded := k.closed.ports[addr]
	if slices.Equal(old, ports) && guarded == (ports != nil) {
		return nil
	}
	var errs []error
	if guarded {
		errs = append(errs, k.closed.change(k.nft.SetDeleteElements, addr, old))
		delete(k.closed.ports, addr)
	}
	if ports != nil {
		errs = append(errs, k.closed.change(k.nft.SetAddElements, addr, ports))
		k.closed.ports[addr] = slices.Clone(ports)
	}
	if err := errors.Join(append(errs, k.nft.Flush())...); err != nil {
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

// portKeys are the elements of the set of open ports: address and port, each in a
// word of 4 bytes.
func portKeys(addr netip.Addr, ports []uint16) []nftables.SetElement {
	var keys []nftables.SetElement
	for _, p := range ports {
		key := binary.BigEndian.AppendUint16(addr.AsSlice(), p)
		keys = append(keys, nftables.SetElement{Key: append(key, 0, 0)})
	}
	return keys
}
