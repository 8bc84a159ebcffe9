// Package fakedns is a programmable fake of Route 53 and the VPC resolver. TEST ONLY.
//
// A [Server] answers DNS over UDP and TCP on any number of addresses. Which
// addresses it gives for a [Name], and which [Fault] is in force, can be changed
// at any moment from Go or through a control API (JSON over HTTP); a change takes
// effect between two queries, never within one. Every query is kept in a log that
// can be searched, streamed and waited on, so a test can wait until a proxy has
// really asked again instead of sleeping.
//
//	srv, err := fakedns.New(fakedns.Config{
//		Listen: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")},
//	})
//	if err != nil { ... }
//	defer srv.Close()
//	go srv.Run(ctx)
//	srv.PutNames(fakedns.Name{Name: "app.example", TTL: 60 * time.Second,
//		A: []netip.Addr{netip.MustParseAddr("10.0.0.1")}})
//
// Read it in this order: name.go, zone.go, srv.go, fault.go and kind.go (what can be
// set), table.go, lookup.go and entry.go (what a question gets), exchange.go (one packet
// in, one packet out: by simplequery.go and simpleanswer.go if the query has the usual
// form and no fault touches it, otherwise by answer.go), server.go and udp.go
// (sockets), querylog.go (the log), api.go and client.go (the control API).
package fakedns
