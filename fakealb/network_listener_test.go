package fakealb_test

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/fakealb/targets"
)

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
	connectionLog := &logBuffer{}
	s := target(t, true)
	f := flows(t, "127.0.81.12", func(config *fakealb.Config, lb *fakealb.LoadBalancer) {
		config.ConnectionLog = connectionLog
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
	if got := connectionLog.String(); got != "" {
		t.Errorf("the connection log of application load balancers got %q", got)
	}
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
		"listeners[0].rules": func(lb *fakealb.LoadBalancer) {
			lb.Listeners = []fakealb.Listener{{Port: f.port, Protocol: fakealb.ProtocolTCP, DefaultActions: to("x")}}
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
	_, err := f.PutTargetGroup(f.ctx, "blue", targets.Group{Name: "g"})
	if e := apiErr(t, err); e.Field != "target_groups" {
		t.Errorf("a group with a name: got %v", e)
	}
	list, err := f.LoadBalancers(f.ctx)
	if err != nil {
		t.Fatal(err)
	}
	if got := list[0].DNSName; got != "blue-0123456789abcdef.elb.us-east-1.amazonaws.com" {
		t.Errorf("got the name %s", got)
	}
	if a, err := f.PutLoadBalancer(f.ctx, list[0]); err != nil || a.Changed {
		t.Errorf("what the API answers, put again: got %+v, %v", a, err)
	}
}
