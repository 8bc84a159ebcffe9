package fakealb_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"

	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/fakealb/targets"
)

// contract checks requests and answers against openapi.yaml, and notes which
// answers it saw.
type contract struct {
	t      *testing.T
	doc    *openapi3.T
	router routers.Router
	next   http.Handler

	mu   sync.Mutex
	seen map[string]bool
}

func newContract(t *testing.T, next http.Handler) *contract {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(fakealb.OpenAPI)
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(t.Context()); err != nil {
		t.Fatal(err)
	}
	// A field that is answered but not described is an error here. The published
	// file leaves answers open, so that they may grow.
	for _, s := range doc.Components.Schemas {
		if closed := false; len(s.Value.Properties) > 0 {
			s.Value.AdditionalProperties = openapi3.AdditionalProperties{Has: &closed}
		}
	}
	router, err := gorillamux.NewRouter(doc)
	if err != nil {
		t.Fatal(err)
	}
	return &contract{t: t, doc: doc, router: router, next: next, seen: map[string]bool{}}
}

func (c *contract) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	rec := httptest.NewRecorder()
	c.next.ServeHTTP(rec, r)
	for name, values := range rec.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(rec.Code)
	_, _ = w.Write(rec.Body.Bytes())

	route, params, err := c.router.FindRoute(r)
	if err != nil {
		c.t.Errorf("%s %s: %v", r.Method, r.URL, err)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen[fmt.Sprintf("%s %s %d", r.Method, route.Path, rec.Code)] = true
	r.Body = io.NopCloser(bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	in := &openapi3filter.RequestValidationInput{Request: r, PathParams: params, Route: route}
	if err := openapi3filter.ValidateRequest(r.Context(), in); err != nil && rec.Code == http.StatusOK {
		c.t.Errorf("%s %s %s was accepted: %v", r.Method, r.URL, body, err)
	}
	// Of a stream every line is checked.
	answers := [][]byte{rec.Body.Bytes()}
	if strings.Contains(rec.Header().Get("Content-Type"), "ndjson") {
		answers = bytes.Split(bytes.TrimSpace(rec.Body.Bytes()), []byte("\n"))
	}
	for _, answer := range answers {
		out := &openapi3filter.ResponseValidationInput{
			RequestValidationInput: in, Status: rec.Code, Header: rec.Header(),
			Options: &openapi3filter.Options{IncludeResponseStatus: true},
		}
		out.SetBodyBytes(answer)
		if err := openapi3filter.ValidateResponse(r.Context(), out); err != nil {
			c.t.Errorf("%s %s answered %d %s: %v", r.Method, r.URL, rec.Code, answer, err)
		}
	}
}

func TestOpenAPIFileIsWhatTheServerDoes(t *testing.T) {
	openapi3filter.RegisterBodyDecoder("application/x-ndjson", openapi3filter.JSONBodyDecoder)
	openapi3filter.RegisterBodyDecoder("application/x-pem-file", openapi3filter.PlainBodyDecoder)
	f := start(t, nil, "127.0.79.1")
	checked := newContract(t, f.server.Handler())
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
	var missing []string
	for path, item := range checked.doc.Paths.Map() {
		for method, op := range item.Operations() {
			for status := range op.Responses.Map() {
				key := method + " " + path + " " + status
				// The stream never ends by itself, so events_test.go reads it instead.
				if !checked.seen[key] && path != "/v1/events" {
					missing = append(missing, key)
				}
				delete(checked.seen, key)
			}
		}
	}
	if len(missing) > 0 || len(checked.seen) > 0 {
		t.Errorf("described but not seen here: %v\nseen here but not described: %v", missing, checked.seen)
	}
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
	other := fakealb.Node{Addr: netip.MustParseAddr("127.0.79.2"), LoadBalancer: "full", Zone: "b"}
	ok(c.PutNode(ctx, other))
	curl(t, "-H", "X-Proxychaos-Seq: 1", "http://"+netip.AddrPortFrom(other.Addr, f.port).String()+"/")
	ok(c.Targets(ctx, other.Addr))
	for _, kind := range fakealb.FaultKinds() {
		setting := fakealb.FaultSetting{Kind: kind}
		if kind == fakealb.FaultError {
			setting.Status, setting.Share = 502, 0.5
		}
		if kind == fakealb.FaultSlowAccept || kind == fakealb.FaultSlowResponse {
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
			Certificates: []fakealb.Certificate{{
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
	for _, c := range []struct {
		method, path, body string
		status             int
	}{
		{"GET", "/v1/openapi.yaml", "", 200},
		{"GET", "/metrics", "", 200},
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
	} {
		req, err := http.NewRequestWithContext(context.Background(), c.method, api+c.path, strings.NewReader(c.body))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != c.status {
			t.Errorf("%s %s %.60s: got %d, want %d", c.method, c.path, c.body, resp.StatusCode, c.status)
		}
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
