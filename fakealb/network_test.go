package fakealb_test

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/fakealb/record"
	"github.com/proxychaos/proxychaos/fakealb/targets"
)

// flows is a server whose load balancer "blue" is a network load balancer.
func flows(t *testing.T, addr string, change func(*fakealb.Config, *fakealb.LoadBalancer), group ...netip.AddrPort) *fixture {
	t.Helper()
	return start(t, func(c *fakealb.Config) {
		lb := fakealb.LoadBalancer{
			Name: "blue", Type: fakealb.TypeNetwork,
			TargetGroup: &targets.Group{Protocol: targets.ProtocolTCP, Targets: targets.At(group...)},
		}
		if change != nil {
			change(c, &lb)
		}
		c.LoadBalancers = []fakealb.LoadBalancer{lb}
	}, addr)
}

// lineTarget answers each line with its name and the line.
type lineTarget struct {
	net.Listener
	name string
	conn chan net.Conn
}

func startLineTarget(t *testing.T, name string) *lineTarget {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	s := &lineTarget{l, name, make(chan net.Conn, 1000)}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { c.Close() })
			go func() {
				in := bufio.NewReader(c)
				for {
					line, err := in.ReadString('\n')
					if err != nil {
						return // and leave the connection as it is
					}
					if _, err := io.WriteString(c, name+" "+line); err != nil {
						return
					}
				}
			}()
		}
	}()
	return s
}

func (s *lineTarget) at() netip.AddrPort { return s.Addr().(*net.TCPAddr).AddrPort() }

func dial(t *testing.T, addr string) *net.TCPConn {
	t.Helper()
	c, err := net.DialTimeout("tcp4", addr, 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c.(*net.TCPConn)
}

// line sends a line and returns the answer.
func line(t *testing.T, c net.Conn, text string) string {
	t.Helper()
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.WriteString(c, text+"\n"); err != nil {
		t.Fatal(err)
	}
	got, err := bufio.NewReader(c).ReadString('\n')
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return strings.TrimSpace(got)
}

func (f *fixture) await(t *testing.T, states ...targets.State) {
	t.Helper()
	eventually(t, fmt.Sprintf("targets %s", states), func() bool {
		list, err := f.Targets(f.ctx, f.nodes[0])
		if err != nil || len(list) != len(states) {
			return false
		}
		for i, h := range list {
			if h.State != states[i] {
				return false
			}
		}
		return true
	})
}

// awaitRow awaits a connection that ended so.
func (f *fixture) awaitRow(t *testing.T, by record.ClosedBy, how string) {
	t.Helper()
	eventually(t, fmt.Sprintf("a connection ended by %s, %s", by, how), func() bool {
		rows, err := f.Connections(f.ctx)
		if err != nil {
			return false
		}
		for _, r := range rows {
			if r.ClosedBy == by && r.How == how && r.Target != "" {
				return true
			}
		}
		return false
	})
}

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

// awaitActive awaits that ActiveFlowCount is n.
func (f *fixture) awaitActive(t *testing.T, n int) {
	t.Helper()
	want := fmt.Sprintf("ActiveFlowCount{AvailabilityZone=\"a\",LoadBalancer=\"blue\"} %d\n", n)
	eventually(t, want, func() bool { return strings.Contains(f.metrics(t), want) })
}

func (f *fixture) metrics(t *testing.T) string {
	t.Helper()
	resp, err := http.Get(f.server.ControlURL() + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestIdleTimeoutsOfListeners(t *testing.T) {
	t.Attr("aws-fact", "4.2")
	f := flows(t, "127.0.81.8", nil)
	put := func(l fakealb.Listener) error {
		l.Port = f.port
		_, err := f.PutLoadBalancer(f.ctx, fakealb.LoadBalancer{Name: "blue", Type: fakealb.TypeNetwork, Listeners: []fakealb.Listener{l}})
		return err
	}
	for _, seconds := range []int{0, 60, 6000} {
		if err := put(fakealb.Listener{Protocol: fakealb.ProtocolTCP, Attributes: fakealb.ListenerAttributes{TCPIdleTimeoutSeconds: seconds}}); err != nil {
			t.Errorf("%d s: %v", seconds, err)
		}
		if seconds == 0 {
			list, err := f.LoadBalancers(f.ctx)
			if err != nil || list[0].Listeners[0].Attributes.TCPIdleTimeoutSeconds != 350 {
				t.Errorf("the default: got %+v, %v, want 350", list, err)
			}
		}
	}
	for _, l := range []fakealb.Listener{
		{Protocol: fakealb.ProtocolTCP, Attributes: fakealb.ListenerAttributes{TCPIdleTimeoutSeconds: 59}},
		{Protocol: fakealb.ProtocolTCP, Attributes: fakealb.ListenerAttributes{TCPIdleTimeoutSeconds: 6001}},
		{Protocol: fakealb.ProtocolTLS, Attributes: fakealb.ListenerAttributes{TCPIdleTimeoutSeconds: 350}}, // which is fixed
	} {
		if e := apiErr(t, put(l)); e.Field != "listeners[0].attributes.tcp.idle_timeout.seconds" {
			t.Errorf("%+v: got %v", l, e)
		}
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
	f := flows(t, "127.0.81.10", func(c *fakealb.Config, lb *fakealb.LoadBalancer) { c.TimeScale = 1000 }, a.at())
	f.await(t, targets.Healthy)
	old := dial(t, f.at(0))
	line(t, old, "x")
	_, err := f.PutLoadBalancer(f.ctx, fakealb.LoadBalancer{
		Name: "blue", Type: fakealb.TypeNetwork,
		TargetGroup: &targets.Group{Protocol: targets.ProtocolTCP, Targets: targets.At(b.at())},
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

// openssl and curl see what each ALPN policy negotiates.
func TestALPNPolicies(t *testing.T) {
	t.Attr("aws-fact", "4.10")
	need(t, "openssl")
	s := startLineTarget(t, "a")
	for _, c := range []struct {
		policy        fakealb.ALPNPolicy
		offered, want string
	}{
		{"", "h2,http/1.1", ""},
		{fakealb.ALPNHTTP1Only, "h2,http/1.1", "http/1.1"},
		{fakealb.ALPNHTTP1Only, "h2,http/1.0", "http/1.0"},
		{fakealb.ALPNHTTP2Only, "http/1.1,h2", "h2"},
		{fakealb.ALPNHTTP2Only, "http/1.1", ""},
		{fakealb.ALPNHTTP2Optional, "h2,http/1.1", "http/1.1"},
		{fakealb.ALPNHTTP2Preferred, "http/1.1,h2", "h2"},
	} {
		t.Run(string(c.policy)+" "+c.offered, func(t *testing.T) {
			f := flows(t, "127.0.81.11", func(config *fakealb.Config, lb *fakealb.LoadBalancer) {
				lb.Listeners = []fakealb.Listener{{Port: config.Ports[0], Protocol: fakealb.ProtocolTLS, ALPNPolicy: c.policy}}
			}, s.at())
			cmd := exec.Command("openssl", "s_client", "-connect", f.at(0), "-servername", "nlb.example", "-alpn", c.offered)
			cmd.Stdin = strings.NewReader("")
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			want := "No ALPN negotiated"
			if c.want != "" {
				want = "ALPN protocol: " + c.want + "\n"
			}
			if !strings.Contains(string(out), want) {
				t.Errorf("want %q:\n%s", want, out)
			}
		})
	}
}

// TLS at the listener, TLS to the target whose certificate nobody signed.
func TestTLSListenerSeenByCurl(t *testing.T) {
	t.Attr("aws-fact", "4.10")
	s := target(t, true)
	f := flows(t, "127.0.81.12", func(config *fakealb.Config, lb *fakealb.LoadBalancer) {
		lb.TargetGroup.Protocol = targets.ProtocolTLS
		lb.Listeners = []fakealb.Listener{{Port: config.Ports[0], Protocol: fakealb.ProtocolTLS, ALPNPolicy: fakealb.ALPNHTTP1Only}}
	}, s)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, f.server.CA(), 0o600); err != nil {
		t.Fatal(err)
	}
	got := curl(t, "--cacert", ca, "--resolve", fmt.Sprintf("nlb.example:%d:%s", f.port, f.nodes[0]), "-d", "body", fmt.Sprintf("https://nlb.example:%d/path", f.port))
	if !strings.Contains(got, `"Path":"/path"`) || !strings.Contains(got, `"Body":"body"`) {
		t.Errorf("got %s", got)
	}
	rows, err := f.Connections(f.ctx)
	if err != nil || !rows[0].TLS || rows[0].SNI != "nlb.example" || rows[0].ALPN != "http/1.1" {
		t.Errorf("the row: %+v, %v", rows, err)
	}
	f.set(t, fakealb.FaultTLSAlert, f.nodes[0])
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(f.server.CA())
	if _, err := tls.Dial("tcp", f.at(0), &tls.Config{RootCAs: pool, ServerName: "nlb.example"}); err == nil || !strings.Contains(err.Error(), "handshake failure") {
		t.Errorf("under %s: got %v", fakealb.FaultTLSAlert, err)
	}
	if m := f.metrics(t); !strings.Contains(m, `ClientTLSNegotiationErrorCount{AvailabilityZone="a",LoadBalancer="blue"} 1`) {
		t.Error("the failed handshake is not counted")
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

// wantNoFlow connects and wants RST, which may come before Go looks at the
// connection.
func wantNoFlow(t *testing.T, what, addr string) {
	t.Helper()
	c, err := net.DialTimeout("tcp4", addr, 5*time.Second)
	if err == nil {
		defer c.Close()
		_, err = readWithin(c, 5*time.Second)
	}
	if !isReset(err) {
		t.Errorf("%s: got %v, want RST", what, err)
	}
}

// Every name of 4.12 that has a counterpart here is among the metrics.
func TestFlowMetrics(t *testing.T) {
	t.Attr("aws-fact", "4.12")
	t.Attr("aws-fact", "4.7")
	s := startLineTarget(t, "a")
	f := flows(t, "127.0.81.15", func(c *fakealb.Config, lb *fakealb.LoadBalancer) { lb.PortsPerTarget = 3 }, s.at())
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

func TestNetworkLoadBalancerErrorsNameTheField(t *testing.T) {
	f := flows(t, "127.0.81.16", nil)
	network := fakealb.LoadBalancer{Name: "n", Type: fakealb.TypeNetwork}
	for field, change := range map[string]func(*fakealb.LoadBalancer){
		"targets":               func(lb *fakealb.LoadBalancer) { lb.Targets = 2 },
		"attributes":            func(lb *fakealb.LoadBalancer) { lb.Attributes.IdleTimeoutSeconds = 30 },
		"ports_per_target":      func(lb *fakealb.LoadBalancer) { lb.PortsPerTarget = 55001 },
		"vpc_endpoint_id":       func(lb *fakealb.LoadBalancer) { lb.VPCEndpoint = strings.Repeat("x", 65) },
		"target_groups":         func(lb *fakealb.LoadBalancer) { lb.TargetGroups = []targets.Group{{Name: "g"}} },
		"target_group.protocol": func(lb *fakealb.LoadBalancer) { lb.TargetGroup = &targets.Group{Protocol: targets.ProtocolHTTP} },
		"listeners[0].protocol": func(lb *fakealb.LoadBalancer) {
			lb.Listeners = []fakealb.Listener{{Port: f.port, Protocol: fakealb.ProtocolHTTP}}
		},
		"listeners[0].alpn_policy": func(lb *fakealb.LoadBalancer) {
			lb.Listeners = []fakealb.Listener{{Port: f.port, Protocol: fakealb.ProtocolTCP, ALPNPolicy: fakealb.ALPNNone}}
		},
		"listeners[0].mutual_authentication.mode": func(lb *fakealb.LoadBalancer) {
			lb.Listeners = []fakealb.Listener{{Port: f.port, Protocol: fakealb.ProtocolTLS, MutualAuthentication: fakealb.MutualAuthentication{Mode: "passthrough"}}}
		},
		"type": func(lb *fakealb.LoadBalancer) { lb.Type = "gateway" },
	} {
		lb := network
		change(&lb)
		_, err := f.PutLoadBalancer(f.ctx, lb)
		if e := apiErr(t, err); e.Field != field {
			t.Errorf("want the field %s: got %v", field, e)
		}
	}
	for _, lb := range []fakealb.LoadBalancer{
		{Name: "blue", Targets: 1}, // the type of one that exists
		{Name: "n", VPCEndpoint: "vpce-1"},
		{Name: "n", TargetGroup: &targets.Group{Protocol: targets.ProtocolTCP}},
	} {
		_, err := f.PutLoadBalancer(f.ctx, lb)
		if e := apiErr(t, err); e.Field != "type" {
			t.Errorf("%+v: got %v", lb, e)
		}
	}
	list, err := f.LoadBalancers(f.ctx)
	if err != nil {
		t.Fatal(err)
	}
	if a, err := f.PutLoadBalancer(f.ctx, list[0]); err != nil || a.Changed {
		t.Errorf("what the API answers, put again: got %+v, %v", a, err)
	}
}
