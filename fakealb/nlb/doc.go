// Package nlb is what a fake Network Load Balancer does with connections: it pins
// each one to a target for its life, passes bytes on as they are, and forgets a
// flow that was idle for too long without telling anybody (4.1, 4.2 D).
//
// A real one rewrites packets and terminates no TCP; this one is a process with a
// socket to each side. So a client's connect succeeds before a target was asked,
// and the kernel acknowledges a packet before the flow it belongs to is found to
// be forgotten and the RST goes out.
//
// It knows nothing of nodes, listeners or the control API: package fakealb gives
// it accepted connections.
package nlb
