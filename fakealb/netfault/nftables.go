//go:build linux

package netfault

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// tableName is the one nftables table of ours. Two fakealb processes cannot
// share a network namespace in this mode.
const tableName = "proxychaos_fakealb"

// kernelNet is the Network that has the kernel do the faults.
type kernelNet struct {
	link  *link
	ports []uint16 // as in OpenNFTables
	mu    sync.Mutex
	nft   *nftables.Conn
	// tables is guarded by mu, like what follows. The one of IPv6 is made for the first
	// node that has such an address: not every machine has it.
	tables map[*family]*table
	// kinds holds what is in force in the kernel. A removed address is kept
	// in here, silent, so that nothing of its old sockets can leave.
	kinds map[netip.Addr]Kind
	nodes map[netip.Addr]*kernelNode
	ended bool
}

// table is the nftables table of one family.
type table struct {
	*family
	nft  *nftables.Conn
	tab  *nftables.Table
	sets map[Kind]*nftables.Set
	// anyPort has the nodes' addresses; nil if only the ports listened on are taken.
	anyPort *nftables.Set
	closed  closedPorts
}

type kernelNode struct {
	conns     *connSet
	listeners []net.Listener
}

// OpenNFTables returns a Network that adds addresses, IPv4 and IPv6, to the interface named
// ifname and switches faults with one nftables transaction each. An empty ifname
// means the only interface that is up and is not the loopback. If there are ports,
// connections to every other port of a node come to the first of them, and [AskedPort]
// tells the one that was asked for.
func OpenNFTables(ifname string, ports []uint16) (Network, error) {
	l, err := openLink(ifname)
	if err != nil {
		return nil, err
	}
	nft, err := nftables.New(nftables.AsLasting())
	if err != nil {
		return nil, fmt.Errorf("open nftables: %w; the container needs the capability NET_ADMIN", err)
	}
	k := &kernelNet{
		link: l, ports: ports, nft: nft, tables: map[*family]*table{},
		kinds: map[netip.Addr]Kind{}, nodes: map[netip.Addr]*kernelNode{},
	}
	if _, err := k.table(&ipv4); err != nil {
		return nil, errors.Join(err, nft.CloseLasting())
	}
	return k, nil
}

// table is that of a family, made if it is not there.
func (k *kernelNet) table(f *family) (*table, error) {
	if t := k.tables[f]; t != nil {
		return t, nil
	}
	t := &table{family: f, nft: k.nft, sets: map[Kind]*nftables.Set{}}
	if err := t.create(k.ports); err != nil {
		return nil, fmt.Errorf("create nftables table %s: %w; the container needs the capability NET_ADMIN", tableName, err)
	}
	k.tables[f] = t
	return t, nil
}

// create replaces a table of the same name, which only a killed fakealb can
// have left.
func (t *table) create(ports []uint16) error {
	t.tab = t.nft.AddTable(&nftables.Table{Family: t.table, Name: tableName})
	t.nft.DelTable(t.tab)
	t.tab = t.nft.AddTable(t.tab)
	for _, kind := range []Kind{Silence, SilenceNew, Refuse, RefuseNew} {
		set := &nftables.Set{Table: t.tab, Name: string(kind), KeyType: t.key}
		if err := t.nft.AddSet(set, nil); err != nil {
			return err
		}
		t.sets[kind] = set
	}
	input := t.chain("input", nftables.ChainHookInput, nftables.ChainPriorityFilter)
	output := t.chain("output", nftables.ChainHookOutput, nftables.ChainPriorityFilter)
	drop := &expr.Verdict{Kind: expr.VerdictDrop}
	t.rule(input, t.dst, t.sets[Silence], append(slices.Clone(t.muted), drop)...)
	t.rule(output, t.src, t.sets[Silence], append(slices.Clone(t.muted), drop)...)
	t.rule(input, t.dst, t.sets[SilenceNew], append(matchSYN(), drop)...)
	reset := &expr.Reject{Type: unix.NFT_REJECT_TCP_RST}
	t.rule(input, t.dst, t.sets[Refuse], append(matchTCP(), reset)...)
	t.rule(input, t.dst, t.sets[RefuseNew], append(matchSYN(), reset)...)
	if err := t.closed.create(t); err != nil {
		return err
	}
	if len(ports) > 0 {
		if err := t.takeAnyPort(ports); err != nil {
			return err
		}
	}
	return t.nft.Flush()
}

func (t *table) chain(name string, hook *nftables.ChainHook, at *nftables.ChainPriority) *nftables.Chain {
	return t.nft.AddChain(&nftables.Chain{
		Name: name, Table: t.tab, Type: nftables.ChainTypeFilter, Hooknum: hook, Priority: at,
	})
}

// rule adds: the address at offset is in set, then the rest.
func (t *table) rule(c *nftables.Chain, offset uint32, set *nftables.Set, rest ...expr.Any) {
	exprs := []expr.Any{
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseNetworkHeader, Offset: offset, Len: t.size},
		&expr.Lookup{SourceRegister: 1, SetName: set.Name, SetID: set.ID},
	}
	t.nft.AddRule(&nftables.Rule{Table: t.tab, Chain: c, Exprs: append(exprs, rest...)})
}

func matchTCP() []expr.Any {
	return []expr.Any{
		&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: 1},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{unix.IPPROTO_TCP}},
	}
}

// matchSYN matches TCP with SYN set and FIN, RST, ACK clear.
func matchSYN() []expr.Any {
	const fin, syn, rst, ack = 0x01, 0x02, 0x04, 0x10
	return append(matchTCP(),
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseTransportHeader, Offset: 13, Len: 1},
		&expr.Bitwise{
			SourceRegister: 1, DestRegister: 1, Len: 1,
			Mask: []byte{fin | syn | rst | ack}, Xor: []byte{0},
		},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{syn}},
	)
}

func (k *kernelNet) Add(addr netip.Addr) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.ended {
		return errors.New("the network is closed")
	}
	if k.nodes[addr] != nil {
		return fmt.Errorf("address %s is a node already", addr)
	}
	t, err := k.table(familyOf(addr))
	if err != nil {
		return err
	}
	if err := k.link.add(addr); err != nil {
		return err
	}
	if err := errors.Join(k.put(map[netip.Addr]Kind{addr: None}), t.takeAllOf(addr)); err != nil {
		return errors.Join(err, k.link.remove(addr))
	}
	k.nodes[addr] = &kernelNode{conns: newConnSet()}
	return nil
}

func (k *kernelNet) Listen(ap netip.AddrPort) (net.Listener, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	n := k.nodes[ap.Addr()]
	if n == nil {
		return nil, fmt.Errorf("address %s was not added", ap.Addr())
	}
	tcp, err := net.ListenTCP("tcp", net.TCPAddrFromAddrPort(ap))
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", ap, err)
	}
	n.listeners = append(n.listeners, tcp)
	return &setListener{TCPListener: tcp, conns: n.conns}, nil
}

func (k *kernelNet) Set(kinds map[netip.Addr]Kind) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	for addr := range kinds {
		if k.nodes[addr] == nil {
			return fmt.Errorf("address %s was not added", addr)
		}
	}
	if err := k.put(kinds); err != nil {
		return err
	}
	var refused []*connSet
	for addr, kind := range kinds {
		conns := k.nodes[addr].conns
		if conns.refuse(kind == Refuse); kind == Refuse {
			refused = append(refused, conns)
		}
	}
	endAll(answerLimit, refused...)
	return nil
}

// End implements Network.
func (k *kernelNet) End(addrs ...netip.Addr) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	var sets []*connSet
	for _, addr := range addrs {
		n := k.nodes[addr]
		if n == nil {
			return fmt.Errorf("address %s was not added", addr)
		}
		sets = append(sets, n.conns)
	}
	endAll(answerLimit, sets...)
	return nil
}

// put moves addresses between the kernel's sets in one transaction.
func (k *kernelNet) put(kinds map[netip.Addr]Kind) error {
	for addr, kind := range kinds {
		old, known := k.kinds[addr]
		if !known {
			old = None
		}
		if kind == old {
			continue
		}
		if err := k.tables[familyOf(addr)].move(addr, old, kind); err != nil {
			return err
		}
	}
	if err := k.nft.Flush(); err != nil {
		return fmt.Errorf("switch faults in nftables: %w", err)
	}
	for addr, kind := range kinds {
		k.kinds[addr] = kind
	}
	return nil
}

// move takes an address from one set to another with the caller's next flush. None has no
// set.
func (t *table) move(addr netip.Addr, from, to Kind) error {
	element := []nftables.SetElement{{Key: addr.AsSlice()}}
	if set := t.sets[from]; set != nil {
		if err := t.nft.SetDeleteElements(set, element); err != nil {
			return fmt.Errorf("lift %s: %w", from, err)
		}
	}
	if set := t.sets[to]; set != nil {
		if err := t.nft.SetAddElements(set, element); err != nil {
			return fmt.Errorf("put %s in force: %w", to, err)
		}
	}
	return nil
}

func (k *kernelNet) Remove(addr netip.Addr) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	n := k.nodes[addr]
	if n == nil {
		return fmt.Errorf("address %s was not added", addr)
	}
	if err := k.put(map[netip.Addr]Kind{addr: Silence}); err != nil {
		return err
	}
	if err := k.tables[familyOf(addr)].openPorts(addr, nil); err != nil {
		return err
	}
	if err := k.link.remove(addr); err != nil {
		return err
	}
	n.end()
	delete(k.nodes, addr)
	return nil
}

// end frees the node's sockets.
func (n *kernelNode) end() {
	for _, l := range n.listeners {
		_ = l.Close()
	}
	n.conns.refuse(true)
	endAll(0, n.conns)
}

func (k *kernelNet) Close() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.ended {
		return nil
	}
	k.ended = true
	var errs []error
	for addr, n := range k.nodes {
		n.end()
		errs = append(errs, k.link.remove(addr))
	}
	clear(k.nodes)
	for _, t := range k.tables {
		k.nft.DelTable(t.tab)
	}
	errs = append(errs, k.nft.Flush(), k.nft.CloseLasting(), k.link.close())
	return errors.Join(errs...)
}

// setListener puts what it accepts into a connSet.
type setListener struct {
	*net.TCPListener
	conns *connSet
}

func (l *setListener) Accept() (net.Conn, error) {
	tcp, err := l.AcceptTCP()
	if err != nil {
		return nil, err
	}
	return l.conns.add(tcp, nil, nil), nil
}
