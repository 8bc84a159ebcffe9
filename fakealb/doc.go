// Package fakealb imitates the nodes of an AWS Application Load Balancer, for
// tests of what stands in front of one: proxies, clients, resolvers.
//
// One [Server] owns many nodes. Each node has an address of its own, listens
// on every configured port, and speaks TLS or plain HTTP as the listeners of its
// load balancer say, or by the first byte it gets. It belongs to a load balancer,
// whose built-in targets answer; without targets it answers the 503 of a real ALB,
// byte for byte. Through a control API (JSON over HTTP, see [Client]) addresses come
// and go, load balancers lose their targets, and nodes go silent or refuse, in about
// a millisecond. Everything a node saw is recorded: requests, connections, and the
// packets a silent node did not answer.
//
// A load balancer of [TypeNetwork] is a small Network Load Balancer instead: its
// nodes pin each TCP connection to a target, see package nlb.
//
// A first use:
//
//	s, err := fakealb.New(fakealb.Config{
//		Network: fakealb.NetworkUserspace,
//		Ports:   []uint16{8080},
//		LoadBalancers: []fakealb.LoadBalancer{{Name: "blue", Targets: 2}},
//		Nodes: []fakealb.Node{{Addr: netip.MustParseAddr("127.0.7.1"), LoadBalancer: "blue"}},
//	})
//	defer s.Close()
//	go s.Run(ctx)
//	c := fakealb.NewClient(s.ControlURL(), nil)
//	applied, err := c.SetFault(ctx, fakealb.FaultSilence, netip.MustParseAddr("127.0.7.1"))
//
// Facts about the real thing are numbered as in the project's aws-facts list
// (2.4 is the generated responses) and marked D documented, O observed, G guessed.
// It is for tests only: it has no authentication.
package fakealb
