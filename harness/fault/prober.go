package fault

import (
	"context"
	"net/netip"
	"time"
)

// Prober looks at the world from where the proxy stands.
type Prober interface {
	// Lookup asks one resolver for the records of a name, of type A or AAAA. An answer
	// other than NOERROR is an error.
	Lookup(ctx context.Context, resolver netip.AddrPort, name, qtype string) ([]netip.Addr, error)
	// Connect opens and closes a TCP connection and gives the result: Connected,
	// Refused, TimedOut, Unreachable or Reset.
	Connect(ctx context.Context, to netip.AddrPort, timeout time.Duration) (Result, error)
	// Hold opens a connection to a node and keeps it for Ask.
	Hold(ctx context.Context, to netip.AddrPort) error
	// Ask sends a request on the held connection and gives the result: Answered,
	// Reset, Closed, Silent, Unreachable or Garbled.
	Ask(ctx context.Context, to netip.AddrPort, timeout time.Duration) (Result, error)
	// Get makes one request on a connection of its own.
	Get(ctx context.Context, to netip.AddrPort, timeout time.Duration) (Answer, error)
	// Handshake does a TLS handshake as a client that trusts ca (PEM) and wants
	// a certificate for name, and gives the result.
	Handshake(ctx context.Context, to netip.AddrPort, name string, ca []byte, timeout time.Duration) (Handshake, error)
}

// Result is the result of a connection or of a request.
type Result string

// The results.
const (
	Connected   Result = "connected"   // the handshake of TCP was done
	Refused     Result = "refused"     // a RST instead of a handshake
	TimedOut    Result = "timeout"     // no handshake in time
	Unreachable Result = "unreachable" // no route, or ICMP said so
	Reset       Result = "reset"       // a RST after the handshake
	Answered    Result = "answered"    // an HTTP or DNS answer was read to its end
	Closed      Result = "closed"      // a FIN instead of an answer
	Silent      Result = "silence"     // no answer in time
	Garbled     Result = "garbled"     // an answer that is cut short, or is not HTTP
)

// Answer is the result of one request.
type Answer struct {
	Result Result
	Status int    // if Answered
	Server string // the Server header
	Took   time.Duration
}
