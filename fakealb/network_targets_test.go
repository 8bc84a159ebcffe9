package fakealb_test

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/fakealb/record"
	"github.com/proxychaos/proxychaos/fakealb/targets"
)

// nginx as a target shows whom the PROXY protocol header names.
func TestProxyProtocolSeenByNginx(t *testing.T) {
	t.Attr("aws-fact", "4.8")
	n := startNginx(t, "127.0.81.2", `server { listen LISTEN proxy_protocol; location / { return 200 "$proxy_protocol_addr:$proxy_protocol_port to $proxy_protocol_server_addr:$proxy_protocol_server_port\n"; } }`)
	f := flows(t, "127.0.81.3", func(_ *fakealb.Config, lb *fakealb.LoadBalancer) {
		lb.TargetGroup.Attributes.ProxyProtocolV2 = true
		lb.TargetGroup.Health.Protocol = targets.ProtocolHTTP // which nginx answers after a header only
	}, netip.MustParseAddrPort(n.at))
	f.await(t, targets.Healthy)
	got := strings.TrimSpace(curl(t, "http://"+f.at(0)+"/"))
	rows, err := f.Connections(f.ctx)
	if err != nil || len(rows) != 1 || got != fmt.Sprintf("%s to %s", rows[0].Peer, f.at(0)) {
		t.Errorf("nginx says %q, the row is %+v, %v", got, rows, err)
	}
}

// The scenario nlb-ppv2-on-plain-target: a server that expects no header answers
// 400, and fails its health checks.
func TestProxyProtocolOnPlainTarget(t *testing.T) {
	t.Attr("aws-fact", "4.8")
	n := startNginx(t, "127.0.81.4", `server { listen LISTEN; location / { return 200 "fine\n"; } }`)
	with := func(_ *fakealb.Config, lb *fakealb.LoadBalancer) {
		lb.TargetGroup.Attributes.ProxyProtocolV2 = true
		lb.TargetGroup.Health.Protocol = targets.ProtocolHTTP
	}
	f := flows(t, "127.0.81.5", with, netip.MustParseAddrPort(n.at))
	f.await(t, targets.Unhealthy)
	list, err := f.Targets(f.ctx, f.nodes[0])
	if err != nil || list[0].Description != "Health checks failed with these codes: [400]" {
		t.Errorf("got %+v, %v", list, err)
	}
	if got := curl(t, "-o", "/dev/null", "-w", "%{http_code}", "http://"+f.at(0)+"/"); got != "400" {
		t.Errorf("got %s, want nginx's 400", got)
	}
	plain := flows(t, "127.0.81.6", nil, netip.MustParseAddrPort(n.at))
	if got := curl(t, "http://"+plain.at(0)+"/"); got != "fine\n" {
		t.Errorf("without the header: got %q", got)
	}
}

// A target that becomes unhealthy has its flows reset while another is healthy.
func TestUnhealthyTargetOfANode(t *testing.T) {
	t.Attr("aws-fact", "4.5")
	t.Attr("aws-fact", "4.6")
	a, b := startLineTarget(t, "a"), startLineTarget(t, "b")
	f := flows(t, "127.0.81.9", func(c *fakealb.Config, lb *fakealb.LoadBalancer) {
		c.TimeScale = 50
		lb.TargetGroup.Health = targets.HealthCheck{IntervalSeconds: 5, TimeoutSeconds: 5}
	}, a.at(), b.at())
	f.await(t, targets.Healthy, targets.Healthy)
	flow := map[string]*net.TCPConn{}
	for len(flow) < 2 {
		c := dial(t, f.at(0))
		flow[line(t, c, "x")] = c
	}
	a.Close() // its listener: the connections stay
	f.await(t, targets.Unhealthy, targets.Healthy)
	if got, err := readWithin(flow["a x"], 5*time.Second); !isReset(err) {
		t.Errorf("the flow to the unhealthy target: got %q, %v, want RST", got, err)
	}
	f.awaitRow(t, record.ClosedByNode, "target-unhealthy")
	b.Close()
	f.await(t, targets.Unhealthy, targets.Unhealthy)
	if got := line(t, flow["b x"], "y"); got != "b y" {
		t.Errorf("the flow to the last target: got %q, want it to live on, as the group fails open", got)
	}
	m := f.metrics(t)
	for _, want := range []string{
		`ZonalHealthStatus{AvailabilityZone="a",LoadBalancer="blue"} 0`,
		`UnHealthyHostCount{AvailabilityZone="a",LoadBalancer="blue",Node="127.0.81.9",TargetGroup="blue"} 2`,
	} {
		if !strings.Contains(m, want) {
			t.Errorf("the metrics have no %s", want)
		}
	}
}

func TestDeregisteredTargetKeepsItsFlows(t *testing.T) {
	t.Attr("aws-fact", "4.9")
	a, b := startLineTarget(t, "a"), startLineTarget(t, "b")
	// The delay ends long before the idle timeout of 35 s.
	delay := 3
	attributes := targets.Attributes{DeregistrationDelaySeconds: &delay}
	f := flows(t, "127.0.81.10", func(c *fakealb.Config, lb *fakealb.LoadBalancer) {
		c.TimeScale, lb.TargetGroup.Attributes = 10, attributes
	}, a.at())
	f.await(t, targets.Healthy)
	old := dial(t, f.at(0))
	line(t, old, "x")
	_, err := f.PutLoadBalancer(f.ctx, fakealb.LoadBalancer{
		Name: "blue", Type: fakealb.TypeNetwork,
		TargetGroup: &targets.Group{Protocol: targets.ProtocolTCP, Targets: targets.At(b.at()), Attributes: attributes},
	})
	if err != nil {
		t.Fatal(err)
	}
	f.await(t, targets.Healthy) // a, whose delay of 300 ms ended, is listed no longer
	if got := line(t, dial(t, f.at(0)), "x"); got != "b x" {
		t.Errorf("a new flow: got %q", got)
	}
	if got := line(t, old, "y"); got != "a y" {
		t.Errorf("the old flow: got %q, want it to live on", got)
	}
}
