package fakealb_test

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"

	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/fakealb/cert"
	"github.com/proxychaos/proxychaos/fakealb/cloud"
	"github.com/proxychaos/proxychaos/fakealb/targets"
	"github.com/proxychaos/proxychaos/harness/openapitest"
)

func TestOpenAPIFileIsWhatTheServerDoes(t *testing.T) {
	openapi3filter.RegisterBodyDecoder("application/x-pem-file", openapi3filter.PlainBodyDecoder)
	f := start(t, nil, "127.0.79.1")
	checked := openapitest.New(t, fakealb.OpenAPI, f.server.Handler())
	api := httptest.NewServer(checked)
	defer api.Close()
	c := fakealb.NewClient(api.URL, nil)
	driveClient(t, c, f)
	driveErrors(t, api.URL)
	taken, err := net.Listen("tcp4", netip.AddrPortFrom(netip.MustParseAddr("127.0.79.3"), f.port).String())
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	_, err = c.PutNode(t.Context(), fakealb.Node{Addr: netip.MustParseAddr("127.0.79.3"), LoadBalancer: "blue"})
	if e := apiErr(t, err); e.Code != fakealb.CodeInUse {
		t.Errorf("a port that another has: got %v", err)
	}
	checked.Complete("/v1/events") // which never ends by itself: events_test.go reads it
}

// driveClient makes every call of the client, with every field it has.
func driveClient(t *testing.T, c *fakealb.Client, f *fixture) {
	t.Helper()
	ctx := t.Context()
	ok := func(_ any, err error) {
		t.Helper()
		if err != nil {
			t.Error(err)
		}
	}
	ok(c.Version(ctx))
	ok(c.Status(ctx))
	ok(c.CA(ctx))
	ok(c.PutDefaultCertificate(ctx, "api.example"))
	ok(c.PutDefaultCertificate(ctx))
	ok(c.PutLoadBalancer(ctx, fakealb.LoadBalancer{
		Name: "full", Listeners: []fakealb.Listener{{Port: f.port, Protocol: fakealb.ProtocolHTTP}}, Certificates: []string{"full.example"}, DNSName: "full.example", ErrorBody: fakealb.ErrorBodyPre2020,
		TargetGroup: &targets.Group{
			Targets: targets.At(target(t, false)), Protocol: "HTTP",
			Health: targets.HealthCheck{Path: "/", IntervalSeconds: 5, TimeoutSeconds: 2, HealthyThreshold: 2, UnhealthyThreshold: 2, Matcher: "200-299"},
		},
		Attributes: fakealb.Attributes{
			IdleTimeoutSeconds: 30, ClientKeepAliveSeconds: 60, XFFMode: "preserve", XFFClientPort: true,
			PreserveHost: true, DropInvalidHeaders: true, DesyncMode: "strictest", TLSHeaders: true,
			ResponseHeaders: fakealb.ResponseHeaders{
				ServerEnabled: new(bool), StrictTransportSecurity: "max-age=1", AccessControlAllowOrigin: "*",
				AccessControlAllowMethods: "GET", AccessControlAllowHeaders: "A", AccessControlAllowCredentials: "true",
				AccessControlExposeHeaders: "B", AccessControlMaxAge: "1", ContentSecurityPolicy: "sandbox",
				XContentTypeOptions: "nosniff", XFrameOptions: "DENY",
			},
		},
	}))
	putSecure(t, c, f.port)
	ok(c.PutLoadBalancer(ctx, fakealb.LoadBalancer{
		Name: "gateway", Cloud: "azure", ErrorBody: fakealb.ErrorBodyCurrent, OwnStatuses: map[cloud.Cause]int{cloud.NoTarget: 503},
		Attributes: fakealb.Attributes{ResponseTimeoutSeconds: 30}, TargetGroup: &targets.Group{Health: targets.HealthCheck{IntervalSeconds: 1, TimeoutSeconds: 1}},
	}))
	ok(c.PutLoadBalancer(ctx, fakealb.LoadBalancer{
		Name: "passing", Cloud: "azure", Type: fakealb.TypeNetwork, ErrorBody: fakealb.ErrorBodyCurrent,
		Listeners: []fakealb.Listener{{Port: f.port, Protocol: fakealb.ProtocolTCP, Attributes: fakealb.ListenerAttributes{TCPReset: true}}},
	}))
	driveGroups(t, c, f.port)
	off := false
	ok(c.PutLoadBalancer(ctx, fakealb.LoadBalancer{
		Name: "flows", Type: fakealb.TypeNetwork, ErrorBody: fakealb.ErrorBodyCurrent, VPCEndpoint: "vpce-1", PortsPerTarget: 100,
		Listeners: []fakealb.Listener{{Port: f.port, Protocol: fakealb.ProtocolTLS, ALPNPolicy: fakealb.ALPNHTTP2Preferred}},
		TargetGroup: &targets.Group{
			Protocol: targets.ProtocolTLS, Targets: []targets.Target{}, Health: targets.HealthCheck{Protocol: targets.ProtocolTCP},
			Attributes: targets.Attributes{NetworkAttributes: targets.NetworkAttributes{
				ProxyProtocolV2: true, ConnectionTermination: true, UnhealthyTermination: &off, UnhealthyDrainingSeconds: 360000,
			}},
		},
	}))
	other := fakealb.Node{Addr: netip.MustParseAddr("127.0.79.2"), LoadBalancer: "full", Zone: "b"}
	ok(c.PutNode(ctx, other))
	curl(t, "-H", "X-Proxychaos-Seq: 1", "http://"+netip.AddrPortFrom(other.Addr, f.port).String()+"/")
	ok(c.Targets(ctx, other.Addr))
	for _, kind := range fakealb.FaultKinds() {
		setting := fakealb.FaultSetting{Kind: kind}
		if kind == fakealb.FaultError {
			setting.Status, setting.Share = 502, 0.5
		}
		if kind == fakealb.FaultSlowAccept || kind == fakealb.FaultSlowResponse || kind == fakealb.FaultSlowBody {
			setting.Delay = fakealb.Duration(time.Millisecond)
		}
		ok(c.PutFaults(ctx, fakealb.FaultRequest{Nodes: []netip.Addr{other.Addr}, FaultSetting: setting}))
		ok(c.Nodes(ctx))
	}
	ok(c.PutFaults(ctx, fakealb.FaultRequest{
		Nodes: []netip.Addr{other.Addr}, FaultSetting: fakealb.FaultSetting{Kind: fakealb.FaultSilence, Grace: fakealb.Duration(time.Hour)},
	}))
	driveTLS(t, f)
	ok(c.LoadBalancers(ctx))
	ok(c.Attempts(ctx))
	ok(c.Connections(ctx))
	ok(c.Packets(ctx))
	ok(c.Checks(ctx))
	ok(c.History(ctx))
	ok(c.DeleteNode(ctx, other.Addr))
	ok(c.DeleteLoadBalancer(ctx, "full"))
}

// putSecure makes a load balancer with every setting of an HTTPS listener.
func putSecure(t *testing.T, c *fakealb.Client, port uint16) {
	t.Helper()
	on := true
	_, err := c.PutLoadBalancer(t.Context(), fakealb.LoadBalancer{
		Name: "secure", ErrorBody: fakealb.ErrorBodyCurrent, MaxConnections: 10, Attributes: fakealb.Attributes{HTTP2: &on},
		Listeners: []fakealb.Listener{{
			Port: port, Protocol: fakealb.ProtocolHTTPS, SSLPolicy: "ELBSecurityPolicy-TLS13-1-2-2021-06",
			MutualAuthentication: fakealb.MutualAuthentication{Mode: "passthrough"},
			Certificates: []cert.Certificate{{
				Names: []string{"full.example"}, KeyType: "ECDSA", KeySize: 256, Hash: "SHA384",
				NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
			}},
		}},
	})
	if err != nil {
		t.Error(err)
	}
}

// driveTLS leaves rows of a whole and of a failed handshake.
func driveTLS(t *testing.T, f *fixture) {
	t.Helper()
	hc := &http.Client{Transport: tlsTransport(t, f), Timeout: 5 * time.Second}
	for _, kind := range []fakealb.FaultKind{fakealb.FaultNone, fakealb.FaultTLSAlert} {
		f.set(t, kind, f.nodes[0])
		resp, err := hc.Get("https://" + f.at(0) + "/")
		if err == nil {
			resp.Body.Close()
		}
		hc.CloseIdleConnections()
		if (err == nil) != (kind == fakealb.FaultNone) {
			t.Errorf("%s: got %v", kind, err)
		}
	}
}

// driveErrors makes every error that is described, and the calls that the client
// has not.
func driveErrors(t *testing.T, api string) {
	t.Helper()
	const node, none = "/v1/nodes/127.0.79.1", "/v1/nodes/127.0.79.9"
	huge := `{"x":"` + strings.Repeat("x", 1<<20) + `"}`
	for _, c := range append(groupErrors(), []contractCall{
		{"GET", "/v1/openapi.yaml", "", 200},
		{"GET", "/metrics", "", 200},
		{"PUT", "/v1/default-certificate", `{"names":["a b"]}`, 400},
		{"PUT", "/v1/default-certificate", huge, 413},
		{"PUT", "/v1/load-balancers/x", "{", 400},
		{"PUT", "/v1/load-balancers/x", huge, 413},
		{"DELETE", "/v1/load-balancers/none", "", 404},
		{"DELETE", "/v1/load-balancers/blue", "", 409},
		{"PUT", "/v1/nodes/x", "{}", 400},
		{"PUT", none, `{"load_balancer":"none"}`, 404},
		{"PUT", none, huge, 413},
		{"DELETE", "/v1/nodes/x", "", 400},
		{"DELETE", none, "", 404},
		{"GET", "/v1/nodes/x/targets", "", 400},
		{"GET", none + "/targets", "", 404},
		{"PUT", node + "/fault", `{"kind":"linger","share":0.5,"grace":"1h"}`, 200},
		{"PUT", node + "/fault", `{}`, 400},
		{"PUT", node + "/fault", huge, 413},
		{"PUT", none + "/fault", `{"kind":"linger"}`, 404},
		{"DELETE", node + "/fault", "", 200},
		{"DELETE", "/v1/nodes/x/fault", "", 400},
		{"DELETE", none + "/fault", "", 404},
		{"PUT", "/v1/faults", `{"nodes":[],"kind":"none"}`, 400},
		{"PUT", "/v1/faults", `{"nodes":["127.0.79.9"],"kind":"none"}`, 404},
		{"PUT", "/v1/faults", huge, 413},
		{"POST", "/v1/reset", "", 200},
	}...) {
		c.make(t, api)
	}
}

// enum returns the values that openapi.yaml lists for a schema.
func enum(s *openapi3.Schema) []string {
	var out []string
	for _, v := range s.Enum {
		out = append(out, fmt.Sprint(v))
	}
	slices.Sort(out)
	return out
}
