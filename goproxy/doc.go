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
//     or is silent. The first response wins. Others, a POST above all, are
//     sent again only when not one byte of them can have left.
//   - Trouble with the present addresses makes the name be asked for early.
//
// # How a request goes
//
// HTTP/1 is read and written by package http1. One goroutine for each client
// connection reads a request, sends it on a connection that is there, waits,
// and writes the response (direct.go): no other goroutine, no channel, timer or
// context. Only where that fails, takes longer than Retries.HedgeAfter, or its
// address leaves, the attempt is handed to the machinery for retries, hedges
// and rescues (exchange.go, repeat.go, blame.go) and goes on as one attempt among others. A client
// is watched for its end only while its request waits long (watcher.go).
// Deadlines are set rarely: an earlier one is left in force, and the reader
// that it wakes for nothing sets the right one. Sockets are read and written by
// package wire, without telling Go's scheduler, and a body of known length and
// more than some 16 KiB goes from one socket to the other inside the kernel
// (splice.go) where neither side has TLS.
//
// HTTP/2 is net/http's, on both sides: its server gets the connections on which
// ALPN says so or HTTP/2 begins without TLS (h2client.go), through a reader that
// makes it as strict as RFC 9113 (h2reader.go), its transport serves
// upstreams with protocol h2 or h2c (h2upstream.go). What comes in so is checked
// like HTTP/1 before it can be written as HTTP/1.
//
// Why not net/http and httputil.ReverseProxy for HTTP/1: measured here, a bare
// one reaches 0.37 of nginx. Why not fasthttp, the library that is fast: in
// v1.69.0 its reader takes a Content-Length together with chunks, folded lines,
// two Hosts or none, control characters in the target and HTTP/1.5, and its
// client takes a 103 for the response. A proxy must do neither.
//
// The package is a library: [Load] reads a [Config], [New] checks it and binds
// the listener, [Proxy.Run] serves until its context ends and then drains.
// [Command] is the same as a command line.
package goproxy
