package netfault

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
)

// userspace is the Network that works on the process's own sockets.
type userspace struct {
	held  Held
	mu    sync.Mutex
	nodes map[netip.Addr]*userNode
	ended bool
}

type userNode struct {
	gate      gate
	conns     *connSet
	listeners []*listener
	kind      Kind
	removed   bool
}

// OpenUserspace returns a Network for addresses of 127.0.0.0/8, which every
// process may use without asking. Refuse closes the listeners and resets the
// connections. Silence stops accepting and fills each accept queue, made zero
// long, so that the kernel drops further SYNs; open connections are neither
// served nor closed (the kernel still acknowledges what the peer sends, and the
// first such bytes of each connection are told to held).
// A removed address remains silent: an address of 127.0.0.0/8 cannot go away.
func OpenUserspace(held Held) Network {
	return &userspace{held: held, nodes: map[netip.Addr]*userNode{}}
}

func (u *userspace) Add(addr netip.Addr) error {
	if !addr.Is4() || !addr.IsLoopback() {
		return fmt.Errorf("got node address %s, want one of 127.0.0.0/8 in user-space mode", addr)
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.ended {
		return errors.New("the network is closed")
	}
	if old := u.nodes[addr]; old != nil {
		if !old.removed {
			return fmt.Errorf("address %s is a node already", addr)
		}
		old.end()
	}
	u.nodes[addr] = &userNode{conns: newConnSet(), kind: None}
	return nil
}

func (u *userspace) Listen(ap netip.AddrPort) (net.Listener, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	n := u.nodes[ap.Addr()]
	if n == nil || n.removed {
		return nil, fmt.Errorf("address %s was not added", ap.Addr())
	}
	l, err := newListener(ap, func(c *net.TCPConn) net.Conn { return n.conns.add(c, &n.gate, u.held) })
	if err != nil {
		return nil, err
	}
	n.listeners = append(n.listeners, l)
	return l, nil
}

func (u *userspace) Set(kinds map[netip.Addr]Kind) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	for addr := range kinds {
		if n := u.nodes[addr]; n == nil || n.removed {
			return fmt.Errorf("address %s was not added", addr)
		}
	}
	// Freeze and reset first: that is quick, and it makes the step one step.
	var refused []*userNode
	var ends []*connSet
	for addr, kind := range kinds {
		n := u.nodes[addr]
		n.conns.refuse(kind == Refuse)
		switch kind {
		case Silence:
			n.gate.close()
		case Refuse:
			refused, ends = append(refused, n), append(ends, n.conns)
		default:
			n.gate.open()
		}
	}
	endAll(answerLimit, ends...)
	for _, n := range refused { // whoever was frozen is reset by now
		n.gate.open()
	}
	for addr, kind := range kinds {
		n := u.nodes[addr]
		for _, l := range n.listeners {
			if err := l.set(kind); err != nil {
				return fmt.Errorf("put %s on %s: %w", kind, addr, err)
			}
		}
		n.kind = kind
	}
	return nil
}

// End implements Network.
func (u *userspace) End(addrs ...netip.Addr) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	var sets []*connSet
	for _, addr := range addrs {
		n := u.nodes[addr]
		if n == nil || n.removed {
			return fmt.Errorf("address %s was not added", addr)
		}
		sets = append(sets, n.conns)
	}
	endAll(answerLimit, sets...)
	return nil
}

func (*userspace) OpenPorts(netip.Addr, []uint16) error { return nil }

func (u *userspace) Remove(addr netip.Addr) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	n := u.nodes[addr]
	if n == nil || n.removed {
		return fmt.Errorf("address %s was not added", addr)
	}
	n.gate.close()
	n.removed = true
	for _, l := range n.listeners {
		if err := l.set(Silence); err != nil {
			return fmt.Errorf("silence the removed address %s: %w", addr, err)
		}
		l.detach()
	}
	return nil
}

func (u *userspace) Close() error {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.ended = true
	for _, n := range u.nodes {
		n.end()
	}
	clear(u.nodes)
	return nil
}

// end frees the sockets of the node: listeners, then connections by reset.
func (n *userNode) end() {
	for _, l := range slices.Backward(n.listeners) {
		l.end()
	}
	n.conns.refuse(true)
	endAll(0, n.conns)
	n.gate.open()
}
