package targets

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// builtInPool is a bubble over one built-in target.
func builtInPool(t *testing.T, b BuiltIn, f func(t *testing.T, p *Pool)) {
	t.Helper()
	bubble(t, Group{Targets: []Target{{BuiltIn: &b}}}, func(t *testing.T, p *Pool, _ Group) { f(t, p) })
}

// talk sends a request and reads the response.
func talk(t *testing.T, p *Pool, method, body string) (status int, got string, took time.Duration) {
	t.Helper()
	begun := time.Now()
	req, err := http.NewRequestWithContext(t.Context(), method, "/a?b=c", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "text/x-test")
	r, _ := p.Forward(req, "")
	if r.Response == nil {
		return r.Status, "", time.Since(begun)
	}
	defer r.Response.Body.Close()
	b, err := io.ReadAll(r.Response.Body)
	if err != nil {
		t.Error(err)
	}
	return r.Response.StatusCode, string(b), time.Since(begun)
}

func TestKindsOfBuiltInTargets(t *testing.T) {
	for _, c := range []struct {
		b      BuiltIn
		send   string
		status int
		body   string
		took   time.Duration
	}{
		{BuiltIn{Kind: KindEcho}, "hello", 200, "hello", 0},
		{BuiltIn{Kind: KindEcho}, "", 200, "POST /a?b=c HTTP/1.1\r\nHost: \r\nContent-Type: text/x-test\r\n", 0},
		{BuiltIn{Kind: KindDelay}, "", 200, "t1\n", time.Second},
		{BuiltIn{Kind: KindDelay, Delay: Duration(3 * time.Second)}, "x", 200, "t1\n", 3 * time.Second},
		{BuiltIn{Kind: KindDelay, Delay: Duration(time.Hour)}, "", 504, "", time.Minute}, // the idle timeout
		{BuiltIn{Kind: KindSize, Size: 5000}, "x", 200, strings.Repeat("x", 5000), 0},
		{BuiltIn{Kind: KindSize}, "", 200, strings.Repeat("x", 1024), 0},
		{BuiltIn{Kind: KindStatus}, "", 204, "", 0},
		{BuiltIn{Kind: KindStatus, Status: 404}, "", 404, "", 0},
		{BuiltIn{Kind: KindStream, Size: 3, Chunks: 4}, "", 200, strings.Repeat("x", 12), 300 * time.Millisecond},
		{BuiltIn{Kind: KindStream, Size: 1, Chunks: 2, Delay: Duration(2 * time.Second)}, "", 200, "xx", 2 * time.Second},
	} {
		builtInPool(t, c.b, func(t *testing.T, p *Pool) {
			status, body, took := talk(t, p, http.MethodPost, c.send)
			if status != c.status || body != c.body || took != c.took {
				t.Errorf("%+v: got %d %.80q after %s, want %d %.80q after %s", c.b, status, body, took, c.status, c.body, c.took)
			}
		})
	}
}

func TestFlakyTargetsAreFlakyEvenly(t *testing.T) {
	for share, want := range map[float64]string{0: ".x.x.x.x", 0.25: "...x...x", 1: "xxxxxxxx"} {
		builtInPool(t, BuiltIn{Kind: KindFlaky, Share: share, Status: 502}, func(t *testing.T, p *Pool) {
			got := ""
			for range 8 {
				status, _, _ := talk(t, p, http.MethodGet, "")
				got += map[int]string{200: ".", 502: "x"}[status]
			}
			if got != want {
				t.Errorf("share %g: got %s, want %s", share, got, want)
			}
		})
	}
}

// A stream that stalls for longer than the idle timeout is cut.
func TestStreamThatStalls(t *testing.T) {
	builtInPool(t, BuiltIn{Kind: KindStream, Delay: Duration(2 * time.Minute)}, func(t *testing.T, p *Pool) {
		r := open(t, p, "")
		defer r.Response.Body.Close()
		begun := time.Now()
		_, err := io.ReadAll(r.Response.Body)
		if took := time.Since(begun); !errors.Is(err, errStalled) || took != time.Minute {
			t.Errorf("got %v after %s, want its end after the idle timeout of 60 s", err, took)
		}
	})
}

func TestUnhealthyBuiltInTarget(t *testing.T) {
	builtInPool(t, BuiltIn{Kind: KindEcho, Unhealthy: true}, func(t *testing.T, p *Pool) {
		synctest.Wait()
		wantView(t, p, "t1=unhealthy(Target.ResponseCodeMismatch)")
		if status, body, _ := talk(t, p, http.MethodPost, "x"); status != 200 || body != "x" {
			t.Errorf("got %d %q", status, body)
		}
	})
}

func TestJSONOfTargets(t *testing.T) {
	for _, c := range []struct {
		text string
		want Target
	}{
		{`"10.0.0.1:80"`, Target{Addr: netip.MustParseAddrPort("10.0.0.1:80")}},
		{`{"addr":"[::1]:80","zone":"a"}`, Target{Addr: netip.MustParseAddrPort("[::1]:80"), Zone: "a"}},
		{`{"built_in":{"name":"t","kind":"delay","delay":"1.5s"}}`, Target{BuiltIn: &BuiltIn{Name: "t", Kind: KindDelay, Delay: Duration(1500 * time.Millisecond)}}},
		{`{"zone":"b","built_in":{"kind":"flaky","share":0.5,"unhealthy":true}}`, Target{Zone: "b", BuiltIn: &BuiltIn{Kind: KindFlaky, Share: 0.5, Unhealthy: true}}},
	} {
		var got Target
		if err := json.Unmarshal([]byte(c.text), &got); err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: got %+v, %v", c.text, got, err)
		}
		if back, err := json.Marshal(got); err != nil || string(back) != c.text {
			t.Errorf("%s became %s, %v", c.text, back, err)
		}
	}
	for _, bad := range []string{`"10.0.0.1"`, `{"address":"10.0.0.1:80"}`, `7`, `["10.0.0.1:80"]`, `{"built_in":{"kind":"echo","speed":1}}`, `{"built_in":{"kind":"delay","delay":"soon"}}`} {
		if err := json.Unmarshal([]byte(bad), new(Target)); err == nil {
			t.Errorf("%s: got no error", bad)
		}
	}
}

func TestJSONOfThresholds(t *testing.T) {
	for text, want := range map[string]Threshold{`"off"`: Off, `3`: 3} {
		var got Threshold
		if err := json.Unmarshal([]byte(text), &got); err != nil || got != want {
			t.Errorf("%s: got %d, %v", text, got, err)
		}
		if back, err := json.Marshal(got); err != nil || string(back) != text {
			t.Errorf("%s became %s, %v", text, back, err)
		}
	}
	for _, bad := range []string{`"on"`, `-1`, `1.5`, `{}`} {
		if err := json.Unmarshal([]byte(bad), new(Threshold)); err == nil {
			t.Errorf("%s: got no error", bad)
		}
	}
}

func TestBuiltInTargetsAreChecked(t *testing.T) {
	for want, b := range map[string]BuiltIn{
		"targets[0].built_in.kind":   {Kind: "teapot"},
		"targets[0].built_in.name":   {Kind: KindEcho, Name: "-"},
		"targets[0].built_in.delay":  {Kind: KindDelay, Delay: Duration(2 * time.Hour)},
		"targets[0].built_in.size":   {Kind: KindSize, Size: -1},
		"targets[0].built_in.status": {Kind: KindStatus, Status: 99},
		"targets[0].built_in.chunks": {Kind: KindEcho, Chunks: 1},
		"targets[0].built_in.share":  {Kind: KindFlaky, Share: 1.5},
	} {
		if _, field, err := (Group{Targets: []Target{{BuiltIn: &b}}}).Check(); err == nil || field != want {
			t.Errorf("%+v: got field %q, %v, want %s", b, field, err, want)
		}
	}
	_, field, err := Group{ProtocolVersion: VersionGRPC, Targets: []Target{{BuiltIn: &BuiltIn{Kind: KindSize}}}}.Check()
	if err == nil || field != "targets[0].built_in.kind" {
		t.Errorf("gRPC: got field %q, %v", field, err)
	}
}

func TestAttributesAreChecked(t *testing.T) {
	for want, a := range map[string]Attributes{
		"slow_start.duration_seconds":                                                    {SlowStartSeconds: 29},
		"load_balancing.algorithm.type":                                                  {Algorithm: "random"},
		"load_balancing.cross_zone.enabled":                                              {CrossZone: "maybe"},
		"stickiness.type":                                                                {StickyType: "ip"},
		"stickiness.lb_cookie.duration_seconds":                                          {LBCookieSeconds: 604801},
		"stickiness.app_cookie.cookie_name":                                              {Sticky: true, StickyType: StickyAppCookie, AppCookieName: "AWSALBTG"},
		"target_group_health.dns_failover.minimum_healthy_targets.count":                 {UnhealthyRoutingCount: 2},
		"target_group_health.dns_failover.minimum_healthy_targets.percentage":            {UnhealthyRoutingPercentage: 50, DNSFailoverPercentage: 40},
		"target_group_health.unhealthy_state_routing.minimum_healthy_targets.count":      {UnhealthyRoutingCount: Off},
		"target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage": {UnhealthyRoutingPercentage: 101},
	} {
		if _, field, err := (Group{Attributes: a}).Check(); err == nil || field != "attributes."+want {
			t.Errorf("%+v: got field %q, %v", a, field, err)
		}
	}
	t.Run("sticky sessions need cross-zone", func(t *testing.T) {
		t.Attr("aws-fact", "3.4.6")
		if _, field, err := (Group{Attributes: Attributes{Sticky: true, CrossZone: "false"}}).Check(); err == nil || field != "attributes.stickiness.enabled" {
			t.Errorf("got field %q, %v", field, err)
		}
	})
	t.Run("the DNS threshold is not below that of routing", func(t *testing.T) {
		t.Attr("aws-fact", "1.15")
		g := checked(t, Group{Attributes: Attributes{UnhealthyRoutingCount: 2, DNSFailoverCount: 2}})
		if g.Attributes.DNSFailoverCount != 2 {
			t.Errorf("got %+v", g.Attributes)
		}
		if d := checked(t, Group{}).Attributes; d.DNSFailoverCount != 1 || d.DNSFailoverPercentage != Off || d.UnhealthyRoutingCount != 1 || d.UnhealthyRoutingPercentage != Off {
			t.Errorf("got the defaults %+v", d)
		}
	})
}
