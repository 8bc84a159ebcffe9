// Package goproxy is a reverse proxy for backends whose addresses move.
//
// A cloud load balancer answers DNS with a few addresses and replaces them
// whenever it scales. Most proxies keep the old ones: in a name resolved once,
// or in a pool of open connections. This one is built around the name:
//
//   - Each upstream name is followed with its TTL (package resolve).
//   - Connections are pooled by address. When an address leaves the answer it
//     gets no new request, its idle connections are closed at once, and what is
//     running may finish.
//   - A request that can be repeated safely (RFC 9110, 9.2.2) and has no
//     response yet is sent to another address when its own one has left, fails
//     or stays silent. The first response wins. Others, a POST above all, are
//     sent again only when not one byte of them can have left.
//   - Trouble with the present addresses makes the name be asked for early.
//
// The package is a library: [Load] reads a [Config], [New] checks it and binds
// the listener, [Proxy.Run] serves until its context ends and then drains.
// [Command] is the same as a command line.
package goproxy
