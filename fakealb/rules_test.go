package fakealb_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/fakealb/rules"
	"github.com/proxychaos/proxychaos/fakealb/targets"
)

// echoes are built-in targets of those names.
func echoes(names ...string) []targets.Target {
	var out []targets.Target
	for _, n := range names {
		out = append(out, targets.Target{BuiltIn: &targets.BuiltIn{Name: n, Kind: targets.KindEcho}})
	}
	return out
}

func to(groups ...string) []rules.Action {
	a := rules.Action{Type: rules.Forward}
	for _, g := range groups {
		a.TargetGroups = append(a.TargetGroups, rules.WeightedGroup{Name: g, Weight: 1})
	}
	return []rules.Action{a}
}

func onPath(priority int, path string, actions []rules.Action) rules.Rule {
	return rules.Rule{Priority: priority, Actions: actions, Conditions: []rules.Condition{{Field: rules.PathPattern, Values: []string{path}}}}
}

// ruled runs a server whose HTTP listener has these rules and whose groups are
// blue and green, with one target each, and empty.
func ruled(t *testing.T, addr string, change func(*fakealb.LoadBalancer)) (*fixture, *logBuffer) {
	t.Helper()
	log := &logBuffer{}
	f := start(t, func(c *fakealb.Config) {
		lb := fakealb.LoadBalancer{
			Name: "blue", Listeners: []fakealb.Listener{{Port: c.Ports[0], Protocol: fakealb.ProtocolHTTP}},
			TargetGroups: []targets.Group{{Name: "blue", Targets: echoes("b1")}, {Name: "green", Targets: echoes("g1")}, {Name: "empty"}},
		}
		change(&lb)
		c.LoadBalancers, c.AccessLog = []fakealb.LoadBalancer{lb}, log
	}, addr)
	return f, log
}

func (f *fixture) metric(t *testing.T, name string) float64 {
	t.Helper()
	for line := range strings.Lines(curl(t, f.server.ControlURL()+"/metrics")) {
		var v float64
		if rest, ok := strings.CutPrefix(line, name+"{"); ok {
			_, value, _ := strings.Cut(rest, "} ")
			if _, err := fmt.Sscan(value, &v); err != nil {
				t.Fatal(err)
			}
			return v
		}
	}
	return 0
}

func TestRulesChooseTheGroup(t *testing.T) {
	f, log := ruled(t, "127.0.81.1", func(lb *fakealb.LoadBalancer) {
		lb.Listeners[0].Rules = []rules.Rule{
			onPath(10, "/green/*", to("green")),
			onPath(20, "/none/*", to("empty")),
		}
		lb.Listeners[0].DefaultActions = to("blue")
	})
	for n, c := range []struct{ path, target, status, priority, group string }{
		{"/green/x", "g1", "200", "10", "green"},
		{"/", "b1", "200", "0", "blue"},
		{"/none/x", "-", "503", "20", "empty"},
	} {
		code := curl(t, "-o", "/dev/null", "-w", "%{http_code}", "http://"+f.at(0)+c.path)
		if code != c.status {
			t.Errorf("%s: got %s, want %s", c.path, code, c.status)
		}
		target := c.target
		if target != "-" {
			target = fmt.Sprint(target, ":", f.port)
		}
		matchFields(t, log.line(t, n), map[int]string{
			5: target, 9: c.status, 17: ".*:targetgroup/" + c.group + "/[0-9a-f]{16}", 21: c.priority, 23: `"forward"`, 24: `"-"`,
		})
	}
	t.Attr("aws-fact", "6.2")
	if got := f.metric(t, "RuleEvaluations"); got != 1+2+2 {
		t.Errorf("got RuleEvaluations %g, want 5", got)
	}
}

// 3.4.8: no failover to the other group of a rule.
func TestWeightedGroupsDoNotFailOver(t *testing.T) {
	t.Attr("aws-fact", "3.4.8")
	f, _ := ruled(t, "127.0.81.2", func(lb *fakealb.LoadBalancer) {
		lb.Listeners[0].DefaultActions = to("blue", "empty")
	})
	got := map[string]int{}
	for range 10 {
		got[curl(t, "-o", "/dev/null", "-w", "%{http_code}", "http://"+f.at(0)+"/")]++
	}
	if got["200"] != 5 || got["503"] != 5 {
		t.Errorf("got %v, want half of the requests 503", got)
	}
}

func TestFixedResponse(t *testing.T) {
	f, log := ruled(t, "127.0.81.3", func(lb *fakealb.LoadBalancer) {
		lb.Listeners[0].DefaultActions = []rules.Action{{Type: rules.Fixed, FixedResponse: &rules.FixedResponse{StatusCode: 503, MessageBody: "closed today\n"}}}
	})
	got := curl(t, "-i", "--data", "some", "http://"+f.at(0)+"/")
	head, body, _ := strings.Cut(got, "\r\n\r\n")
	lines := strings.Split(head, "\r\n")
	if len(lines) != 6 || lines[0] != "HTTP/1.1 503 Service Unavailable" || lines[1] != "Server: awselb/2.0" || !strings.HasPrefix(lines[2], "Date: ") ||
		lines[3] != "Content-Type: text/plain; charset=utf-8" || lines[4] != "Content-Length: 13" || lines[5] != "Connection: keep-alive" || body != "closed today\n" {
		t.Errorf("got %q", got)
	}
	matchFields(t, log.line(t, 0), map[int]string{5: "-", 9: "503", 10: "-", 17: "-", 21: "0", 23: `"fixed-response"`, 24: `"-"`})
	t.Attr("aws-fact", "6.1")
	if f.metric(t, "HTTP_Fixed_Response_Count") != 1 || f.metric(t, "RequestCount") != 0 {
		t.Error("HTTP_Fixed_Response_Count is not 1, or a request was counted for which no target was chosen")
	}
}

func TestRedirect(t *testing.T) {
	f, log := ruled(t, "127.0.81.4", func(lb *fakealb.LoadBalancer) {
		redirect := func(code string) []rules.Action {
			return []rules.Action{{Type: rules.ToURL, Redirect: &rules.Redirect{Protocol: "HTTPS", Port: "443", StatusCode: code}}}
		}
		lb.Listeners[0].Rules = []rules.Rule{onPath(5, "/moved/*", redirect("HTTP_302"))}
		lb.Listeners[0].DefaultActions = redirect("HTTP_301")
	})
	t.Attr("aws-fact", "2.4")
	for n, c := range []struct{ path, status, title, length, priority string }{
		{"/a?b=c", "301 Moved Permanently", "301 Moved Permanently", "134", "0"},
		{"/moved/x", "302 Moved Temporarily", "302 Found", "110", "5"},
	} {
		got := curl(t, "-i", "-H", "Host: www.example.test", "http://"+f.at(0)+c.path)
		head, body, _ := strings.Cut(got, "\r\n\r\n")
		lines := strings.Split(head, "\r\n")
		url := "https://www.example.test:443" + c.path
		want := "<html>\r\n<head><title>" + c.title + "</title></head>\r\n<body>\r\n<center><h1>" + c.title + "</h1></center>\r\n</body>\r\n</html>\r\n"
		if len(lines) != 7 || lines[0] != "HTTP/1.1 "+c.status || lines[1] != "Server: awselb/2.0" || lines[3] != "Content-Type: text/html" ||
			lines[4] != "Content-Length: "+c.length || lines[6] != "Location: "+url || body != want {
			t.Errorf("got %q", got)
		}
		matchFields(t, log.line(t, n), map[int]string{9: c.status[:3], 17: "-", 21: c.priority, 23: `"redirect"`, 24: `"` + strings.ReplaceAll(url, "?", `\?`) + `"`})
	}
	// A URL of more than 8 KiB is not sent (2.4.1 D).
	got := curl(t, "-o", "/dev/null", "-w", "%{http_code}", "http://"+f.at(0)+"/"+strings.Repeat("x", 8<<10))
	if got != "507" {
		t.Errorf("got %s, want 507", got)
	}
	t.Attr("aws-fact", "2.4.1")
	for name, want := range map[string]float64{"HTTP_Redirect_Count": 2, "HTTP_Redirect_Url_Limit_Exceeded_Count": 1, "HTTPCode_ELB_3XX_Count": 2} {
		if got := f.metric(t, name); got != want {
			t.Errorf("got %s %g, want %g", name, got, want)
		}
	}
}

func TestRulesAreCheckedAgainstTheLoadBalancer(t *testing.T) {
	f := start(t, nil, "127.0.81.5")
	sticky := targets.Attributes{Sticky: true}
	app := targets.Attributes{Sticky: true, StickyType: "app_cookie", AppCookieName: "session"}
	for want, change := range map[string]func(*fakealb.LoadBalancer){
		"listeners[0].default_actions[0].target_groups[0].name": func(lb *fakealb.LoadBalancer) { lb.Listeners[0].DefaultActions = to("nowhere") },
		"listeners[0].rules[0].priority": func(lb *fakealb.LoadBalancer) {
			lb.Listeners[0].Rules = []rules.Rule{onPath(0, "/", to("a"))}
		},
		"listeners[0].rules[0].actions[0].target_groups[0].name": func(lb *fakealb.LoadBalancer) {
			lb.TargetGroups[0].ProtocolVersion = "GRPC"
			lb.Listeners[0].Rules = []rules.Rule{onPath(1, "/", to("a"))}
		},
		"listeners[0].default_actions[0].stickiness.enabled": func(lb *fakealb.LoadBalancer) {
			lb.TargetGroups[0].Attributes = sticky
			lb.Listeners[0].DefaultActions = to("a", "b")
		},
		"listeners[0].default_actions[0].target_groups[1].name": func(lb *fakealb.LoadBalancer) {
			lb.TargetGroups[1].Attributes = app
			lb.Listeners[0].DefaultActions = to("a", "b")
		},
		"listeners[0].default_actions[0].redirect.protocol": func(lb *fakealb.LoadBalancer) {
			lb.Listeners[0].Protocol = fakealb.ProtocolHTTPS
			lb.Listeners[0].DefaultActions = []rules.Action{{Type: rules.ToURL, Redirect: &rules.Redirect{Protocol: "HTTP", StatusCode: "HTTP_301"}}}
		},
		"target_groups[2].name": func(lb *fakealb.LoadBalancer) { lb.TargetGroups = append(lb.TargetGroups, targets.Group{Name: "a"}) },
		"target_groups[0].name": func(lb *fakealb.LoadBalancer) { lb.TargetGroups[0].Name = "" },
		"target_groups[1].targets[0].zone": func(lb *fakealb.LoadBalancer) {
			lb.TargetGroups[1].Targets = []targets.Target{{Addr: netip.MustParseAddrPort("127.0.81.9:80"), Zone: strings.Repeat("z", 65)}}
		},
		"listeners[0].protocol": func(lb *fakealb.LoadBalancer) {
			lb.TargetGroup = &targets.Group{ProtocolVersion: targets.VersionGRPC}
		},
		"target_group.name": func(lb *fakealb.LoadBalancer) { lb.TargetGroup = &targets.Group{Name: "x"} },
	} {
		lb := fakealb.LoadBalancer{
			Name: "x", Listeners: []fakealb.Listener{{Port: f.port, Protocol: fakealb.ProtocolHTTP}},
			TargetGroups: []targets.Group{{Name: "a"}, {Name: "b"}},
		}
		change(&lb)
		_, err := f.PutLoadBalancer(f.ctx, lb)
		if e := apiErr(t, err); e.Field != want {
			t.Errorf("got %v, want an error of %s", err, want)
		}
	}
}
