package fakedns_test

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/proxychaos/proxychaos/fakedns"
)

// A name moves to another address, and then DNS fails. Whether the client under test has
// asked again is awaited, not guessed.
func Example() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	server, err := fakedns.New(fakedns.Config{
		Listen: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")},
		Names:  []fakedns.Name{{Name: "app.example", TTL: time.Second, A: []netip.Addr{netip.MustParseAddr("10.0.0.1")}}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer server.Close()
	go func() { _ = server.Run(ctx) }()

	// The client under test.
	resolver := net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, server.Addrs()[0].String())
	}}
	ask := func() {
		addrs, err := resolver.LookupNetIP(ctx, "ip4", "app.example.")
		fmt.Println(addrs, err != nil)
	}

	ask()
	before := server.LastSeq()
	_, _ = server.PutNames(fakedns.Name{Name: "app.example", TTL: time.Second, A: []netip.Addr{netip.MustParseAddr("10.0.0.2")}})
	ask()
	query, _ := server.WaitQuery(ctx, fakedns.Filter{After: before, Name: "app.example"})
	fmt.Println("asked for", query.Name, query.Type)

	_, _ = server.PutFault(fakedns.Fault{ID: "outage", Kind: fakedns.KindServFail})
	ask()
	// Output:
	// [10.0.0.1] false
	// [10.0.0.2] false
	// asked for app.example A
	// [] true
}
