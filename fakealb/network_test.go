package fakealb_test

import (
	"fmt"
	"io"
	"net"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/fakealb/record"
	"github.com/proxychaos/proxychaos/fakealb/targets"
)

func TestFlowsArePinnedAndSpread(t *testing.T) {
	t.Attr("aws-fact", "4.1")
	a, b := startLineTarget(t, "a"), startLineTarget(t, "b")
	f := flows(t, "127.0.81.1", nil, a.at(), b.at())
	f.await(t, targets.Healthy, targets.Healthy)
	count := map[string]int{}
	for range 40 { // each from a fresh source port
		c := dial(t, f.at(0))
		first := line(t, c, "x")
		for range 3 {
			if got := line(t, c, "x"); got != first {
				t.Fatalf("one flow got %q and %q", first, got)
			}
		}
		count[first]++
		c.Close()
	}
	if count["a x"] < 8 || count["b x"] < 8 {
		t.Errorf("got %v, want flows at both targets", count)
	}
	rows, err := f.Connections(f.ctx)
	if err != nil || len(rows) != 40 || rows[0].Target != a.at().String() && rows[0].Target != b.at().String() {
		t.Errorf("got %d rows, %v, the first %+v", len(rows), err, rows[0])
	}
}

// After the idle timeout nothing is sent, and the next packet of either side gets
// RST.
func TestIdleFlowThroughANode(t *testing.T) {
	t.Attr("aws-fact", "4.2")
	s := startLineTarget(t, "a")
	f := flows(t, "127.0.81.7", func(c *fakealb.Config, lb *fakealb.LoadBalancer) {
		c.TimeScale = 200
		lb.Listeners = []fakealb.Listener{{
			Port: c.Ports[0], Protocol: fakealb.ProtocolTCP,
			Attributes: fakealb.ListenerAttributes{TCPIdleTimeoutSeconds: 60}, // 300 ms here
		}}
	}, s.at())
	c := dial(t, f.at(0))
	begin := time.Now()
	line(t, c, "x")
	f.awaitActive(t, 0)
	if took := time.Since(begin); took < 300*time.Millisecond {
		t.Errorf("forgotten after %s, want 300 ms", took)
	}
	if got, err := readWithin(c, 50*time.Millisecond); !isTimeout(err) {
		t.Errorf("got %q, %v, want nothing", got, err)
	}
	if _, err := io.WriteString(c, "late\n"); err != nil {
		t.Fatal(err)
	}
	if got, err := readWithin(c, 5*time.Second); !isReset(err) {
		t.Errorf("got %q, %v, want RST", got, err)
	}
	f.awaitRow(t, record.ClosedByNode, "idle-timeout")
}

// The scenario nlb-350s-silent: nginx keeps a connection for longer than the load
// balancer. It repeats a GET that met the RST, and answers 502 to a POST.
func TestForgottenFlowSeenByNginx(t *testing.T) {
	t.Attr("aws-fact", "4.2")
	f := flows(t, "127.0.81.17", func(c *fakealb.Config, lb *fakealb.LoadBalancer) {
		c.TimeScale = 200
		lb.Listeners = []fakealb.Listener{{
			Port: c.Ports[0], Protocol: fakealb.ProtocolTCP,
			Attributes: fakealb.ListenerAttributes{TCPIdleTimeoutSeconds: 60}, // 300 ms here
		}}
	}, target(t, false))
	n := startNginx(t, "127.0.81.18", `
		upstream nlb { server `+f.at(0)+`; keepalive 4; keepalive_timeout 1h; }
		server { listen LISTEN; location / { proxy_pass http://nlb; proxy_http_version 1.1; proxy_set_header Connection ""; } }`)
	for _, c := range []struct {
		args []string
		want string
	}{
		{nil, "200"}, // on a fresh connection
		{nil, "200"}, // repeated
		{[]string{"-d", "x=1"}, "502"},
	} {
		if got := curl(t, append(c.args, "-o", "/dev/null", "-w", "%{http_code}", "http://"+n.at+"/")...); got != c.want {
			t.Errorf("%v: got %s, want %s", c.args, got, c.want)
		}
		f.awaitActive(t, 0)
	}
	if got := strings.Count(n.errorLog(t), "recv() failed (104: Connection reset by peer) while reading response header from upstream"); got != 2 {
		t.Errorf("nginx met %d resets, want 2:\n%s", got, n.errorLog(t))
	}
}

func TestFaultsOfANetworkNode(t *testing.T) {
	s := startLineTarget(t, "a")
	f := flows(t, "127.0.81.13", nil, s.at())
	c := dial(t, f.at(0))
	line(t, c, "x")
	f.set(t, fakealb.FaultSilence, f.nodes[0])
	if _, err := io.WriteString(c, "held\n"); err != nil {
		t.Fatal(err)
	}
	if got, err := readWithin(c, 50*time.Millisecond); !isTimeout(err) {
		t.Errorf("silent: got %q, %v", got, err)
	}
	f.set(t, fakealb.FaultNone, f.nodes[0])
	if got, err := readWithin(c, 5*time.Second); got != "a held\n" {
		t.Errorf("after the silence: got %q, %v", got, err)
	}
	f.set(t, fakealb.FaultRefuse, f.nodes[0])
	if got, err := readWithin(c, 5*time.Second); !isReset(err) {
		t.Errorf("refused: got %q, %v", got, err)
	}
	f.awaitRow(t, record.ClosedByFault, "rst")
	_, err := f.SetFault(f.ctx, fakealb.FaultLinger, f.nodes[0])
	if e := apiErr(t, err); e.Field != "kind" {
		t.Errorf("a fault of requests: got %v", e)
	}
}

// Data outside a flow gets RST: TCP_REPAIR makes a connection without a packet,
// of which the node knows nothing.
func TestDataOutsideAFlowGetsReset(t *testing.T) {
	t.Attr("aws-fact", "4.3")
	if os.Geteuid() != 0 {
		t.Skip("TCP_REPAIR needs the capability NET_ADMIN")
	}
	f := flows(t, "127.0.81.14", nil, startLineTarget(t, "a").at())
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	file := os.NewFile(uintptr(fd), "outside")
	defer file.Close()
	for _, step := range []error{
		unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_REPAIR, 1),
		unix.Connect(fd, &unix.SockaddrInet4{Port: int(f.port), Addr: f.nodes[0].As4()}),
		unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_REPAIR, -1), // off, and no window probe
	} {
		if step != nil {
			t.Fatal(step)
		}
	}
	c, err := net.FileConn(file)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, "data\n"); err != nil {
		t.Fatal(err)
	}
	if got, err := readWithin(c, 5*time.Second); !isReset(err) {
		t.Errorf("got %q, %v, want RST", got, err)
	}
}

// Every name of 4.12 that has a counterpart here is among the metrics.
func TestFlowMetrics(t *testing.T) {
	t.Attr("aws-fact", "4.12")
	t.Attr("aws-fact", "4.7")
	s := startLineTarget(t, "a")
	f := flows(t, "127.0.81.15", func(_ *fakealb.Config, lb *fakealb.LoadBalancer) { lb.PortsPerTarget = 3 }, s.at())
	f.await(t, targets.Healthy)
	kept := dial(t, f.at(0))
	line(t, kept, "x")
	reset := dial(t, f.at(0))
	line(t, reset, "x")
	_ = reset.SetLinger(0)
	reset.Close()
	f.awaitRow(t, record.ClosedByPeer, "rst")
	line(t, dial(t, f.at(0)), "x")
	wantNoFlow(t, "the fourth flow in a minute", f.at(0))
	f.awaitRow(t, record.ClosedByNode, "port-allocation")
	if _, err := f.PutLoadBalancer(f.ctx, fakealb.LoadBalancer{Name: "blue", Type: fakealb.TypeNetwork}); err != nil {
		t.Fatal(err)
	}
	wantNoFlow(t, "without a target", f.at(0))
	want := map[string]string{
		"ActiveFlowCount": "2", "NewFlowCount": "5", "TCP_Client_Reset_Count": "1", "TCP_ELB_Reset_Count": "2",
		"PortAllocationErrorCount": "1", "RejectedFlowCount": "1", "ZonalHealthStatus": "0",
	}
	eventually(t, fmt.Sprintf("the metrics %v", want), func() bool {
		m := f.metrics(t)
		for name, value := range want {
			if !regexp.MustCompile(`(?m)^` + name + `\{[^}]*LoadBalancer="blue"[^}]*\} ` + value + `$`).MatchString(m) {
				return false
			}
		}
		return true
	})
}
