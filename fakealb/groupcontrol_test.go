package fakealb_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/fakealb/rules"
	"github.com/proxychaos/proxychaos/fakealb/targets"
)

// driveGroups makes every call that is about target groups, with every field.
func driveGroups(t *testing.T, c *fakealb.Client, port uint16) {
	t.Helper()
	ctx := t.Context()
	ok := func(_ any, err error) {
		t.Helper()
		if err != nil {
			t.Error(err)
		}
	}
	delay := 10
	two := to("every", "plain")
	two[0].Stickiness = rules.GroupStickiness{Enabled: true, DurationSeconds: 60}
	lb := fakealb.LoadBalancer{
		Name: "ruled", ErrorBody: fakealb.ErrorBodyCurrent, Attributes: fakealb.Attributes{ZonalShift: true}, ZonalShift: "z",
		TargetGroups: []targets.Group{
			{
				Name: "every", Protocol: "HTTPS", ProtocolVersion: "HTTP1", Retries: 1,
				Health: targets.HealthCheck{Protocol: "HTTPS", Port: 8443},
				Attributes: targets.Attributes{
					DeregistrationDelaySeconds: &delay, SlowStartSeconds: 30, Algorithm: targets.RoundRobin, AnomalyMitigation: "off", CrossZone: "true",
					Sticky: true, StickyType: targets.StickyLBCookie, LBCookieSeconds: 60, AppCookieSeconds: 60, AppCookieName: "session",
					DNSFailoverCount: targets.Off, DNSFailoverPercentage: 50, UnhealthyRoutingCount: 1, UnhealthyRoutingPercentage: 50,
				},
			},
			{Name: "plain"},
		},
		Listeners: []fakealb.Listener{{
			Port: port, Protocol: fakealb.ProtocolHTTP,
			Rules: []rules.Rule{
				{Priority: 1, Actions: two, Conditions: []rules.Condition{
					{Field: rules.HostHeader, Values: []string{"*.example.test"}},
					{Field: rules.HTTPHeader, HeaderName: "X-A", Values: []string{"b"}},
					{Field: rules.QueryString, Query: []rules.Parameter{{Key: "k", Value: "v"}}},
				}},
				onPath(2, "/fixed", []rules.Action{{Type: rules.Fixed, FixedResponse: &rules.FixedResponse{StatusCode: 418, ContentType: "text/html", MessageBody: "tea"}}}),
				{
					Priority: 3, Conditions: []rules.Condition{{Field: rules.SourceIP, Values: []string{"127.0.0.0/8"}}, {Field: rules.RequestMethod, Values: []string{"GET"}}},
					Actions: []rules.Action{{Type: rules.ToURL, Redirect: &rules.Redirect{Protocol: "HTTPS", Host: "#{host}", Port: "443", Path: "/#{path}", Query: "#{query}", StatusCode: "HTTP_301"}}},
				},
			},
			DefaultActions: to("plain"),
		}},
	}
	ok(c.PutLoadBalancer(ctx, lb))
	node := netip.MustParseAddr("127.0.79.7")
	ok(c.PutNode(ctx, fakealb.Node{Addr: node, LoadBalancer: "ruled", Zone: "z", ControlPlaneLag: fakealb.Duration(time.Millisecond)}))
	ok(c.PutTargetGroup(ctx, "ruled", targets.Group{Name: "more", Targets: []targets.Target{
		{Zone: "z", BuiltIn: &targets.BuiltIn{Name: "s", Kind: targets.KindStream, Delay: targets.Duration(time.Millisecond), Size: 1, Chunks: 1}},
		{BuiltIn: &targets.BuiltIn{Kind: targets.KindFlaky, Status: 500, Share: 0.1, Unhealthy: true}},
		{Addr: netip.MustParseAddrPort("127.0.79.8:80"), Zone: "y"},
	}}))
	ok(c.RegisterTarget(ctx, "ruled", "more", targets.At(netip.MustParseAddrPort("127.0.79.8:81"))[0]))
	ok(c.TargetGroups(ctx, "ruled"))
	ok(c.LoadBalancers(ctx))
	ok(c.TargetHealth(ctx, "ruled"))
	ok(c.DNS(ctx, "ruled"))
	ok(c.DeregisterTarget(ctx, "ruled", "more", "127.0.79.8:81"))
	ok(c.DeleteTargetGroup(ctx, "ruled", "more"))
	ok(c.DeleteNode(ctx, node))
}

// groupErrors are the errors of those calls. "ruled" has been put before.
func groupErrors() []contractCall {
	const lb, none = "/v1/load-balancers/ruled", "/v1/load-balancers/none"
	huge := `{"name":"` + strings.Repeat("x", 1<<20) + `"}`
	return []contractCall{
		{"GET", none + "/dns", "", 404},
		{"GET", none + "/target-health", "", 404},
		{"GET", none + "/target-groups", "", 404},
		{"PUT", lb + "/target-groups/plain", `{"retries":9}`, 400},
		{"PUT", lb + "/target-groups/plain", `{"name":"other"}`, 400},
		{"PUT", none + "/target-groups/plain", `{}`, 404},
		{"PUT", lb + "/target-groups/plain", huge, 413},
		{"DELETE", lb + "/target-groups/nope", "", 404},
		{"DELETE", lb + "/target-groups/plain", "", 409},
		{"PUT", lb + "/target-groups/plain/targets", `{"addr":"127.0.79.8:80","built_in":{"kind":"echo"}}`, 400},
		{"PUT", lb + "/target-groups/plain/targets", `"127.0.79.8:0"`, 400},
		{"PUT", lb + "/target-groups/nope/targets", `"127.0.79.8:80"`, 404},
		{"PUT", lb + "/target-groups/plain/targets", huge, 413},
		{"DELETE", lb + "/target-groups/plain/targets/127.0.79.8:80", "", 404},
	}
}

// contractCall is a call with the status it is to be answered with.
type contractCall struct {
	method, path, body string
	status             int
}

func (c contractCall) make(t *testing.T, api string) {
	t.Helper()
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

// Each node checks for itself, and says so (3.2 D); a target that is deregistered
// gets no new request.
func TestTargetHealthOfEachNode(t *testing.T) {
	t.Attr("aws-fact", "3.2")
	f := start(t, func(c *fakealb.Config) {
		c.LoadBalancers = []fakealb.LoadBalancer{{
			Name: "blue", TargetGroups: []targets.Group{{Name: "g", Targets: echoes("a", "b")}, {Name: "idle", Targets: echoes("c")}},
			Listeners: []fakealb.Listener{{Port: c.Ports[0], Protocol: fakealb.ProtocolHTTP, DefaultActions: to("g")}},
		}}
	}, "127.0.83.1", "127.0.83.2")
	health := func() string {
		list, err := f.TargetHealth(f.ctx, "blue")
		if err != nil {
			t.Fatal(err)
		}
		var out strings.Builder
		for _, n := range list {
			out.WriteString(n.Node.String())
			for _, g := range n.Groups {
				for _, h := range g.Targets {
					out.WriteString(" " + g.Name + "/" + h.Target + "=" + string(h.State))
				}
			}
			out.WriteString("\n")
		}
		return out.String()
	}
	eventually(t, "what both nodes see", func() bool {
		return health() == "127.0.83.1 g/a=healthy g/b=healthy idle/c=unused\n127.0.83.2 g/a=healthy g/b=healthy idle/c=unused\n"
	})
	if _, err := f.DeregisterTarget(f.ctx, "blue", "g", "a"); err != nil {
		t.Fatal(err)
	}
	if got := health(); !strings.HasPrefix(got, "127.0.83.1 g/b=healthy g/a=draining idle/c=unused\n") {
		t.Errorf("got %s", got)
	}
	for range 4 {
		curl(t, "http://"+f.at(0)+"/")
	}
	for _, a := range f.finished(t, 4) {
		if !strings.HasPrefix(a.Target, "b:") {
			t.Errorf("got a request to %s after a was deregistered", a.Target)
		}
	}
	if _, err := f.RegisterTarget(f.ctx, "blue", "g", echoes("a")[0]); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a again", func() bool {
		return strings.HasPrefix(health(), "127.0.83.1 g/b=healthy g/a=healthy idle/c=unused\n")
	})
	if a, err := f.RegisterTarget(f.ctx, "blue", "g", echoes("a")[0]); err != nil || a.Changed {
		t.Errorf("registered once more: got %+v, %v, want no change", a, err)
	}
}

// HTTP/1.1 to targets whatever the client speaks (3.1.7 D).
func TestHTTP1ToTargetsOfHTTP2Clients(t *testing.T) {
	t.Attr("aws-fact", "3.1.7")
	protos := make(chan string, 10)
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/asked" {
			protos <- r.Proto
		}
	}))
	defer s.Close()
	f := forwarding(t, "127.0.83.3", nil, s.Listener.Addr().(*net.TCPAddr).AddrPort())
	if got := curl(t, "-k", "--http2", "-o", "/dev/null", "-w", "%{http_version}", "https://"+f.at(0)+"/asked"); got != "2" {
		t.Errorf("the client spoke HTTP/%s", got)
	}
	if got := <-protos; got != "HTTP/1.1" {
		t.Errorf("the target was spoken to in %s", got)
	}
}

// A request with a body for which there is no target is answered, and its
// connection ends.
func TestBodyForAnEmptyGroup(t *testing.T) {
	t.Attr("aws-fact", "2.4.1")
	t.Attr("aws-fact", "3.3.4")
	f := forwarding(t, "127.0.83.4", nil)
	got := curl(t, "-o", "/dev/null", "-w", "%{http_code}", "--data", strings.Repeat("x", 10000), "http://"+f.at(0)+"/")
	if got != "503" {
		t.Errorf("got %s, want 503", got)
	}
}

// What is under way with a target at the end of its deregistration delay is cut:
// 502, or a body that ends early (2.4.1, 3.4.1 D).
func TestDeregistrationDelayEndsThroughANode(t *testing.T) {
	t.Attr("aws-fact", "3.4.1")
	t.Attr("aws-fact", "2.4.1")
	delay := 1
	slow := []targets.Target{
		{BuiltIn: &targets.BuiltIn{Name: "waits", Kind: targets.KindDelay, Delay: targets.Duration(time.Hour)}},
		{BuiltIn: &targets.BuiltIn{Name: "streams", Kind: targets.KindStream, Delay: targets.Duration(50 * time.Millisecond), Chunks: 10000}},
	}
	f := start(t, func(c *fakealb.Config) {
		c.LoadBalancers = []fakealb.LoadBalancer{{
			Name: "blue", TargetGroups: []targets.Group{{Name: "g", Targets: slow, Attributes: targets.Attributes{DeregistrationDelaySeconds: &delay}}},
			Listeners: []fakealb.Listener{{Port: c.Ports[0], Protocol: fakealb.ProtocolHTTP, DefaultActions: to("g")}},
		}}
	}, "127.0.83.5")
	type outcome struct {
		status int
		err    error
	}
	outcomes := make(chan outcome, 100)
	ask := func() {
		resp, err := http.Get("http://" + f.at(0) + "/")
		if err != nil {
			outcomes <- outcome{err: err}
			return
		}
		defer resp.Body.Close()
		_, err = io.Copy(io.Discard, resp.Body)
		outcomes <- outcome{resp.StatusCode, err}
	}
	// One after the other, so that round robin gives each target one; a client that
	// sends a request again takes a turn more.
	asked := 0
	eventually(t, "both targets have a request", func() bool {
		list, err := f.TargetHealth(f.ctx, "blue")
		if err != nil {
			return false
		}
		waits, streams := list[0].Groups[0].Targets[0].Outstanding, list[0].Groups[0].Targets[1].Outstanding
		if both := waits > 0 && streams > 0; both || waits+streams < asked || asked == cap(outcomes) {
			return both
		}
		asked++
		go ask()
		return false
	})
	for _, id := range []string{"waits", "streams"} {
		if _, err := f.DeregisterTarget(f.ctx, "blue", "g", id); err != nil {
			t.Fatal(err)
		}
	}
	for range asked {
		switch o := <-outcomes; {
		case o.status == http.StatusBadGateway && o.err == nil:
		case o.status == http.StatusOK && o.err != nil:
		default:
			t.Errorf("got %+v, want 502, or 200 with a body that was cut", o)
		}
	}
	eventually(t, "nothing left of the targets", func() bool {
		list, err := f.TargetHealth(f.ctx, "blue")
		return err == nil && len(list[0].Groups[0].Targets) == 0
	})
}

// Targets that come and go under load cost no request: one is always there, and
// what is under way with the others finishes.
func TestRegistrationUnderLoad(t *testing.T) {
	t.Attr("aws-fact", "3.4.1")
	lasts, comes := named(t, "lasts"), named(t, "comes")
	f := start(t, func(c *fakealb.Config) {
		c.LoadBalancers = []fakealb.LoadBalancer{{
			Name: "blue", TargetGroups: []targets.Group{{Name: "g", Targets: append(echoes("echo"), lasts)}},
			Listeners: []fakealb.Listener{{Port: c.Ports[0], Protocol: fakealb.ProtocolHTTP, DefaultActions: to("g")}},
		}}
	}, "127.0.83.6")
	ctx, stop := context.WithCancel(t.Context())
	var load sync.WaitGroup
	var sent atomic.Int64
	for range 4 {
		load.Go(func() {
			hc := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{}}
			defer hc.CloseIdleConnections()
			for ctx.Err() == nil {
				resp, err := hc.Get("http://" + f.at(0) + "/")
				if err != nil {
					t.Error(err)
					return
				}
				_, err = io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
				if err != nil || resp.StatusCode != http.StatusOK {
					t.Errorf("got %s, %v", resp.Status, err)
					return
				}
				sent.Add(1)
			}
		})
	}
	for range 100 {
		if _, err := f.RegisterTarget(f.ctx, "blue", "g", comes); err != nil {
			t.Fatal(err)
		}
		if _, err := f.DeregisterTarget(f.ctx, "blue", "g", "echo"); err != nil {
			t.Fatal(err)
		}
		if _, err := f.RegisterTarget(f.ctx, "blue", "g", echoes("echo")[0]); err != nil {
			t.Fatal(err)
		}
		if _, err := f.DeregisterTarget(f.ctx, "blue", "g", comes.ID()); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "some load", func() bool { return sent.Load() > 100 })
	stop()
	load.Wait()
}
