package targets

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pires/go-proxyproto"
)

func at(port uint16) netip.AddrPort {
	return netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), port)
}

func no() *bool { f := false; return &f }

func TestNetworkGroupDefaults(t *testing.T) {
	for _, fact := range []string{"4.4", "4.5", "4.6", "4.9"} {
		t.Attr("aws-fact", fact)
	}
	g := checked(t, Group{Protocol: ProtocolTCP, Targets: At(at(1))})
	want := HealthCheck{Protocol: ProtocolTCP, IntervalSeconds: 30, TimeoutSeconds: 10, HealthyThreshold: 5, UnhealthyThreshold: 2}
	if g.Health != want {
		t.Errorf("got %+v, want %+v", g.Health, want)
	}
	a := g.Attributes
	if a.CrossZone != "false" || *a.DeregistrationDelaySeconds != 300 || a.ConnectionTermination || !*a.UnhealthyTermination ||
		a.UnhealthyDrainingSeconds != 0 || a.ProxyProtocolV2 || a.DNSFailoverCount != 1 {
		t.Errorf("got %+v", a)
	}
	http := checked(t, Group{Protocol: ProtocolTLS, Health: HealthCheck{Protocol: ProtocolHTTP}})
	want = HealthCheck{Protocol: ProtocolHTTP, Path: "/", Matcher: "200-399", IntervalSeconds: 30, TimeoutSeconds: 6, HealthyThreshold: 5, UnhealthyThreshold: 2}
	if http.Health != want {
		t.Errorf("got %+v, want %+v", http.Health, want)
	}
	again := checked(t, g)
	if !reflect.DeepEqual(g, again) {
		t.Errorf("checked again it is %+v, was %+v", again, g)
	}
}

func TestNetworkGroupErrorsNameTheField(t *testing.T) {
	network := func(change func(*Group)) Group {
		g := Group{Protocol: ProtocolTCP, Targets: At(at(1))}
		change(&g)
		return g
	}
	for field, g := range map[string]Group{
		"protocol_version":      network(func(g *Group) { g.ProtocolVersion = VersionHTTP2 }),
		"attributes":            network(func(g *Group) { g.Attributes.Sticky = true }),
		"targets[0].built_in":   network(func(g *Group) { g.Targets = builtIns("x") }),
		"health_check.protocol": network(func(g *Group) { g.Health.Path = "/health" }),
		"health_check.port":     network(func(g *Group) { g.Health.Port = 65536 }),
		"health_check.matcher":  network(func(g *Group) { g.Health = HealthCheck{Protocol: ProtocolHTTP, Matcher: "600"} }),
		"attributes.target_health_state.unhealthy.draining_interval_seconds": network(func(g *Group) { g.Attributes.UnhealthyDrainingSeconds = 1 }),
	} {
		if _, got, err := g.Check(); got != field || err == nil {
			t.Errorf("got %q, %v, want the field %q", got, err, field)
		}
	}
	g := Group{}
	g.Attributes.ProxyProtocolV2 = true
	if _, got, err := g.Check(); got != "attributes" || err == nil {
		t.Errorf("PROXY protocol over HTTP: got %q, %v", got, err)
	}
	g = network(func(g *Group) {
		g.Attributes.UnhealthyTermination, g.Attributes.UnhealthyDrainingSeconds = no(), 360001
	})
	if _, _, err := g.Check(); err == nil || !strings.Contains(err.Error(), "0 to 360000") {
		t.Errorf("got %v", err)
	}
}

// networkBubble runs f with a pool of two targets whose checks f makes.
func networkBubble(t *testing.T, attributes NetworkAttributes, f func(t *testing.T, p *Pool)) {
	t.Helper()
	g := Group{Protocol: ProtocolTCP, Targets: At(at(1), at(2))}
	g.Attributes.NetworkAttributes = attributes
	g = checked(t, g)
	synctest.Test(t, func(t *testing.T) {
		p := NewPool(g, Node{Unused: true}, Env{Scale: 1})
		defer p.Close()
		p.judge(0, true)
		p.judge(1, true)
		f(t, p)
	})
}

// judge has target i pass, or fail, as many health checks as its threshold.
func (p *Pool) judge(i int, ok bool) {
	for range p.group.Health.HealthyThreshold {
		p.took(p.targets[i], p.group, result{ok: ok, code: -1})
	}
}

// flowTo is a flow to target i of two.
func flowTo(t *testing.T, p *Pool, i int) Flow {
	t.Helper()
	for hash := range uint64(2) {
		if f, ok := p.PickFlow(hash); ok && f.Target == p.targets[i].id {
			return f
		}
	}
	t.Fatalf("no flow to target %d: %s", i, view(p))
	return Flow{}
}

func wantLost(t *testing.T, f Flow, want error) {
	t.Helper()
	synctest.Wait()
	if got := context.Cause(f.Lost); !errors.Is(got, want) {
		t.Errorf("the flow to %s is lost by %v, want %v", f.Target, got, want)
	}
}

func TestUnhealthyTargetLosesItsFlows(t *testing.T) {
	t.Attr("aws-fact", "4.5")
	networkBubble(t, NetworkAttributes{}, func(t *testing.T, p *Pool) {
		first, second := flowTo(t, p, 0), flowTo(t, p, 1)
		p.judge(0, false)
		wantLost(t, first, ErrUnhealthy)
		wantLost(t, second, nil)
		for hash := range uint64(10) {
			if f, _ := p.PickFlow(hash); f.Target != second.Target {
				t.Fatalf("a new flow to %s, which is unhealthy", f.Target)
			}
		}
		p.judge(0, true)
		wantLost(t, flowTo(t, p, 0), nil)
	})
}

func TestFailOpenKeepsFlows(t *testing.T) {
	t.Attr("aws-fact", "4.5")
	t.Attr("aws-fact", "4.6")
	networkBubble(t, NetworkAttributes{}, func(t *testing.T, p *Pool) {
		second := flowTo(t, p, 1)
		p.judge(0, false)
		p.judge(1, false) // now all are unhealthy
		wantLost(t, second, nil)
		if f := flowTo(t, p, 0); !f.FailedOpen {
			t.Errorf("got %+v, want the group to have failed open", f)
		}
		p.judge(0, true) // the group fails open no longer, and target 1 is unhealthy still
		wantLost(t, second, ErrUnhealthy)
	})
}

func TestFlowsOfUnhealthyTargetsCanLiveOn(t *testing.T) {
	t.Attr("aws-fact", "4.5")
	networkBubble(t, NetworkAttributes{UnhealthyTermination: no()}, func(t *testing.T, p *Pool) {
		first := flowTo(t, p, 0)
		p.judge(0, false)
		time.Sleep(time.Hour)
		wantLost(t, first, nil)
	})
}

func TestUnhealthyDraining(t *testing.T) {
	t.Attr("aws-fact", "4.5")
	attributes := NetworkAttributes{UnhealthyTermination: no(), UnhealthyDrainingSeconds: 60}
	networkBubble(t, attributes, func(t *testing.T, p *Pool) {
		first := flowTo(t, p, 0)
		p.judge(0, false)
		if got := p.Health()[0].State; got != UnhealthyDraining {
			t.Errorf("got %s, want %s", got, UnhealthyDraining)
		}
		p.judge(0, true) // in time
		time.Sleep(2 * time.Minute)
		wantLost(t, first, nil)
		p.judge(0, false)
		time.Sleep(59 * time.Second)
		wantLost(t, first, nil)
		time.Sleep(time.Second)
		wantLost(t, first, ErrUnhealthy)
		if got := p.Health()[0].State; got != Unhealthy {
			t.Errorf("got %s, want %s", got, Unhealthy)
		}
	})
}

func TestFlowsOfDeregisteredTargets(t *testing.T) {
	t.Attr("aws-fact", "4.9")
	for _, terminated := range []bool{false, true} {
		networkBubble(t, NetworkAttributes{ConnectionTermination: terminated}, func(t *testing.T, p *Pool) {
			first := flowTo(t, p, 0)
			without := p.group
			without.Targets = without.Targets[1:]
			p.Update(without, p.node)
			p.judge(0, true)
			for hash := range uint64(10) {
				if f, _ := p.PickFlow(hash); f.Target == first.Target {
					t.Fatal("a new flow to the target that was deregistered")
				}
			}
			time.Sleep(299 * time.Second)
			wantLost(t, first, nil)
			time.Sleep(time.Second)
			var want error
			if terminated {
				want = ErrDeregistered
			}
			wantLost(t, first, want)
		})
	}
}

func TestPassiveCheckCountsAsAFailedOne(t *testing.T) {
	t.Attr("aws-fact", "4.4")
	networkBubble(t, NetworkAttributes{}, func(t *testing.T, p *Pool) {
		f := flowTo(t, p, 0)
		f.Failed()
		if got := p.Health()[0].State; got != Healthy {
			t.Errorf("after one failure: got %s", got)
		}
		f.Failed()
		if got := p.Health()[0].State; got != Unhealthy {
			t.Errorf("after two failures: got %s", got)
		}
		f.Done()
		f.Done()
		if got := p.Health()[0].Outstanding; got != 0 {
			t.Errorf("got %d flows outstanding, want 0", got)
		}
	})
}

func TestFlowsStayInTheirZone(t *testing.T) {
	t.Attr("aws-fact", "4.6")
	g := checked(t, Group{Protocol: ProtocolTCP, Targets: []Target{{Addr: at(1), Zone: "a"}, {Addr: at(2), Zone: "b"}}})
	p := NewPool(g, Node{Zone: "a", Unused: true}, Env{Scale: 1})
	defer p.Close()
	for hash := range uint64(10) {
		if f, ok := p.PickFlow(hash); !ok || f.Addr != at(1) {
			t.Errorf("got %+v, %t, want the target of zone a", f, ok)
		}
	}
	g.Targets = g.Targets[1:]
	p.Update(g, Node{Zone: "a", Unused: true})
	if f, ok := p.PickFlow(1); ok {
		t.Errorf("got %+v, want none: zone a has no target", f)
	}
}

func TestTCPHealthCheck(t *testing.T) {
	t.Attr("aws-fact", "4.4")
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().(*net.TCPAddr).AddrPort()
	g := checked(t, Group{Protocol: ProtocolTCP, Targets: At(addr)})
	if r := g.checkTCP(t.Context(), addr); !r.ok {
		t.Errorf("of a server that accepts: got %+v", r)
	}
	l.Close()
	if r := g.checkTCP(t.Context(), addr); r.ok || r.reason != reasonFailed {
		t.Errorf("of a port that refuses: got %+v", r)
	}
}

// Health checks begin with a PROXY protocol header that names no client (4.8 D),
// and those over HTTP name the node as their Host (4.4 D).
func TestHealthCheckWithProxyHeader(t *testing.T) {
	t.Attr("aws-fact", "4.8")
	t.Attr("aws-fact", "4.4")
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	headers, hosts := make(chan *proxyproto.Header, 10), make(chan string, 10)
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hosts <- r.Host
		w.WriteHeader(http.StatusFound) // within 200-399
	}))
	s.Listener.Close()
	s.Listener = &proxyproto.Listener{Listener: l, ConnPolicy: func(proxyproto.ConnPolicyOptions) (proxyproto.Policy, error) {
		return proxyproto.REQUIRE, nil
	}, ValidateHeader: func(h *proxyproto.Header) error { headers <- h; return nil }}
	s.Start()
	defer s.Close()
	g := Group{Protocol: ProtocolTCP, Targets: At(l.Addr().(*net.TCPAddr).AddrPort()), Health: HealthCheck{Protocol: ProtocolHTTP}}
	g.Attributes.ProxyProtocolV2 = true
	healthy := make(chan struct{}, 10)
	p := NewPool(checked(t, g), Node{Addr: netip.MustParseAddr("127.0.9.9"), Port: 8443}, Env{Scale: 1, Changed: func() { healthy <- struct{}{} }})
	defer p.Close()
	select {
	case <-healthy:
	case <-time.After(10 * time.Second):
		t.Fatalf("no check succeeded within 10 s: %s", view(p))
	}
	if got := view(p); !strings.HasSuffix(got, "=healthy") {
		t.Errorf("got %s", got)
	}
	if h := <-headers; h.Version != 2 || h.Command != proxyproto.LOCAL || h.SourceAddr != nil {
		t.Errorf("got %+v, want version 2, LOCAL", h)
	}
	if got := <-hosts; got != "127.0.9.9:8443" {
		t.Errorf("got the Host %q, want the node and the listener's port", got)
	}
}

func TestLocalHeaderBytes(t *testing.T) {
	t.Attr("aws-fact", "4.8")
	got, err := localHeader()
	if want := "\r\n\r\n\x00\r\nQUIT\n\x20\x00\x00\x00"; err != nil || string(got) != want {
		t.Errorf("got %x, %v, want %x", got, err, want)
	}
	if h, err := proxyproto.Read(bufio.NewReader(bytes.NewReader(got))); err != nil || h.Command != proxyproto.LOCAL {
		t.Errorf("another reader: got %+v, %v", h, err)
	}
}
