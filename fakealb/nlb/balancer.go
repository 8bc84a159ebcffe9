package nlb

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/proxychaos/proxychaos/fakealb/targets"
)

// Targets chooses the target of a flow. A *targets.Pool does.
type Targets interface {
	// PickFlow returns false if there is no target that a flow could go to.
	PickFlow(hash uint64) (targets.Flow, bool)
}

// Arrival is a connection that a client has opened to a node.
type Arrival struct {
	ID           uint64 // of the connection
	Client, Node netip.AddrPort
	Conn         Conn
	// Stream is TLS over Conn on a TLS listener. Nil means Conn.
	Stream Stream
	// ALPN is what was negotiated on a TLS listener. It is what a TLS target is
	// offered.
	ALPN string
	// Chosen is told the target, as soon as there is one.
	Chosen func(target string)
}

// Settings are what the load balancer says of flows. Times are scaled already.
type Settings struct {
	// Idle is after how much silence of both sides a flow is forgotten.
	Idle time.Duration
	// Keepalive is the interval of TCP keepalives of the load balancer's own, which a
	// TLS listener sends to both sides (4.2 D). 0 is for none. The kernel knows no
	// fractions of a second, so the least is 1 s.
	Keepalive time.Duration
	// ResetIdle resets a flow that was silent for Idle, in place of forgetting it.
	ResetIdle bool
	// Connect and Handshake bound how long a target may take to accept and for TLS.
	Connect, Handshake time.Duration
	TLS                bool // towards targets
	ProxyProtocol      bool // version 2, towards targets
	// Ports is how many source ports there are towards each target: 55,000 with an NLB
	// (4.7 D). PortHold is how long a flow keeps its one at least: a minute.
	Ports    int
	PortHold time.Duration
	// Endpoint is the VPC endpoint that flows come through, such as
	// vpce-08d2bf15fac5001c9, and as whose TLV the header names it. Empty for none.
	Endpoint string
}

// The CloudWatch names (4.12 D) of what a Balancer counts.
const (
	NewFlows          = "NewFlowCount"
	Rejected          = "RejectedFlowCount"
	ClientResets      = "TCP_Client_Reset_Count"
	TargetResets      = "TCP_Target_Reset_Count"
	OwnResets         = "TCP_ELB_Reset_Count"
	NoPort            = "PortAllocationErrorCount"
	UnhealthyRouting  = "UnhealthyRoutingFlowCount"
	TargetTLSFailures = "TargetTLSNegotiationErrorCount"
)

// Balancer holds the flows of one node. The zero value is not for use.
type Balancer struct {
	count func(name string)

	ports ports

	mu     sync.Mutex
	flows  map[*flow]struct{}
	closed bool
}

// New returns a Balancer which tells count of each thing that it counts, by its
// CloudWatch name.
func New(count func(name string)) *Balancer {
	return &Balancer{count: count, flows: map[*flow]struct{}{}}
}

// Active is the number of flows, without those that were forgotten.
func (b *Balancer) Active() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := 0
	for f := range b.flows {
		select {
		case <-f.ended:
		default:
			n++
		}
	}
	return n
}

// Serve pins a connection to a target and passes bytes on until the client's side
// has ended. What is left of a forgotten flow waits for the target's packet.
func (b *Balancer) Serve(a Arrival, among Targets, s Settings) End {
	b.count(NewFlows)
	if a.Stream == nil {
		a.Stream = a.Conn
	}
	choice, ok := among.PickFlow(flowHash(a.Client, a.Node, a.ID))
	if !ok {
		b.count(Rejected)
		return b.refuse(a, NoTarget)
	}
	defer choice.Done()
	a.Chosen(choice.Target)
	if choice.FailedOpen {
		b.count(UnhealthyRouting)
	}
	release, ok := b.ports.take(choice.Target, s.Ports, s.PortHold)
	if !ok {
		b.count(NoPort)
		return b.refuse(a, NoPortForTarget)
	}
	defer release()
	setKeepalive(a.Conn, s.Keepalive)
	target, how, err := b.connect(a, choice, s)
	if err != nil {
		return b.refuse(a, how)
	}
	f := newFlow(newSide(ByClient, a.Conn, a.Stream), target, s.Idle, b.countReset)
	f.resetIdle = s.ResetIdle
	if !b.add(f) {
		f.cut(RST)
	}
	lost := context.AfterFunc(choice.Lost, func() { f.cut(lossOf(choice.Lost)) })
	go func() {
		f.run()
		lost()
		b.remove(f)
	}()
	<-f.client.closed // the caller closes the connection too, which must not turn an RST into FIN
	f.finish(End{ByBalancer, FIN})
	return f.result()
}

// refuse resets a connection that has no target.
func (b *Balancer) refuse(a Arrival, how How) End {
	a.Conn.Reset()
	if how == TargetRefused {
		b.count(TargetResets)
		return End{ByTarget, RST}
	}
	b.count(OwnResets)
	return End{ByBalancer, how}
}

// Why a connection did not become a flow.
const (
	NoTarget How = "no-target"
	// TargetRefused is RST for the SYN: the client would have got that.
	TargetRefused    How = "target-refused"
	TargetTimeout    How = "target-timeout"
	TargetHandshake  How = "target-handshake"
	NoPortForTarget  How = "port-allocation"
	targetUnreadable How = "target-lost"
)

// connect opens the target's side, with the PROXY protocol header and TLS.
func (b *Balancer) connect(a Arrival, choice targets.Flow, s Settings) (*side, How, error) {
	dialer := net.Dialer{Timeout: s.Connect, KeepAlive: -1}
	c, err := dialer.DialContext(choice.Lost, "tcp", choice.Addr.String())
	if err != nil {
		if choice.Lost.Err() != nil {
			return nil, lossOf(choice.Lost), err
		}
		choice.Failed()
		switch {
		case errors.Is(err, unix.EADDRNOTAVAIL):
			b.count(NoPort)
			return nil, NoPortForTarget, err
		case errors.Is(err, unix.ECONNREFUSED):
			return nil, TargetRefused, err
		}
		return nil, TargetTimeout, err
	}
	conn := targetConn{c.(*net.TCPConn)}
	setKeepalive(conn, s.Keepalive)
	if s.ProxyProtocol {
		if err := writeProxyHeader(conn, a.Client, a.Node, s.Endpoint); err != nil {
			conn.Reset()
			return nil, targetUnreadable, err
		}
	}
	if !s.TLS {
		return newSide(ByTarget, conn, conn), "", nil
	}
	stream, err := handshake(conn, a.ALPN, s.Handshake)
	if err != nil {
		b.count(TargetTLSFailures)
		conn.Reset()
		return nil, TargetHandshake, err
	}
	return newSide(ByTarget, conn, stream), "", nil
}

// lossOf says why the pool gave a target's flows up.
func lossOf(lost context.Context) How {
	if errors.Is(context.Cause(lost), targets.ErrDeregistered) {
		return Deregistered
	}
	return Unhealthy
}

// countReset counts an RST by who caused it.
func (b *Balancer) countReset(by Party) {
	switch by {
	case ByClient:
		b.count(ClientResets)
	case ByTarget:
		b.count(TargetResets)
	default:
		b.count(OwnResets)
	}
}

func (b *Balancer) add(f *flow) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.closed {
		b.flows[f] = struct{}{}
	}
	return !b.closed
}

func (b *Balancer) remove(f *flow) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.flows, f)
}

// Close resets the target side of every flow. Clients are not told: their
// connections are the node's, and end with it.
func (b *Balancer) Close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	for f := range b.flows {
		f.target.reset()
	}
}
