package testbed

// Weights for the machine's cores; the other containers have 1024. If all want more than
// there is, each gets as much as any other of its weight. A proxy that makes a TLS
// connection for each request wants more than the fakes do, and a load that is late proves
// nothing: of 340 cells, six at a time on two cores beside a compiler, two were unproven
// because nginx had waited for a core for 0.62 and 0.75 of the time, and two because the
// load was late by 0.3 s and 0.4 s (2026-11-30).
const (
	proxyShares = 8 * 1024
	loadShares  = 8 * 1024
)
