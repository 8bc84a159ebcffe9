package fakealb_test

import (
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"strings"
	"testing"

	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/fakealb/record"
	"github.com/proxychaos/proxychaos/fakealb/rules"
	"github.com/proxychaos/proxychaos/fakealb/targets"
)

// The lines of the health check log (3.2 D), as real servers make them.
func TestHealthCheckLog(t *testing.T) {
	t.Attr("aws-fact", "3.2")
	log := &logBuffer{}
	good := target(t, false)
	closed := netip.AddrPortFrom(netip.MustParseAddr("127.0.84.9"), freePort(t, netip.MustParseAddr("127.0.84.9")))
	group := func(name, matcher string, at netip.AddrPort) targets.Group {
		return targets.Group{Name: name, Targets: targets.At(at), Health: targets.HealthCheck{Matcher: matcher}}
	}
	start(t, func(c *fakealb.Config) {
		c.HealthCheckLog = log
		c.LoadBalancers = []fakealb.LoadBalancer{{
			Name: "blue", TargetGroup: &targets.Group{Targets: targets.At(good)},
			TargetGroups: []targets.Group{group("mismatch", "404", good), group("refused", "", closed)},
			Listeners: []fakealb.Listener{
				{Port: c.Ports[0], Protocol: fakealb.ProtocolHTTP, Rules: []rules.Rule{onPath(1, "/m", to("mismatch")), onPath(2, "/r", to("refused"))}},
			},
		}}
	}, "127.0.84.1")
	const start = `^http \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z \d+\.\d{9} `
	for _, want := range []string{
		start + regexp.QuoteMeta(good.String()) + ` blue PASS 200 -$`,
		start + regexp.QuoteMeta(good.String()) + ` mismatch FAIL 200 ResponseCodeMismatch$`,
		start + regexp.QuoteMeta(closed.String()) + ` refused FAIL - ConnectionReset$`,
	} {
		line := regexp.MustCompile(want)
		eventually(t, want, func() bool {
			for l := range strings.Lines(log.String()) {
				if line.MatchString(strings.TrimSuffix(l, "\n")) {
					return true
				}
			}
			return false
		})
	}
}

// A target that accepts connections and never shakes hands fails its checks, and is then held
// to be unhealthy; requests to it go on for want of another. The rows say so.
func TestRecordedHealthChecks(t *testing.T) {
	t.Attr("aws-fact", "3.2")
	silent, err := net.Listen("tcp", "127.0.84.7:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = silent.Close() })
	at := netip.MustParseAddrPort(silent.Addr().String())
	f := start(t, func(c *fakealb.Config) {
		c.TimeScale = 50
		c.LoadBalancers = []fakealb.LoadBalancer{{Name: "blue", TargetGroup: &targets.Group{
			Protocol: targets.ProtocolHTTPS, Targets: targets.At(at),
			Health: targets.HealthCheck{Protocol: targets.ProtocolHTTPS, IntervalSeconds: 5, TimeoutSeconds: 2},
		}}}
	}, "127.0.84.2")
	var first record.Check
	eventually(t, "a recorded check", func() bool {
		rows, err := f.Checks(f.ctx)
		if len(rows) > 0 {
			first = rows[0]
		}
		return err == nil && len(rows) > 0
	})
	if first.Node != f.nodes[0] || first.LoadBalancer != "blue" || first.Target != at.String() || first.Passed || !first.TLSFailed ||
		first.Reason != "RequestTimedOut" || first.State != string(targets.Unhealthy) || first.End.Before(first.Start) {
		t.Errorf("the check: %+v", first)
	}
	curl(t, "http://"+f.at(0)+"/")
	if row := f.finished(t, 1)[0]; !row.TargetTLSFailed || !row.FailedOpen || row.TargetStatus != 0 {
		t.Errorf("the request: %+v", row)
	}
}

// The gauges of target groups (6.1 D).
func TestGroupMetrics(t *testing.T) {
	t.Attr("aws-fact", "6.1")
	off := targets.Attributes{CrossZone: "false"}
	f := zones(t, "127.1.30", fakealb.LoadBalancer{})
	lb := fakealb.LoadBalancer{
		Name: "blue", Attributes: fakealb.Attributes{ZonalShift: true}, ZonalShift: "c",
		TargetGroup:  &targets.Group{Targets: zoned("a1", "B1", "c1", "c2")},
		TargetGroups: []targets.Group{{Name: "own", Targets: zoned("a1", "B1", "c1"), Attributes: off}},
	}
	lb.Listeners = []fakealb.Listener{{Port: f.port, Protocol: fakealb.ProtocolHTTP, Rules: []rules.Rule{onPath(1, "/own", to("own"))}}}
	if _, err := f.PutLoadBalancer(f.ctx, lb); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		curl(t, "http://"+f.at(0)+"/")
	}
	const a = `AvailabilityZone="a",LoadBalancer="blue",Node="127.1.30.1",TargetGroup=`
	for _, want := range []string{
		`HealthyHostCount{` + a + `"blue"} 3`,
		`UnHealthyHostCount{` + a + `"blue"} 1`,
		`ZonalShiftedHostCount{` + a + `"blue"} 2`,
		`ZonalShiftedHostCount{` + a + `"own"} 0`,
		`AnomalousHostCount{` + a + `"blue"} 0`,
		`MitigatedHostCount{` + a + `"blue"} 0`,
		`HealthyStateDNS{LoadBalancer="blue",TargetGroup="own"} 2`,
		`UnhealthyStateDNS{LoadBalancer="blue",TargetGroup="own"} 1`,
		`HealthyStateRouting{LoadBalancer="blue",TargetGroup="blue"} 3`,
		`UnhealthyStateRouting{LoadBalancer="blue",TargetGroup="own"} 1`,
		`RequestCountPerTarget{AvailabilityZone="a",LoadBalancer="blue",TargetGroup="blue"} 0.5`,
	} {
		eventually(t, want, func() bool { return strings.Contains(curl(t, f.server.ControlURL()+"/metrics"), fmt.Sprintln(want)) })
	}
}
