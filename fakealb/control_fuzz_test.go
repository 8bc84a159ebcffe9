package fakealb_test

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"strings"
	"testing"

	"github.com/proxychaos/proxychaos/fakealb"
)

// FuzzControl looks for a control request that crashes the server or is answered
// with a failure of the server itself.
func FuzzControl(f *testing.F) {
	// Each worker of the fuzzer is a process that runs this: an address for each.
	pid := os.Getpid()
	addr := netip.AddrFrom4([4]byte{127, 79, byte(pid >> 8), byte(pid)})
	s, err := fakealb.New(fakealb.Config{
		Network: fakealb.NetworkUserspace, Ports: []uint16{18080},
		LoadBalancers: []fakealb.LoadBalancer{{Name: "blue", Targets: 1}},
		Nodes:         []fakealb.Node{{Addr: addr, LoadBalancer: "blue"}},
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { s.Close() })
	for _, seed := range [][3]string{
		{"PUT", "/v1/faults", `{"nodes":["NODE"],"kind":"linger","share":0.5,"grace":"1ms"}`},
		{"PUT", "/v1/nodes/NODE/fault", `{"kind":"error","status":502}`},
		{"DELETE", "/v1/nodes/NODE/fault", ""},
		{"PUT", "/v1/nodes/NODE", `{"load_balancer":"blue","zone":"z"}`},
		{"PUT", "/v1/load-balancers/blue", `{"targets":1,"attributes":{"idle_timeout.timeout_seconds":1}}`},
		{"PUT", "/v1/load-balancers/blue", `{"listeners":[{"port":18080,"protocol":"HTTPS","ssl_policy":"ELBSecurityPolicy-TLS13-1-2-2021-06",
			"certificates":[{"names":["a.test","*.b.test"],"key_type":"ECDSA","key_size":384,"hash":"SHA512","not_after":"2030-01-01T00:00:00Z"}],
			"mutual_authentication":{"mode":"verify","trust_store":"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"}}]}`},
		{"PUT", "/v1/load-balancers/flows", `{"type":"network","ports_per_target":3,"vpc_endpoint_id":"vpce-1","listeners":[
			{"port":18080,"protocol":"TCP","attributes":{"tcp.idle_timeout.seconds":60}}]}`},
		{"PUT", "/v1/load-balancers/flows", `{"type":"network","listeners":[{"port":18080,"protocol":"TLS","alpn_policy":"HTTP2Preferred"}]}`},
		{"PUT", "/v1/nodes/NODE", `{"load_balancer":"flows","zone":"a"}`},
		{"PUT", "/v1/load-balancers/blue", `{"targets":1,"attributes":{"routing.http.desync_mitigation_mode":"strictest",
			"routing.http.response.server.enabled":false,"routing.http.response.x_frame_options.header_value":"DENY"}}`},
		{"DELETE", "/v1/load-balancers/x", ""},
		{"GET", "/v1/nodes", ""},
		{"GET", "/v1/records/packets", ""},
		{"POST", "/v1/reset", ""},
		{"GET", "/v1//nodes/../", ""},
	} {
		f.Add(seed[0], seed[1], seed[2])
	}
	f.Fuzz(func(t *testing.T, method, path, body string) {
		path, body = strings.ReplaceAll(path, "NODE", addr.String()), strings.ReplaceAll(body, "NODE", addr.String())
		req, err := http.NewRequest(method, "http://x"+path, strings.NewReader(body))
		if err != nil || strings.Contains(strings.ToLower(body), "target_group") {
			return // no request; or one that might send health checks somewhere
		}
		rec := httptest.NewRecorder()
		s.Handler().ServeHTTP(rec, req)
		if rec.Code >= 500 {
			t.Errorf("%s %q %q: got %d %s", method, path, body, rec.Code, rec.Body)
		}
	})
}
