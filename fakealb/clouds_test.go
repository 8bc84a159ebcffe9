package fakealb_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/fakealb/cloud"
	"github.com/proxychaos/proxychaos/fakealb/record"
	"github.com/proxychaos/proxychaos/fakealb/targets"
)

// of is a load balancer "blue" of a cloud, on a clock that many times faster.
func of(t *testing.T, addr string, name cloud.Name, scale float64, change func(*fakealb.LoadBalancer)) *fixture {
	t.Helper()
	lb := fakealb.LoadBalancer{Name: "blue", Cloud: name}
	if change != nil {
		change(&lb)
	}
	return start(t, func(c *fakealb.Config) { c.TimeScale, c.LoadBalancers = scale, []fakealb.LoadBalancer{lb} }, addr)
}

// behind gives a load balancer targets, which it checks seldom: on a fast clock a busy machine
// would not answer in time.
func behind(addrs ...netip.AddrPort) func(*fakealb.LoadBalancer) {
	return func(lb *fakealb.LoadBalancer) {
		lb.TargetGroup = &targets.Group{Targets: targets.At(addrs...), Health: targets.HealthCheck{IntervalSeconds: 300, TimeoutSeconds: 120}}
	}
}

// gatewayPage is the page of an Application Gateway.
func gatewayPage(text string) string {
	return "<html>\r\n<head><title>" + text + "</title></head>\r\n<body>\r\n<center><h1>" + text +
		"</h1></center>\r\n<hr><center>Microsoft-Azure-Application-Gateway/v2</center>\r\n</body>\r\n</html>\r\n"
}

// What a load balancer without targets answers, with its header fields and to the byte.
func TestCloudsWithoutTargets(t *testing.T) {
	for _, fact := range []string{"gcp.2", "gcp.3", "gcp.21", "gcp-classic.1", "gcp-classic.2", "gcp-internal.3", "azure.2", "azure.3"} {
		t.Attr("cloud-fact", fact)
	}
	const google = "\n<html><head>\n<meta http-equiv=\"content-type\" content=\"text/html;charset=utf-8\">\n<title>502 Server Error</title>\n</head>\n" +
		"<body text=#000000 bgcolor=#ffffff>\n<h1>Error: Server Error</h1>\n<h2>The server encountered a temporary error and could not complete your request." +
		"<p>Please try again in 30 seconds.</h2>\n<h2></h2>\n</body></html>\n"
	for i, c := range []struct {
		name         cloud.Name
		status, body string
		fields, not  []string
	}{
		{"gcp", "503 Service Unavailable", "no healthy upstream", []string{"Content-Type: text/plain", "Content-Length: 19", "Via: 1.1 google"}, []string{"Server:"}},
		{"gcp-classic", "502 Bad Gateway", google, []string{"Content-Type: text/html; charset=UTF-8", "Content-Length: 332", "Referrer-Policy: no-referrer"}, []string{"Server:", "Via:"}},
		{"gcp-internal", "503 Service Unavailable", "no healthy upstream", []string{"Content-Type: text/plain", "Content-Length: 19"}, []string{"awselb"}},
		{"azure", "502 Bad Gateway", gatewayPage("502 Bad Gateway"), []string{"Server: Microsoft-Azure-Application-Gateway/v2", "Content-Type: text/html"}, []string{"Via:"}},
	} {
		f := of(t, fmt.Sprintf("127.0.91.%d", i+1), c.name, 1, nil)
		head, body, _ := strings.Cut(curl(t, "-i", "http://"+f.at(0)+"/"), "\r\n\r\n")
		if !strings.HasPrefix(head, "HTTP/1.1 "+c.status+"\r\n") || body != c.body {
			t.Errorf("%s: got %q, %q, want %s, %q", c.name, head, body, c.status, c.body)
		}
		for _, field := range c.fields {
			if !strings.Contains(head+"\r\n", "\r\n"+field+"\r\n") {
				t.Errorf("%s: got %q, want %s", c.name, head, field)
			}
		}
		for _, field := range c.not {
			if strings.Contains(head, field) {
				t.Errorf("%s: got %q, want no %s", c.name, head, field)
			}
		}
	}
}

// A page of an Application Gateway has as many bytes as was seen.
func TestPageOfAnApplicationGateway(t *testing.T) {
	t.Attr("cloud-fact", "azure.5")
	f := of(t, "127.0.91.4", "azure", 1, nil)
	for status, want := range map[int]string{403: "403 Forbidden", 504: "504 Gateway Time-out"} {
		if _, err := f.PutFaults(f.ctx, fakealb.FaultRequest{Nodes: f.nodes, FaultSetting: fakealb.FaultSetting{Kind: fakealb.FaultError, Status: status}}); err != nil {
			t.Fatal(err)
		}
		head, body, _ := strings.Cut(curl(t, "-i", "http://"+f.at(0)+"/"), "\r\n\r\n")
		if body != gatewayPage(want) || status == 403 && !strings.Contains(head, "\r\nContent-Length: 179\r\n") {
			t.Errorf("got %q, %q", head, body)
		}
	}
}

// misbehaving is a server that is healthy, and of which some paths are not what they should be.
func misbehaving(t *testing.T) netip.AddrPort {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/close":
			panic(http.ErrAbortHandler)
		case "/late":
			<-r.Context().Done()
		case "/trickle":
			for r.Context().Err() == nil {
				_, _ = io.WriteString(w, "x")
				_ = http.NewResponseController(w).Flush()
				time.Sleep(5 * time.Millisecond) // the pace of the response is what is tested
			}
		}
	}))
	t.Cleanup(s.Close)
	return s.Listener.Addr().(*net.TCPAddr).AddrPort()
}

// closed is an address at which nothing listens.
func closed(t *testing.T) netip.AddrPort {
	t.Helper()
	return netip.AddrPortFrom(netip.MustParseAddr("127.0.91.250"), freePort(t, netip.MustParseAddr("127.0.91.250")))
}

// How a load balancer answers for a target that fails. A target that cannot be reached has its
// health checks at another port.
func TestCloudsForTargetsThatFail(t *testing.T) {
	for _, fact := range []string{"gcp.4", "gcp.20", "gcp-classic.3", "gcp-internal.4", "gcp-internal.5", "azure.4"} {
		t.Attr("cloud-fact", fact)
	}
	const reset = "upstream connect error or disconnect/reset before headers. reset reason: connection "
	for i, c := range []struct {
		name                          cloud.Name
		noAnswer, unreachable, late   int
		noAnswerBody, unreachableBody string
		lateBody                      string
	}{
		{"gcp", 503, 503, 504, reset + "termination", reset + "failure", "upstream request timeout"},
		{"gcp-classic", 502, 502, 502, "", "", ""},
		{"gcp-internal", 503, 503, 504, reset + "termination", reset + "failure", "upstream request timeout"},
		{"azure", 502, 502, 504, gatewayPage("502 Bad Gateway"), gatewayPage("502 Bad Gateway"), gatewayPage("504 Gateway Time-out")},
	} {
		up := misbehaving(t)
		f := of(t, fmt.Sprintf("127.0.91.%d", i+10), c.name, 20, behind(up)) // 30 s become 1.5 s
		f.await(t, targets.Healthy)
		gone := of(t, fmt.Sprintf("127.0.91.%d", i+20), c.name, 1, func(lb *fakealb.LoadBalancer) {
			behind(closed(t))(lb)
			lb.TargetGroup.Health.Port = int(healthAt(t, "127.0.91.250"))
		})
		gone.await(t, targets.Healthy)
		for url, want := range map[string]struct {
			status int
			body   string
		}{
			f.at(0) + "/close": {c.noAnswer, c.noAnswerBody},
			f.at(0) + "/late":  {c.late, c.lateBody},
			gone.at(0) + "/":   {c.unreachable, c.unreachableBody},
		} {
			status, body := getting(t, "http://"+url)
			if status != want.status || want.body != "" && body != want.body {
				t.Errorf("%s, %s: got %d %q, want %d %q", c.name, url, status, body, want.status, want.body)
			}
		}
	}
}

// healthAt is a server at an address that answers health checks.
func healthAt(t *testing.T, addr string) uint16 {
	t.Helper()
	l, err := net.Listen("tcp4", addr+":0")
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), ReadHeaderTimeout: time.Minute}
	go func() { _ = s.Serve(l) }()
	t.Cleanup(func() { s.Close() })
	return l.Addr().(*net.TCPAddr).AddrPort().Port()
}

// getting asks with curl, and returns the status and the body.
func getting(t *testing.T, url string) (status int, body string) {
	t.Helper()
	out := curl(t, "-w", "\n%{http_code}", url)
	i := strings.LastIndex(out, "\n")
	if _, err := fmt.Sscan(out[i+1:], &status); err != nil {
		t.Fatal(err)
	}
	return status, out[:i]
}

// A status that is not documented can be set.
func TestOwnStatuses(t *testing.T) {
	f := of(t, "127.0.91.30", "gcp-classic", 1, func(lb *fakealb.LoadBalancer) { lb.OwnStatuses = map[cloud.Cause]int{cloud.NoTarget: 503} })
	if status, body := getting(t, "http://"+f.at(0)+"/"); status != 503 || !strings.Contains(body, "<title>503 Server Error</title>") {
		t.Errorf("got %d %q", status, body)
	}
}

// Without a healthy target there is none: unhealthy ones get no request, as they do with an ALB.
func TestCloudsDoNotFailOpen(t *testing.T) {
	for _, fact := range []string{"gcp.2", "gcp-classic.1", "gcp-internal.3", "azure.2"} {
		t.Attr("cloud-fact", fact)
	}
	s := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(s.Close)
	up := s.Listener.Addr().(*net.TCPAddr).AddrPort()
	for i, c := range []struct {
		name cloud.Name
		want int
	}{{"aws", 404}, {"gcp", 503}, {"gcp-classic", 502}, {"gcp-internal", 503}, {"azure", 502}} {
		f := of(t, fmt.Sprintf("127.0.91.%d", i+40), c.name, 1, behind(up))
		f.await(t, targets.Unhealthy)
		if status, _ := getting(t, "http://"+f.at(0)+"/"); status != c.want {
			t.Errorf("%s: got %d, want %d", c.name, status, c.want)
		}
	}
}

// How long a connection may lie idle between two requests.
func TestIdleConnectionsOfClouds(t *testing.T) {
	for _, fact := range []string{"gcp.5", "gcp-classic.4", "gcp-internal.6", "azure.6"} {
		t.Attr("cloud-fact", fact)
	}
	for i, c := range []struct {
		name  cloud.Name
		scale float64 // of the idle timeout to 0.5 s
	}{{"gcp", 1220}, {"gcp-classic", 1220}, {"gcp-internal", 1220}, {"azure", 150}} {
		f := of(t, fmt.Sprintf("127.0.91.%d", i+50), c.name, c.scale, func(lb *fakealb.LoadBalancer) { lb.Targets = 1 })
		conn, begin := warmConn(t, f.at(0)), time.Now()
		if got, err := readWithin(conn, 10*time.Second); !errors.Is(err, io.EOF) {
			t.Fatalf("%s: got %q, %v, want the node to close", c.name, got, err)
		}
		if took := time.Since(begin); took < 400*time.Millisecond || took > 10*time.Second {
			t.Errorf("%s: closed after %s, want about 500 ms", c.name, took)
		}
	}
}

// Over HTTP/2 an Application Gateway waits longer.
func TestIdleHTTP2OfAnApplicationGateway(t *testing.T) {
	t.Attr("cloud-fact", "azure.7")
	f := of(t, "127.0.91.54", "azure", 60, func(lb *fakealb.LoadBalancer) { lb.Targets = 1 }) // 180 s become 3 s, and 75 s 1.25 s
	hc := &http.Client{Transport: tlsTransport(t, f), Timeout: 5 * time.Second}
	resp, err := hc.Get("https://" + f.at(0) + "/")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	eventually(t, "the end of the idle connection", func() bool {
		rows, err := f.Connections(f.ctx)
		return err == nil && len(rows) == 1 && rows[0].How == "idle-timeout" && rows[0].Closed.Sub(rows[0].Opened) >= 2*time.Second
	})
}

// Google's proxies bound the whole response, an ALB and an Application Gateway the silence.
func TestWholeResponseOfGoogle(t *testing.T) {
	for _, fact := range []string{"gcp.7", "gcp-classic.5", "gcp-internal.7"} {
		t.Attr("cloud-fact", fact)
	}
	up := misbehaving(t)
	for i, c := range []struct {
		name cloud.Name
		cut  bool
	}{{"gcp", true}, {"gcp-classic", true}, {"gcp-internal", true}, {"azure", false}} {
		f := of(t, fmt.Sprintf("127.0.91.%d", i+60), c.name, 20, behind(up)) // 30 s become 1.5 s
		f.await(t, targets.Healthy)
		begin := time.Now()
		resp, err := (&http.Client{Timeout: 4 * time.Second}).Get("http://" + f.at(0) + "/trickle")
		if err != nil {
			t.Fatal(err)
		}
		_, err = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		if cut := err != nil && !isTimeout(err); cut != c.cut || cut && time.Since(begin) < time.Second {
			t.Errorf("%s: got %v after %s, want it cut: %t", c.name, err, time.Since(begin), c.cut)
		}
	}
}

// A connection to a target may lie idle for longer than a target may take to answer.
func TestIdleConnectionsToTargetsOfGoogle(t *testing.T) {
	for _, fact := range []string{"gcp.6", "gcp-classic.5", "gcp-internal.7"} {
		t.Attr("cloud-fact", fact)
	}
	for i, name := range []cloud.Name{"gcp", "gcp-classic", "gcp-internal"} {
		f := of(t, fmt.Sprintf("127.0.91.%d", i+64), name, 50, behind(target(t, false))) // 600 s become 12 s, 30 s 0.6 s
		f.await(t, targets.Healthy)
		for range 2 {
			curl(t, "http://"+f.at(0)+"/")
			time.Sleep(900 * time.Millisecond) // the silence is what is tested
		}
		curl(t, "http://"+f.at(0)+"/")
		rows := f.finished(t, 3)
		if rows[0].TargetIdleSeconds != 0 || rows[1].TargetIdleSeconds < 0.8 || rows[2].TargetIdleSeconds < 0.8 {
			t.Errorf("%s: the connection to the target had been idle for %v, %v and %v s, want it kept", name, rows[0].TargetIdleSeconds, rows[1].TargetIdleSeconds, rows[2].TargetIdleSeconds)
		}
	}
}

// An Application Gateway tries a second target if the first does not answer in time.
func TestSecondTargetOfAnApplicationGateway(t *testing.T) {
	t.Attr("cloud-fact", "azure.8")
	t.Attr("cloud-fact", "azure.9")
	late, fine := misbehaving(t), target(t, false)
	f := of(t, "127.0.91.68", "azure", 20, behind(late, fine)) // 20 s become 1 s
	f.await(t, targets.Healthy, targets.Healthy)
	waited := 0
	for range 4 {
		begin := time.Now()
		status, _ := getting(t, "http://"+f.at(0)+"/late")
		if status != http.StatusOK {
			t.Fatalf("got %d, want the second target's answer", status)
		}
		if time.Since(begin) >= time.Second {
			waited++
		}
	}
	if waited == 0 {
		t.Error("no request waited for the first target")
	}
}

// What targets learn of a request.
func TestCloudsTellTargets(t *testing.T) {
	for _, fact := range []string{"gcp.8", "gcp.9", "gcp.10", "gcp-classic.5", "gcp-internal.8", "azure.10", "azure.16"} {
		t.Attr("cloud-fact", fact)
	}
	for i, c := range []struct {
		name cloud.Name
		want map[string]string
	}{
		{"gcp", googleTells("127.0.91.70")},
		{"gcp-classic", googleTells("127.0.91.71")},
		{"gcp-internal", googleTells("127.0.91.72")},
		{"azure", map[string]string{
			"X-Forwarded-For": `^10\.0\.0\.1, 127\.0\.0\.1:\d+$`, "X-Forwarded-Proto": "^http$", "X-Forwarded-Port": "^PORT$",
			"X-Original-Host": `^Shop\.Example$`, "X-Original-Url": `^/p\?q=1$`, "X-Appgw-Trace-Id": "^[0-9a-f]{32}$",
			"Via": "^$", "X-Amzn-Trace-Id": "^$", "Odd_name": "^$",
		}},
	} {
		f := of(t, fmt.Sprintf("127.0.91.%d", i+70), c.name, 1, behind(target(t, false)))
		f.await(t, targets.Healthy)
		_, port, _ := net.SplitHostPort(f.at(0))
		s := through(t, "-H", "Host: Shop.Example", "-H", "X-Forwarded-For: 10.0.0.1", "-H", "Odd_name: x", "http://"+f.at(0)+"/p?q=1")
		for field, want := range c.want {
			got := strings.Join(s.Header.Values(field), "|")
			if !regexp.MustCompile(strings.ReplaceAll(want, "PORT", port)).MatchString(got) {
				t.Errorf("%s, %s: got %q, want %s", c.name, field, got, want)
			}
		}
		if s.Host != "Shop.Example" {
			t.Errorf("%s: got the host %q, want it as it was sent", c.name, s.Host)
		}
		adds := strings.Contains(curl(t, "-i", "http://"+f.at(0)+"/"), "\r\nVia: 1.1 google\r\n")
		if adds != (c.name != "azure") {
			t.Errorf("%s: the response has Via: %t", c.name, adds)
		}
	}
}

// googleTells is what targets behind an address of Google's get.
func googleTells(node string) map[string]string {
	return map[string]string{
		"X-Forwarded-For": `^10\.0\.0\.1,127\.0\.0\.1,` + regexp.QuoteMeta(node) + "$", "X-Forwarded-Proto": "^http$", "Via": `^1\.1 google$`,
		"X-Cloud-Trace-Context": `^[0-9a-f]{32}/\d+$`, "X-Forwarded-Port": "^$", "X-Amzn-Trace-Id": "^$", "Odd_name": "^x$",
	}
}

// A trace that is there is passed on.
func TestGoogleKeepsATrace(t *testing.T) {
	t.Attr("cloud-fact", "gcp.10")
	f := of(t, "127.0.91.74", "gcp", 1, behind(target(t, false)))
	f.await(t, targets.Healthy)
	s := through(t, "-H", "X-Cloud-Trace-Context: 1/2", "http://"+f.at(0)+"/")
	if got := s.Header.Get("X-Cloud-Trace-Context"); got != "1/2" {
		t.Errorf("got %q", got)
	}
}

// The defaults of target groups, as the control API shows them.
func TestDefaultsOfClouds(t *testing.T) {
	for _, fact := range []string{"gcp.11", "gcp.12", "gcp.13", "gcp.14", "gcp-classic.5", "azure.11", "azure.12", "azure.13", "azure.14", "azure-lb.1", "azure-lb.4", "azure-lb.5"} {
		t.Attr("cloud-fact", fact)
	}
	f := of(t, "127.0.91.75", "aws", 1, nil)
	for _, c := range []struct {
		lb       fakealb.LoadBalancer
		want     targets.HealthCheck
		draining int
	}{
		{
			fakealb.LoadBalancer{Name: "google", Cloud: "gcp", TargetGroup: &targets.Group{}},
			targets.HealthCheck{Protocol: "HTTP", Path: "/", IntervalSeconds: 5, TimeoutSeconds: 5, HealthyThreshold: 2, UnhealthyThreshold: 2, Matcher: "200"},
			0,
		},
		{
			fakealb.LoadBalancer{Name: "classic", Cloud: "gcp-classic", TargetGroup: &targets.Group{}},
			targets.HealthCheck{Protocol: "HTTP", Path: "/", IntervalSeconds: 5, TimeoutSeconds: 5, HealthyThreshold: 2, UnhealthyThreshold: 2, Matcher: "200"},
			0,
		},
		{
			fakealb.LoadBalancer{Name: "gateway", Cloud: "azure", TargetGroup: &targets.Group{}},
			targets.HealthCheck{Protocol: "HTTP", Path: "/", IntervalSeconds: 30, TimeoutSeconds: 30, HealthyThreshold: 1, UnhealthyThreshold: 3, Matcher: "200-399"},
			30,
		},
		{
			fakealb.LoadBalancer{Name: "passing", Cloud: "azure", Type: fakealb.TypeNetwork, TargetGroup: &targets.Group{Protocol: "TCP", Health: targets.HealthCheck{Protocol: "HTTP"}}},
			targets.HealthCheck{Protocol: "HTTP", Path: "/", IntervalSeconds: 5, TimeoutSeconds: 30, HealthyThreshold: 1, UnhealthyThreshold: 1, Matcher: "200"},
			0,
		},
	} {
		if c.lb.Type == fakealb.TypeNetwork {
			c.lb.Listeners = []fakealb.Listener{{Port: f.port, Protocol: fakealb.ProtocolTCP}}
		}
		if _, err := f.PutLoadBalancer(f.ctx, c.lb); err != nil {
			t.Fatal(err)
		}
		list, err := f.LoadBalancers(f.ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, lb := range list {
			if lb.Name != c.lb.Name {
				continue
			}
			if g := lb.TargetGroup; g.Health != c.want || *g.Attributes.DeregistrationDelaySeconds != c.draining {
				t.Errorf("%s: got %+v and %d s of draining, want %+v and %d s", lb.Name, g.Health, *g.Attributes.DeregistrationDelaySeconds, c.want, c.draining)
			}
			if len(lb.Listeners) > 0 && lb.Listeners[0].Attributes.TCPIdleTimeoutSeconds != 240 {
				t.Errorf("%s: got %+v", lb.Name, lb.Listeners[0].Attributes)
			}
			// What it shows can be put again.
			if a, err := f.PutLoadBalancer(f.ctx, lb); err != nil || a.Changed {
				t.Errorf("%s: putting it again: got %+v, %v", lb.Name, a, err)
			}
		}
	}
}

// What a cloud's load balancers have not is refused.
func TestCloudsRefuse(t *testing.T) {
	f := of(t, "127.0.91.76", "aws", 1, nil)
	delay := 3601
	tcp := []fakealb.Listener{{Port: f.port, Protocol: fakealb.ProtocolTCP, Attributes: fakealb.ListenerAttributes{TCPReset: true}}}
	for field, lb := range map[string]fakealb.LoadBalancer{
		"cloud":                                {Cloud: "azur"},
		"own_statuses":                         {OwnStatuses: map[cloud.Cause]int{"bored": 503}},
		"own_statuses.late":                    {Cloud: "gcp", OwnStatuses: map[cloud.Cause]int{cloud.Late: 200}},
		"attributes":                           {Cloud: "azure", Attributes: fakealb.Attributes{XFFMode: "preserve"}},
		"error_body":                           {Cloud: "gcp", ErrorBody: fakealb.ErrorBodyPre2020},
		"attributes.client_keep_alive.seconds": {Cloud: "gcp", Attributes: fakealb.Attributes{ClientKeepAliveSeconds: 60}},
		"attributes.response_timeout.timeout_seconds":                  {Attributes: fakealb.Attributes{ResponseTimeoutSeconds: 60}},
		"attributes.idle_timeout.timeout_seconds":                      {Cloud: "azure", Attributes: fakealb.Attributes{IdleTimeoutSeconds: 76}},
		"target_group.attributes.deregistration_delay.timeout_seconds": {Cloud: "azure", TargetGroup: &targets.Group{Attributes: targets.Attributes{DeregistrationDelaySeconds: &delay}}},
		"target_group.attributes.target_group_health":                  {Cloud: "azure", TargetGroup: &targets.Group{Attributes: targets.Attributes{UnhealthyRoutingCount: 2}}},
		"target_group.health_check.healthy_threshold":                  {Cloud: "azure", TargetGroup: &targets.Group{Health: targets.HealthCheck{HealthyThreshold: 2}}},
		"listeners[0].attributes.tcp.reset.enabled":                    {Type: fakealb.TypeNetwork, Listeners: tcp},
	} {
		lb.Name = "wrong"
		_, err := f.PutLoadBalancer(f.ctx, lb)
		if e := apiErr(t, err); e.Field != field {
			t.Errorf("got %v, want an error about %s", err, field)
		}
	}
	for _, lb := range []fakealb.LoadBalancer{
		{Cloud: "gcp", Type: fakealb.TypeNetwork},
		{Cloud: "azure", TargetGroup: &targets.Group{Attributes: targets.Attributes{Sticky: true}}},
	} {
		lb.Name = "wrong"
		if _, err := f.PutLoadBalancer(f.ctx, lb); apiErr(t, err).Field != "cloud" {
			t.Errorf("%+v: got %v", lb, err)
		}
	}
}

// azureFlows is a Load Balancer of Azure's.
func azureFlows(t *testing.T, addr string, scale float64, reset bool, group ...netip.AddrPort) *fixture {
	t.Helper()
	return flows(t, addr, func(c *fakealb.Config, lb *fakealb.LoadBalancer) {
		c.TimeScale, lb.Cloud = scale, "azure"
		if scale > 100 {
			lb.TargetGroup.Health.IntervalSeconds = 300
		}
		lb.Listeners = []fakealb.Listener{{Port: c.Ports[0], Protocol: fakealb.ProtocolTCP, Attributes: fakealb.ListenerAttributes{TCPReset: reset}}}
	}, group...)
}

// A silent flow is forgotten without a word, or reset if that is asked for.
func TestSilentFlowsOfAzure(t *testing.T) {
	for _, fact := range []string{"azure-lb.1", "azure-lb.2", "azure-lb.3"} {
		t.Attr("cloud-fact", fact)
	}
	for i, reset := range []bool{false, true} {
		f := azureFlows(t, fmt.Sprintf("127.0.91.%d", i+80), 120, reset, startLineTarget(t, "a").at()) // 240 s become 2 s
		f.await(t, targets.Healthy)
		c := dial(t, f.at(0))
		line(t, c, "x")
		begin := time.Now()
		got, err := readWithin(c, 4*time.Second)
		switch took := time.Since(begin); {
		case reset && (!isReset(err) || took < 1500*time.Millisecond):
			t.Errorf("with resets: got %q, %v after %s, want RST after 2 s", got, err, took)
		case !reset && !isTimeout(err):
			t.Errorf("without resets: got %q, %v after %s, want silence", got, err, took)
		}
		if reset {
			f.awaitRow(t, record.ClosedByNode, "idle-timeout")
			continue
		}
		_, _ = io.WriteString(c, "y\n")
		if got, err := readWithin(c, 2*time.Second); got != "" {
			t.Errorf("after the idle timeout: got %q, %v, want no answer of the target", got, err)
		}
	}
}

// A target that fails one check gets no new flow, and its flows live on, even if it was the
// last one.
func TestUnhealthyTargetsOfAzure(t *testing.T) {
	for _, fact := range []string{"azure-lb.4", "azure-lb.6", "azure-lb.7"} {
		t.Attr("cloud-fact", fact)
	}
	a := startLineTarget(t, "a")
	f := azureFlows(t, "127.0.91.84", 20, false, a.at()) // a check every 250 ms
	f.await(t, targets.Healthy)
	c := dial(t, f.at(0))
	line(t, c, "x")
	a.Close() // its listener: the connection stays
	f.await(t, targets.Unhealthy)
	if got := line(t, c, "y"); got != "a y" {
		t.Errorf("the flow to the unhealthy target: got %q, want it to live on", got)
	}
	wantNoFlow(t, "a new flow without a healthy target", f.at(0))
}
