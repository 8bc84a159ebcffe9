package fakealb_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/proxychaos/proxychaos/fakealb"
)

// apiErr returns err as the API's error and fails the test if it is another.
func apiErr(t *testing.T, err error) *fakealb.Error {
	t.Helper()
	var e *fakealb.Error
	if !errors.As(err, &e) {
		t.Fatalf("got %v, want an error of the API", err)
	}
	return e
}

func TestControlErrorsNameTheField(t *testing.T) {
	f := start(t, nil, "127.0.72.1")
	for _, c := range []struct {
		name, method, path, body string
		status                   int
		code                     fakealb.ErrorCode
		field                    string
	}{
		{"no such call", "GET", "/v1/nope", "", 404, fakealb.CodeNotFound, ""},
		{"no JSON", "PUT", "/v1/faults", "kind=silence", 400, fakealb.CodeBadRequest, ""},
		{"too large", "PUT", "/v1/faults", `{"kind":"` + strings.Repeat("x", 1<<20) + `"}`, 413, fakealb.CodeTooLarge, ""},
		{"two objects", "PUT", "/v1/faults", `{} {}`, 400, fakealb.CodeBadRequest, ""},
		{"unknown field", "PUT", "/v1/faults", `{"node":"127.0.72.1"}`, 400, fakealb.CodeBadRequest, "node"},
		{"no nodes", "PUT", "/v1/faults", `{"kind":"silence"}`, 400, fakealb.CodeInvalidField, "nodes"},
		{"unknown kind", "PUT", "/v1/faults", `{"nodes":["127.0.72.1"],"kind":"explode"}`, 400, fakealb.CodeInvalidField, "kind"},
		{"unknown node", "PUT", "/v1/faults", `{"nodes":["127.0.72.1","127.0.72.9"],"kind":"silence"}`, 404, fakealb.CodeUnknownNode, "nodes[1]"},
		{"no address", "PUT", "/v1/nodes/elsewhere", `{"load_balancer":"blue"}`, 400, fakealb.CodeInvalidField, "addr"},
		{"not loopback", "PUT", "/v1/nodes/198.18.0.1", `{"load_balancer":"blue"}`, 400, fakealb.CodeInvalidField, "addr"},
		{"unknown balancer", "PUT", "/v1/nodes/127.0.72.2", `{"load_balancer":"green"}`, 404, fakealb.CodeUnknownLoadBalancer, "load_balancer"},
		{"fault with the node", "PUT", "/v1/nodes/127.0.72.2", `{"load_balancer":"blue","fault":"silence"}`, 400, fakealb.CodeInvalidField, "fault"},
		{"bad name", "PUT", "/v1/load-balancers/-x", `{}`, 400, fakealb.CodeInvalidField, "name"},
		{"two names", "PUT", "/v1/load-balancers/x", `{"name":"y"}`, 400, fakealb.CodeInvalidField, "name"},
		{"too many targets", "PUT", "/v1/load-balancers/x", `{"targets":1001}`, 400, fakealb.CodeInvalidField, "targets"},
		{"bad certificate", "PUT", "/v1/load-balancers/x", `{"certificates":["a b"]}`, 400, fakealb.CodeInvalidField, "certificates"},
		{"bad body style", "PUT", "/v1/load-balancers/x", `{"error_body":"2012"}`, 400, fakealb.CodeInvalidField, "error_body"},
		{"balancer in use", "DELETE", "/v1/load-balancers/blue", "", 409, fakealb.CodeInUse, "name"},
		{"no such balancer", "DELETE", "/v1/load-balancers/green", "", 404, fakealb.CodeUnknownLoadBalancer, "name"},
		{"no such node", "DELETE", "/v1/nodes/127.0.72.9", "", 404, fakealb.CodeUnknownNode, "addr"},
	} {
		t.Run(c.name, func(t *testing.T) {
			req, err := http.NewRequestWithContext(f.ctx, c.method, f.server.ControlURL()+c.path, strings.NewReader(c.body))
			if err != nil {
				t.Fatal(err)
			}
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			var got struct{ Error fakealb.Error }
			if err := json.NewDecoder(resp.Body).Decode(&got); err != nil {
				t.Fatal(err)
			}
			if resp.StatusCode != c.status || got.Error.Code != c.code || got.Error.Field != c.field || got.Error.Message == "" {
				t.Errorf("got %d %+v, want %d, code %s, field %q", resp.StatusCode, got.Error, c.status, c.code, c.field)
			}
		})
	}
}

func TestPutsAreIdempotentAndReset(t *testing.T) {
	f := start(t, nil, "127.0.72.3")
	blue := fakealb.LoadBalancer{Name: "blue", Targets: 2}
	node := fakealb.Node{Addr: f.nodes[0], LoadBalancer: "blue", Zone: "a"}
	before, err := f.History(f.ctx)
	if err != nil {
		t.Fatal(err)
	}
	for name, put := range map[string]func() (fakealb.Applied, error){
		"load balancer": func() (fakealb.Applied, error) { return f.PutLoadBalancer(f.ctx, blue) },
		"node":          func() (fakealb.Applied, error) { return f.PutNode(f.ctx, node) },
		"fault":         func() (fakealb.Applied, error) { return f.SetFault(f.ctx, fakealb.FaultNone, node.Addr) },
	} {
		if a, err := put(); err != nil || a.Changed {
			t.Errorf("put the same %s again: %+v, %v", name, a, err)
		}
	}
	if after, err := f.History(f.ctx); err != nil || len(after) != len(before) {
		t.Errorf("the history grew from %d to %d, %v", len(before), len(after), err)
	}
	curl(t, "http://"+f.at(0)+"/")
	f.set(t, fakealb.FaultRefuse, node.Addr)
	if _, err := f.PutNode(f.ctx, fakealb.Node{Addr: netip.MustParseAddr("127.0.72.4"), LoadBalancer: "blue"}); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Reset(f.ctx); err != nil {
		t.Fatal(err)
	}
	nodes, err := f.Nodes(f.ctx)
	if err != nil || len(nodes) != 1 || nodes[0].Fault != fakealb.FaultNone || nodes[0].Addr != node.Addr {
		t.Errorf("the nodes after a reset: %+v, %v", nodes, err)
	}
	if rows, err := f.Attempts(f.ctx); err != nil || len(rows) != 0 {
		t.Errorf("the attempts after a reset: %+v, %v", rows, err)
	}
	curl(t, "http://"+f.at(0)+"/")
}

func TestNodeMovesToAnotherLoadBalancer(t *testing.T) {
	f := start(t, nil, "127.0.72.5")
	c := warmConn(t, f.at(0))
	if _, err := f.PutLoadBalancer(f.ctx, fakealb.LoadBalancer{Name: "green", Targets: 1}); err != nil {
		t.Fatal(err)
	}
	if _, err := f.PutNode(f.ctx, fakealb.Node{Addr: f.nodes[0], LoadBalancer: "green"}); err != nil {
		t.Fatal(err)
	}
	if got := ask(t, c, "1"); !strings.Contains(got, "X-Fakealb-Lb: green\r\n") {
		t.Errorf("got %q, want the answer of the new load balancer", got)
	}
}

func TestNewRefusesBadConfig(t *testing.T) {
	good := fakealb.Config{Network: fakealb.NetworkUserspace, Ports: []uint16{8080}}
	for want, change := range map[string]func(*fakealb.Config){
		"network":            func(c *fakealb.Config) { c.Network = "" },
		"interface":          func(c *fakealb.Config) { c.Interface = "eth0" },
		"any port":           func(c *fakealb.Config) { c.AnyPort = true },
		"no port":            func(c *fakealb.Config) { c.Ports = nil },
		"port 0":             func(c *fakealb.Config) { c.Ports = []uint16{0} },
		"time scale":         func(c *fakealb.Config) { c.TimeScale = -1 },
		"control address":    func(c *fakealb.Config) { c.Control = "203.0.113.7:8500" },
		`"nowhere"`:          func(c *fakealb.Config) { c.Control = "nowhere" },
		"load balancer name": func(c *fakealb.Config) { c.LoadBalancers = []fakealb.LoadBalancer{{}} },
		"got load balancer": func(c *fakealb.Config) {
			c.Nodes = []fakealb.Node{{Addr: netip.MustParseAddr("127.0.72.6"), LoadBalancer: "x"}}
		},
		"got node address ::": func(c *fakealb.Config) { c.Nodes = []fakealb.Node{{Addr: netip.IPv6Unspecified()}} },
	} {
		config := good
		change(&config)
		if s, err := fakealb.New(config); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error that says %q", err, want)
			if s != nil {
				s.Close()
			}
		}
	}
}

func TestVersionSaysTestOnly(t *testing.T) {
	f := start(t, nil, "127.0.72.7")
	v, err := f.Version(f.ctx)
	if err != nil || v.Name != "fakealb" || v.API != "v1" || !strings.Contains(v.Notice, "TEST ONLY") {
		t.Errorf("got %+v, %v", v, err)
	}
}

func TestCloseWithoutRunFreesEverything(t *testing.T) {
	addr := netip.MustParseAddr("127.0.72.8")
	config := fakealb.Config{
		Network: fakealb.NetworkUserspace, Ports: []uint16{freePort(t, addr)},
		LoadBalancers: []fakealb.LoadBalancer{{Name: "blue", Targets: 1}},
		Nodes:         []fakealb.Node{{Addr: addr, LoadBalancer: "blue"}},
	}
	for range 3 {
		s, err := fakealb.New(config)
		if err != nil {
			t.Fatal(err)
		}
		c := warmConn(t, netip.AddrPortFrom(addr, config.Ports[0]).String())
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := readWithin(c, 1e9); !isReset(err) {
			t.Errorf("the open connection at Close: got %v, want a reset", err)
		}
		if err := s.Run(context.Background()); err != nil {
			t.Errorf("Run after Close: %v", err)
		}
	}
}
