package fakealb_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/fakealb/targets"
)

// zoned are built-in targets named after their zones, such as a1; those in upper
// case are ill.
func zoned(names ...string) []targets.Target {
	var out []targets.Target
	for _, n := range names {
		out = append(out, targets.Target{Zone: strings.ToLower(n[:1]), BuiltIn: &targets.BuiltIn{
			Name: n, Kind: targets.KindEcho, Unhealthy: n != strings.ToLower(n),
		}})
	}
	return out
}

// zones runs nodes in the zones a, b and c.
func zones(t *testing.T, net string, lb fakealb.LoadBalancer) *fixture {
	t.Helper()
	lb.Name = "blue"
	return start(t, func(c *fakealb.Config) {
		for i := range c.Nodes {
			c.Nodes[i].Zone = string(rune('a' + i))
		}
		for i := range lb.Listeners {
			lb.Listeners[i].Port = c.Ports[0]
		}
		c.LoadBalancers = []fakealb.LoadBalancer{lb}
	}, net+".1", net+".2", net+".3")
}

// inDNS awaits the zones whose nodes are in DNS.
func (f *fixture) inDNS(t *testing.T, want string) fakealb.DNS {
	t.Helper()
	var d fakealb.DNS
	eventually(t, fmt.Sprintf("the zones %q in DNS", want), func() bool {
		var err error
		if d, err = f.DNS(f.ctx, "blue"); err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, n := range d.Nodes {
			if n.InDNS {
				got += n.Zone
			}
		}
		return got == want && len(d.Addresses) == len(want)
	})
	return d
}

func TestDNSFailover(t *testing.T) {
	off := targets.Attributes{CrossZone: "false"}
	half := targets.Attributes{CrossZone: "false", DNSFailoverPercentage: 50, DNSFailoverCount: targets.Off}
	never := targets.Attributes{CrossZone: "false", DNSFailoverCount: targets.Off}
	whole := targets.Attributes{DNSFailoverCount: 3}
	for i, c := range []struct {
		name       string
		attributes targets.Attributes
		targets    []targets.Target
		want       string
		failOpen   bool
	}{
		{"a zone without healthy targets", off, zoned("a1", "B1", "B2", "c1"), "ac", false},
		{"a zone without targets", off, zoned("a1", "c1"), "ac", false},
		{"every zone bad", off, zoned("A1", "B1", "C1"), "abc", true},
		{"percentage", half, zoned("a1", "A2", "A3", "b1", "B2", "c1"), "bc", false},
		{"off", never, zoned("a1", "B1", "C1"), "abc", false},
		{"cross-zone counts all targets", whole, zoned("a1", "b1", "c1", "B2"), "abc", false},
		{"cross-zone, one too few", whole, zoned("a1", "b1", "C1"), "abc", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Attr("aws-fact", "1.15")
			f := zones(t, fmt.Sprintf("127.1.%d", i), fakealb.LoadBalancer{TargetGroup: &targets.Group{Targets: c.targets, Attributes: c.attributes}})
			eventually(t, "the first checks", func() bool {
				list, err := f.TargetHealth(f.ctx, "blue")
				return err == nil && !strings.Contains(fmt.Sprint(list), string(targets.Initial))
			})
			if d := f.inDNS(t, c.want); d.FailOpen != c.failOpen {
				t.Errorf("got %+v, want fail open %t", d, c.failOpen)
			}
		})
	}
}

// One healthy group keeps a zone in DNS (1.15 D), but an alias wants all of them
// healthy (1.17 D).
func TestDNSOfSeveralGroups(t *testing.T) {
	t.Attr("aws-fact", "1.15")
	t.Attr("aws-fact", "1.17")
	off := targets.Attributes{CrossZone: "false"}
	f := zones(t, "127.1.20", fakealb.LoadBalancer{
		TargetGroups: []targets.Group{
			{Name: "one", Targets: zoned("a1", "B1", "C1"), Attributes: off},
			{Name: "two", Targets: zoned("A1", "b1", "C1"), Attributes: off},
			{Name: "unused", Targets: zoned("A1"), Attributes: off},
		},
		Listeners: []fakealb.Listener{{Protocol: fakealb.ProtocolHTTP, DefaultActions: to("one", "two")}},
	})
	if d := f.inDNS(t, "ab"); !d.EvaluateTargetHealth || !strings.Contains(d.Nodes[2].Reason, "one: 0 of 1 targets healthy, two: 0 of 1") {
		t.Errorf("got %+v", d)
	}
	if _, err := f.PutTargetGroup(f.ctx, "blue", targets.Group{Name: "two", Targets: zoned("A1", "B2", "C1"), Attributes: off}); err != nil {
		t.Fatal(err)
	}
	if d := f.inDNS(t, "a"); d.EvaluateTargetHealth {
		t.Errorf("with one group all unhealthy: got %+v", d)
	}
	for _, name := range []string{"one", "two"} {
		if _, err := f.PutTargetGroup(f.ctx, "blue", targets.Group{Name: name, Attributes: off}); err != nil {
			t.Fatal(err)
		}
	}
	if d := f.inDNS(t, "abc"); d.EvaluateTargetHealth || !d.FailOpen {
		t.Errorf("with all groups empty: got %+v", d)
	}
}

func TestAliasOfALoadBalancerWithoutTargets(t *testing.T) {
	t.Attr("aws-fact", "1.17")
	f := zones(t, "127.1.21", fakealb.LoadBalancer{Targets: 2})
	if d := f.inDNS(t, "abc"); !d.EvaluateTargetHealth || d.FailOpen {
		t.Errorf("with targets: got %+v", d)
	}
	if _, err := f.PutLoadBalancer(f.ctx, fakealb.LoadBalancer{Name: "blue"}); err != nil {
		t.Fatal(err)
	}
	if d := f.inDNS(t, "abc"); d.EvaluateTargetHealth || !d.FailOpen {
		t.Errorf("without: got %+v", d)
	}
}

func TestZonalShift(t *testing.T) {
	t.Attr("aws-fact", "1.16")
	lb := fakealb.LoadBalancer{Name: "blue", TargetGroup: &targets.Group{Targets: zoned("a1", "b1", "c1")}}
	f := zones(t, "127.1.22", lb)
	f.awaitHealthy(t, 3)
	lb.ZonalShift = "b"
	_, err := f.PutLoadBalancer(f.ctx, lb)
	if e := apiErr(t, err); e.Field != "zonal_shift" {
		t.Errorf("without the attribute: got %v", err)
	}
	held := jar(t) // a client that keeps its connection to the node of that zone
	fetch(t, held, "http://"+f.at(1)+"/")
	lb.Attributes.ZonalShift = true
	if _, err := f.PutLoadBalancer(f.ctx, lb); err != nil {
		t.Fatal(err)
	}
	if d := f.inDNS(t, "ac"); d.Nodes[1].Reason != "zonal shift away from zone b" || !d.Nodes[1].Healthy {
		t.Errorf("got %+v", d)
	}
	// The connection lives on, but the targets of the zone get nothing new.
	for range 4 {
		fetch(t, held, "http://"+f.at(1)+"/")
	}
	rows := f.finished(t, 5)
	for _, a := range rows[1:] {
		if strings.HasPrefix(a.Target, "b1") || a.Connection != rows[0].Connection {
			t.Errorf("got %+v, want the connection of before and a target of another zone", a)
		}
	}
	lb.ZonalShift = ""
	if _, err := f.PutLoadBalancer(f.ctx, lb); err != nil {
		t.Fatal(err)
	}
	f.inDNS(t, "abc")
}

// What leaves DNS and comes back is told as events, once each.
func TestDNSChangesAreEvents(t *testing.T) {
	t.Attr("aws-fact", "1.15")
	off := targets.Attributes{CrossZone: "false"}
	group := func(names ...string) fakealb.LoadBalancer {
		return fakealb.LoadBalancer{Name: "blue", TargetGroup: &targets.Group{Targets: zoned(names...), Attributes: off}}
	}
	f := zones(t, "127.1.23", group("a1", "b1", "c1"))
	f.inDNS(t, "abc")
	changes := func(n int) []fakealb.Event {
		var out []fakealb.Event
		eventually(t, fmt.Sprintf("%d changes of DNS", n), func() bool {
			all, err := f.History(f.ctx)
			if err != nil {
				t.Fatal(err)
			}
			out = nil
			for _, e := range all {
				if e.Action == "change-dns" {
					out = append(out, e)
				}
			}
			return len(out) >= n
		})
		return out
	}
	if _, err := f.PutLoadBalancer(f.ctx, group("a1", "c1")); err != nil {
		t.Fatal(err)
	}
	first := changes(1)
	if len(first) != 1 || strings.Join(first[0].Subject, " ") != "127.1.23.1 127.1.23.3" ||
		first[0].Detail != `load_balancer=blue left_out=127.1.23.2 (zone "b"): too few healthy targets, blue: 0 of 0 targets healthy` {
		t.Errorf("got %+v", first)
	}
	if _, err := f.PutLoadBalancer(f.ctx, group("a1", "b1", "c1")); err != nil {
		t.Fatal(err)
	}
	if second := changes(2); len(second) != 2 || len(second[1].Subject) != 3 {
		t.Errorf("got %+v", second)
	}
	if _, err := f.DNS(f.ctx, "none"); apiErr(t, err).Code != fakealb.CodeUnknownLoadBalancer {
		t.Errorf("of an unknown load balancer: got %v", err)
	}
	if a, err := f.DNS(f.ctx, "blue"); err != nil || a.Addresses[0] != netip.MustParseAddr("127.1.23.1") {
		t.Errorf("got %+v, %v", a, err)
	}
}

// A network load balancer's zones stand for themselves by default; where none is
// healthy, or none has targets, all are in DNS (4.6, 1.15, 1.17 D).
func TestDNSOfANetworkLoadBalancer(t *testing.T) {
	t.Attr("aws-fact", "4.6")
	t.Attr("aws-fact", "1.15")
	t.Attr("aws-fact", "1.17")
	good, closed := target(t, false), netip.AddrPortFrom(netip.MustParseAddr("127.1.24.9"), freePort(t, netip.MustParseAddr("127.1.24.9")))
	in := func(zone string, at netip.AddrPort) targets.Target { return targets.Target{Addr: at, Zone: zone} }
	lb := func(list ...targets.Target) fakealb.LoadBalancer {
		return fakealb.LoadBalancer{
			Name: "blue", Type: fakealb.TypeNetwork, Listeners: []fakealb.Listener{{Protocol: "TCP"}},
			TargetGroup: &targets.Group{Protocol: "TCP", Targets: list},
		}
	}
	f := zones(t, "127.1.24", lb(in("a", good), in("b", closed)))
	if d := f.inDNS(t, "a"); !d.EvaluateTargetHealth || d.FailOpen {
		t.Errorf("one zone healthy: got %+v", d)
	}
	put := func(want string, list ...targets.Target) fakealb.DNS {
		t.Helper()
		next := lb(list...)
		next.Listeners[0].Port = f.port
		if _, err := f.PutLoadBalancer(f.ctx, next); err != nil {
			t.Fatal(err)
		}
		return f.inDNS(t, want)
	}
	if d := put("abc", in("b", closed)); d.EvaluateTargetHealth || !d.FailOpen {
		t.Errorf("none healthy: got %+v", d)
	}
	if d := put("abc"); d.EvaluateTargetHealth || !d.FailOpen {
		t.Errorf("no targets: got %+v", d)
	}
}
