package testbed

import (
	"github.com/testcontainers/testcontainers-go"

	"github.com/proxychaos/proxychaos/fakedns"
	"github.com/proxychaos/proxychaos/harness/pod"
)

// Seat is a pod, with resolvers of its own, and the proxy that has joined it.
type Seat struct {
	DNS *fakedns.Client
	Pod *pod.Client

	tb     *Testbed
	number int // of the proxy, from 1
	host   int // of the pod, in the testbed's network
	pod    testcontainers.Container
	proxy  testcontainers.Container
	watch  string        // ID of the pod's watch
	former []pod.Process // of the proxy, before RestartProxy or ReloadProxy
	said   int           // how often it had said that it reloaded its configuration, before ReloadProxy
	// masters have had children that accept. One whose children have all just
	// ended (Apache's MaxConnectionsPerChild) looks like a worker, and is none.
	masters map[int]bool
}

// proxyNumber is the number that rows give a proxy: 0 if there is only one.
func (s *Seat) proxyNumber() int {
	if len(s.tb.Others) == 0 {
		return 0
	}
	return s.number
}
