package fakealb_test

import (
	"errors"
	"fmt"
	"net"
	"regexp"
	"strings"
	"testing"

	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/fakealb/targets"
)

func TestEventsFollowTheHistory(t *testing.T) {
	f := start(t, nil, "127.0.72.20")
	events := make(chan fakealb.Event)
	enough := errors.New("enough")
	ended := make(chan error, 1)
	go func() {
		n := 0
		ended <- f.Events(f.ctx, func(e fakealb.Event) error {
			events <- e
			if n++; n == 5 {
				return enough
			}
			return nil
		})
	}()
	var got []string
	next := func() {
		e := <-events
		got = append(got, fmt.Sprintf("%d %s", e.Number, e.Action))
	}
	next()
	next() // those of the configuration
	f.set(t, fakealb.FaultRefuse, f.nodes[0])
	next()
	if _, err := f.Reset(f.ctx); err != nil {
		t.Fatal(err)
	}
	f.set(t, fakealb.FaultLinger, f.nodes[0])
	next()
	f.set(t, fakealb.FaultNone, f.nodes[0])
	next()
	want := "[1 put-load-balancer 2 put-node 3 set-fault 1 set-fault 2 set-fault]"
	if fmt.Sprint(got) != want {
		t.Errorf("got %v, want %s", got, want)
	}
	if err := <-ended; !errors.Is(err, enough) {
		t.Errorf("got %v, want the error of the handler", err)
	}
}

// Fact 6.1: what operators read off an ALB's counters.
func TestMetricsHaveCloudWatchNames(t *testing.T) {
	t.Attr("aws-fact", "6.1")
	gone, err := net.Listen("tcp4", "127.0.72.21:0")
	if err != nil {
		t.Fatal(err)
	}
	refused := gone.Addr().(*net.TCPAddr).AddrPort()
	gone.Close()
	f := start(t, nil, "127.0.72.22")
	url := "http://" + f.at(0) + "/"
	curl(t, url, url)
	if _, err := f.PutLoadBalancer(f.ctx, fakealb.LoadBalancer{Name: "blue"}); err != nil {
		t.Fatal(err)
	}
	curl(t, url)
	curl(t, "-X", "TRACE", url)
	group := &targets.Group{Targets: targets.At(refused)}
	if _, err := f.PutLoadBalancer(f.ctx, fakealb.LoadBalancer{Name: "blue", TargetGroup: group}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the target unhealthy", func() bool {
		h, err := f.Targets(f.ctx, f.nodes[0])
		return err == nil && h[0].State == targets.Unhealthy
	})
	curl(t, url)
	f.set(t, fakealb.FaultTLSReset, f.nodes[0])
	warm, err := net.Dial("tcp4", f.at(0))
	if err != nil {
		t.Fatal(err)
	}
	defer warm.Close()
	_, _ = warm.Write([]byte("\x16\x03\x01\x00\x01\x00"))
	for name, want := range map[string]int{
		"NewConnectionCount": 5, "RequestCount": 3, "HTTPCode_Target_2XX_Count": 2, "TargetResponseTime_count": 2,
		"HTTPCode_ELB_4XX_Count": 1, "HTTPCode_ELB_5XX_Count": 2, "HTTPCode_ELB_503_Count": 1, "HTTPCode_ELB_502_Count": 1,
		"TargetConnectionErrorCount": 1, "UnhealthyRoutingRequestCount": 1, "ClientTLSNegotiationErrorCount": 1,
		"ActiveConnectionCount": 0,
	} {
		line := regexp.MustCompile(fmt.Sprintf(`(?m)^%s\{AvailabilityZone="a",LoadBalancer="blue"\} %d$`, name, want))
		eventually(t, line.String(), func() bool { return line.MatchString(curl(t, f.server.ControlURL()+"/metrics")) })
	}
	if all := curl(t, f.server.ControlURL()+"/metrics"); !strings.Contains(all, `UnHealthyHostCount{AvailabilityZone="a",LoadBalancer="blue",Node="127.0.72.22",TargetGroup="blue"} 1`) {
		t.Errorf("no UnHealthyHostCount of 1 in\n%s", all)
	}
}
