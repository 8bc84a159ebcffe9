package fakealb_test

import (
	"net/netip"
	"testing"

	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/fakealb/targets"
)

// The node of a zone without a healthy target leaves DNS, unless that is so in
// every zone. Targets are used from their own zone only, as cross-zone load
// balancing is off by default (4.6 D).
func TestZonesOfANetworkLoadBalancer(t *testing.T) {
	t.Attr("aws-fact", "4.6")
	a, b := startLineTarget(t, "a"), startLineTarget(t, "b")
	blue := fakealb.LoadBalancer{
		Name: "blue", Type: fakealb.TypeNetwork,
		TargetGroup: &targets.Group{
			Protocol: targets.ProtocolTCP, Health: targets.HealthCheck{IntervalSeconds: 5, TimeoutSeconds: 5},
			Targets: []targets.Target{{Addr: a.at(), Zone: "a"}, {Addr: b.at(), Zone: "b"}},
		},
	}
	f := start(t, func(c *fakealb.Config) {
		c.TimeScale, c.LoadBalancers, c.Nodes[1].Zone = 50, []fakealb.LoadBalancer{blue}, "b"
	}, "127.0.83.1", "127.0.83.2")
	if d := f.inDNS(t, "ab"); d.FailOpen {
		t.Errorf("got %+v", d)
	}
	for range 5 {
		if got := line(t, dial(t, f.at(1)), "x"); got != "b x" {
			t.Errorf("the node of zone b: got %q, want its own zone's target", got)
		}
	}
	b.Close()
	if d := f.inDNS(t, "a"); d.FailOpen {
		t.Errorf("without a healthy target in zone b: got %+v", d)
	}
	a.Close()
	if d := f.inDNS(t, "ab"); !d.FailOpen {
		t.Errorf("without a healthy target in any zone: got %+v", d)
	}
	blue.TargetGroup.Targets = nil
	if _, err := f.PutLoadBalancer(f.ctx, blue); err != nil {
		t.Fatal(err)
	}
	if d := f.inDNS(t, "ab"); !d.FailOpen {
		t.Errorf("with an empty group: got %+v", d)
	}
}

func TestOneAddressAZone(t *testing.T) {
	t.Attr("aws-fact", "4.11")
	f := flows(t, "127.0.83.3", nil)
	second := fakealb.Node{Addr: netip.MustParseAddr("127.0.83.4"), LoadBalancer: "blue", Zone: "a"}
	_, err := f.PutNode(f.ctx, second)
	if e := apiErr(t, err); e.Field != "zone" || e.Code != fakealb.CodeInUse {
		t.Errorf("a second address in zone a: got %v", e)
	}
	second.Zone = "b"
	if _, err := f.PutNode(f.ctx, second); err != nil {
		t.Errorf("in zone b: %v", err)
	}
	if a, err := f.PutNode(f.ctx, second); err != nil || a.Changed {
		t.Errorf("once more: got %+v, %v", a, err)
	}
}
