package fault

import (
	"context"
	"net/netip"
	"time"

	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/fakedns"
	"github.com/proxychaos/proxychaos/harness/world"
)

// Live is the running world, as far as a fault can reach it.
type Live struct {
	DNS   *fakedns.Client
	ALB   *fakealb.Client
	Probe Prober
	Proxy Proxy
	// Resolvers are the addresses at which DNS is tried from the proxy's place: one of
	// the testbed's, and those that the proxy has asked.
	Resolvers []netip.AddrPort
	TTL       time.Duration
	Topology  world.Topology
	// State is what was true just before the fault.
	State world.State
	// Upstreams are the upstreams in use, by number, each with a name that leads
	// to it: one that the proxy has asked for.
	Upstreams map[int]string
	Port      uint16 // a port the nodes listen on for plain HTTP
}

// used are the nodes of the upstreams in use, and those in front, to which clients go.
func (w *Live) used(nodes []world.NodeState) []world.NodeState {
	var used []world.NodeState
	for _, n := range nodes {
		if _, ok := w.Upstreams[n.Upstream]; ok || n.Upstream == world.InFront {
			used = append(used, n)
		}
	}
	return used
}

// anyName is a name that leads to an upstream in use.
func (w *Live) anyName() string {
	for upstream := range world.Upstreams {
		if name, ok := w.Upstreams[upstream+1]; ok {
			return name
		}
	}
	return dnsName(w.Topology.Balancers[0].Name, 1)
}

// Prober looks at the world from where the proxy stands.
type Prober interface {
	// Lookup asks one resolver for the records of a name, of type A or AAAA. An answer
	// other than NOERROR is an error.
	Lookup(ctx context.Context, resolver netip.AddrPort, name, qtype string) ([]netip.Addr, error)
	// Connect opens and closes a TCP connection and says what came of it: a
	// Connected, Refused, TimedOut, or another word.
	Connect(ctx context.Context, to netip.AddrPort, timeout time.Duration) (string, error)
	// Hold opens a connection to a node and keeps it for Ask.
	Hold(ctx context.Context, to netip.AddrPort) error
	// Ask sends a request on the held connection and says what came of it:
	// Answered, Reset, Closed or Silent.
	Ask(ctx context.Context, to netip.AddrPort, timeout time.Duration) (string, error)
	// Get makes one request on a connection of its own.
	Get(ctx context.Context, to netip.AddrPort, timeout time.Duration) (Answer, error)
	// Handshake does a TLS handshake as a client that trusts ca (PEM) and wants
	// a certificate for name, and says what came of it: a Handshake constant.
	Handshake(ctx context.Context, to netip.AddrPort, name string, ca []byte, timeout time.Duration) (string, error)
}

// What came of a connection or of a request.
const (
	Connected = "connected"
	Refused   = "refused"
	TimedOut  = "timeout"
	Answered  = "answered"
	Reset     = "reset"
	Closed    = "closed"
	Silent    = "silence"
	Garbled   = "garbled" // cut short, or not HTTP
)

// Answer is what came of one request.
type Answer struct {
	Result string // Answered, Reset, Closed, Silent, or another word
	Status int    // if Answered
	Server string // the Server header
	Took   time.Duration
}
