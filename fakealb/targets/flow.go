package targets

import (
	"context"
	"errors"
	"net/netip"
)

// Flow is the target of one connection through a Network Load Balancer.
type Flow struct {
	Target string // its ID
	Addr   netip.AddrPort
	// FailedOpen says that too few targets were healthy, so that this one got it
	// regardless of its health.
	FailedOpen bool
	// Lost ends when the flow is to be reset, with ErrUnhealthy or ErrDeregistered as
	// its cause.
	Lost context.Context
	// Failed tells that the target could not be reached (passive checks: 4.4 D).
	Failed func()
	// Done is to be called at the end of the flow.
	Done func()
}

// Why a flow is lost.
var (
	// ErrUnhealthy ends the flows of a target that failed its health checks (4.5 D).
	ErrUnhealthy = errors.New("the target became unhealthy")
	// ErrDeregistered ends what is still under way with a target at the end of its
	// deregistration delay: 502 to requests (2.4.1 D), RST to flows (4.9 D).
	ErrDeregistered = errors.New("the deregistration delay of the target ended")
)
