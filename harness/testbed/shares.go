package testbed

// cellShares is the weight of each container of a cell for the machine's cores; other programs'
// have 1024. If all want more than there is, each gets as much as any other of its weight. A
// cell on a machine without CPU to spare proves nothing: of 340 cells, six at a time on two
// cores beside a compiler, two were unproven because nginx had waited for a core for 0.62 and
// 0.75 of the time, and two because the load was late by 0.3 s and 0.4 s (2026-11-30). The
// fakes weigh as much as the proxy: with an eighth of its weight a node's handshakes took
// longer than 5 s beside proxies that made a TLS connection for each request.
const cellShares = 8 * 1024
