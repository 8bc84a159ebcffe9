// Package load sends open-loop load at a proxy and says what became of each
// request.
//
// Open loop means that requests leave by the clock, whether or not earlier
// ones were answered: a proxy that stalls meets the same number of users as
// one that does not. The clock is vegeta's; what this package adds is the
// users. Each has one keep-alive connection of its own, which it replaces
// after some requests, and every request carries a sequence number by which
// the rows of the client and those of the ALB nodes are joined.
//
// Run is the library. Handler is the agent that runs it in a container next
// to the proxy, and Client talks to that agent. The agent is for tests only:
// whoever reaches it can send load from it.
package load

// Headers of requests and answers.
const (
	// SeqHeader carries the sequence number of a request, from 1. Requests of
	// a Burst have none, those of Trials one that begins with x.
	SeqHeader = "X-Proxychaos-Seq"
	// HoldHeader asks a node to delay its answer; a Go duration ("300ms").
	HoldHeader = "X-Proxychaos-Hold"
	// NodeHeader is the address of the node that answered, as the node says.
	NodeHeader = "X-Fakealb-Node"
)
