package main

import (
	"context"
	"net/http"
	_ "net/http/pprof"
	"github.com/proxychaos/proxychaos/fakealb"
	"fmt"
	"net/netip"
)

func main() {
	go http.ListenAndServe("127.0.0.1:18599", nil)
	s, err := fakealb.New(fakealb.Config{Network: fakealb.NetworkUserspace, Ports: []uint16{8080}, Control: "127.0.0.1:18598",
		LoadBalancers: []fakealb.LoadBalancer{{Name: "blue", Targets: 2}},
		Nodes:         []fakealb.Node{{Addr: netip.MustParseAddr("127.0.90.50"), LoadBalancer: "blue"}}})
	if err != nil {
		panic(err)
	}
	fmt.Println(s.Run(context.Background()))
}
