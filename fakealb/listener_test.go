package fakealb_test

import (
	"net"
	"net/netip"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/proxychaos/proxychaos/fakealb"
)

// listening runs a node with three ports, of which the first is that of the fixture.
func listening(t *testing.T, addr string, lb func(ports []uint16) fakealb.LoadBalancer, change ...func(*fakealb.Config)) (*fixture, []uint16) {
	t.Helper()
	var ports []uint16
	return start(t, func(c *fakealb.Config) {
		for len(c.Ports) < 3 {
			if p := freePort(t, netip.MustParseAddr(addr)); p != c.Ports[0] {
				c.Ports = append(c.Ports, p)
			}
		}
		ports = c.Ports
		balancer := lb(ports)
		balancer.Name = "blue"
		c.LoadBalancers = []fakealb.LoadBalancer{balancer}
		for _, more := range change {
			more(c)
		}
	}, addr), ports
}

func onPort(addr netip.Addr, port uint16) string { return netip.AddrPortFrom(addr, port).String() }

func TestListenersSpeakTheirProtocolOnly(t *testing.T) {
	need(t, "openssl", "curl")
	f, ports := listening(t, "127.0.80.1", func(ports []uint16) fakealb.LoadBalancer {
		return fakealb.LoadBalancer{Targets: 1, Listeners: []fakealb.Listener{
			{Port: ports[0], Protocol: fakealb.ProtocolHTTP},
			{Port: ports[1], Protocol: fakealb.ProtocolHTTPS},
		}}
	})
	plain, secure, closed := onPort(f.nodes[0], ports[0]), onPort(f.nodes[0], ports[1]), onPort(f.nodes[0], ports[2])
	for _, url := range []string{"http://" + plain, "https://" + secure} {
		if got := curl(t, "-k", url+"/"); !strings.Contains(got, "lb=blue") {
			t.Errorf("%s: got %q", url, got)
		}
	}
	out, err := exec.Command("openssl", "s_client", "-connect", plain).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "wrong version number") {
		t.Errorf("TLS on the HTTP listener: got %v\n%s", err, out)
	}
	if out, err := exec.Command("curl", "-sS", "--max-time", "10", "http://"+secure+"/").CombinedOutput(); err == nil && strings.Contains(string(out), "lb=blue") {
		t.Errorf("plain HTTP on the HTTPS listener: got %s", out)
	}
	c, err := net.Dial("tcp4", closed)
	if err == nil { // the reset may come before Dial has returned
		defer c.Close()
		_, err = readWithin(c, 5*time.Second)
	}
	if !isReset(err) {
		t.Errorf("a port without a listener: got %v, want a reset", err)
	}
}

func TestListenersAreChecked(t *testing.T) {
	f, ports := listening(t, "127.0.80.2", func([]uint16) fakealb.LoadBalancer { return fakealb.LoadBalancer{} })
	for field, listeners := range map[string][]fakealb.Listener{
		"listeners[0].port":     {{Port: 1, Protocol: fakealb.ProtocolHTTP}},
		"listeners[1].port":     {{Port: ports[0], Protocol: fakealb.ProtocolHTTP}, {Port: ports[0], Protocol: fakealb.ProtocolHTTPS}},
		"listeners[0].protocol": {{Port: ports[0], Protocol: "http"}},
		"listeners":             make([]fakealb.Listener, 51),
	} {
		_, err := f.PutLoadBalancer(f.ctx, fakealb.LoadBalancer{Name: "blue", Listeners: listeners})
		if e := apiErr(t, err); e.Field != field || e.Status != 400 {
			t.Errorf("want field %s, got %v", field, err)
		}
	}
}
