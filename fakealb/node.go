package fakealb

import (
	"context"
	"crypto/rand"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/proxychaos/proxychaos/fakealb/capture"
	"github.com/proxychaos/proxychaos/fakealb/netfault"
	"github.com/proxychaos/proxychaos/fakealb/nlb"
	"github.com/proxychaos/proxychaos/fakealb/record"
	"github.com/proxychaos/proxychaos/fakealb/rules"
	"github.com/proxychaos/proxychaos/fakealb/targets"
	"github.com/proxychaos/proxychaos/harness/control"
)

// view is all that a request may depend on. A request takes one view when it
// begins, so its response is never a mixture of two states.
type view struct {
	lb     *LoadBalancer            // never changed: another takes its place
	groups map[string]targets.Group // of lb, by name
	pools  pools
	tables map[uint16]*rules.Table // by port; none where there are no rules
	lag    Duration                // of the control plane
	zone   string
	route  string // Node.JVMRoute
	fault  FaultSetting
	since  time.Time // of fault
}

// node is one address that serves.
type node struct {
	addr    netip.Addr
	name    string // of addr
	current atomic.Pointer[view]
	turn    atomic.Uint64 // of the round robin over built-in targets
	// accepted, handshakes and requests count what a fault with a share may hit.
	accepted, handshakes, requests atomic.Uint64
	active                         atomic.Int64 // open connections of clients
	toTargets                      atomic.Int64 // open connections to targets of groups
	flows                          *nlb.Balancer
	// ticketKey encrypts the TLS sessions that clients resume.
	ticketKey [32]byte
	planned   *plan // guarded by Server.mu
}

// noFault is what a node begins with.
var noFault = FaultSetting{Kind: FaultNone, Share: 1}

func (s *Server) newNode(addr netip.Addr, v view) *node {
	n := &node{addr: addr, name: addr.String()}
	n.flows = nlb.New(func(name string) { s.metrics.count(name, n.view(), 1) })
	_, _ = rand.Read(n.ticketKey[:]) // never fails
	n.setView(v)
	return n
}

func (n *node) view() view     { return *n.current.Load() }
func (n *node) setView(v view) { n.current.Store(&v) }

// startNode takes the node's address and ports and begins to accept.
func (s *Server) startNode(n *node) error {
	if err := s.network.Add(n.addr); err != nil {
		return control.Errorf(http.StatusConflict, CodeInUse, "addr", "%v", err)
	}
	var listeners []net.Listener
	for _, port := range s.config.Ports {
		l, err := s.network.Listen(netip.AddrPortFrom(n.addr, port))
		if err != nil {
			err = errors.Join(err, s.network.Remove(n.addr))
			if errors.Is(err, unix.EADDRINUSE) {
				return control.Errorf(http.StatusConflict, CodeInUse, "addr", "%v", err)
			}
			return networkError(err)
		}
		listeners = append(listeners, l)
	}
	for i, l := range listeners {
		s.serving.Go(func() { s.accept(n, s.config.Ports[i], l) })
	}
	return nil
}

// askedPort is the port that a client asked for whose connection was accepted on one
// that is listened on.
func (s *Server) askedPort(c net.Conn, port uint16) (uint16, error) {
	if !s.config.AnyPort || port != s.config.Ports[0] {
		return port, nil
	}
	return netfault.AskedPort(c.(netfault.Resetter))
}

// acceptPause is the pause after a connection could not be accepted.
const acceptPause = 10 * time.Millisecond

func (s *Server) accept(n *node, port uint16, l net.Listener) {
	for {
		c, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			// Out of file descriptors, most likely. That falsifies what clients see, so
			// the status tells of it; the pause keeps it from becoming a busy loop.
			s.acceptErrors.Add(1)
			s.log.Error("fakealb: a node could not accept a connection", "node", n.addr, "port", port, "error", err)
			s.wait(context.Background(), acceptPause)
			continue
		}
		s.serving.Go(func() { s.serve(n, port, c) })
	}
}

// segment records what the capture saw.
func (s *Server) segment(seg capture.Segment) {
	fault, ok := s.faults.at(seg.Dst.Addr(), seg.Time)
	if !ok || (!seg.SYN && !keepsPayload(fault)) {
		return
	}
	row := record.Packet{
		Time: seg.Time, Node: seg.Dst.Addr(), Port: seg.Dst.Port(), Peer: seg.Src,
		Kind: record.Data, Retransmit: seg.Retransmit, Bytes: len(seg.Payload),
		Fault: recordedFault(fault), Probe: record.IsProbe(seg.Src),
	}
	requestInPayload(seg.Payload).into(&row)
	if seg.SYN {
		row.Kind = record.SYN
	}
	s.packets.Add(row)
}
