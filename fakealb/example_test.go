package fakealb_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"syscall"

	"github.com/proxychaos/proxychaos/fakealb"
)

// A node of a load balancer answers, then refuses connections. What it saw is recorded.
func Example() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	node := netip.MustParseAddr("127.0.88.1")
	server, err := fakealb.New(fakealb.Config{
		Network:       fakealb.NetworkUserspace, // no privilege is needed
		Ports:         []uint16{8080},
		LoadBalancers: []fakealb.LoadBalancer{{Name: "blue", Targets: 2}},
		Nodes:         []fakealb.Node{{Addr: node, LoadBalancer: "blue"}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer server.Close()
	go func() { _ = server.Run(ctx) }()

	// The client under test.
	get := func() {
		request, _ := http.NewRequestWithContext(ctx, http.MethodGet, "http://127.0.88.1:8080/", http.NoBody)
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			fmt.Println("refused:", errors.Is(err, syscall.ECONNREFUSED))
			return
		}
		_ = response.Body.Close()
		fmt.Println(response.Status)
	}

	get()
	control := fakealb.NewClient(server.ControlURL(), nil)
	http.DefaultClient.CloseIdleConnections()
	if _, err := control.SetFault(ctx, fakealb.FaultRefuse, node); err != nil {
		fmt.Println(err)
	}
	get()
	attempts, _ := control.Attempts(ctx)
	fmt.Println("requests that the node got:", len(attempts))
	// Output:
	// 200 OK
	// refused: true
	// requests that the node got: 1
}
