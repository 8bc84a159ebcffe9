package fakealb_test

import (
	"testing"

	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/fakealb/rules"
)

// TestPathPatternsFitTheWholePath asks what people expect to be a prefix, or the
// longest match: a pattern has to fit the whole path as it came, with its case
// and its escapes and without its query, and the first rule by priority wins.
func TestPathPatternsFitTheWholePath(t *testing.T) {
	status := func(code int) []rules.Action {
		return []rules.Action{{Type: rules.Fixed, FixedResponse: &rules.FixedResponse{StatusCode: code, MessageBody: "x"}}}
	}
	f, _ := ruled(t, "127.0.72.21", func(lb *fakealb.LoadBalancer) {
		lb.Listeners[0].Rules = []rules.Rule{
			onPath(1, "/", status(201)),
			onPath(2, "/img/*", status(202)),
			onPath(3, "/img/big/*", status(203)),
			{Priority: 4, Actions: status(205), Conditions: []rules.Condition{{Field: rules.HostHeader, Values: []string{"Shop.Example.com"}}}},
		}
		lb.Listeners[0].DefaultActions = status(299)
	})
	for path, want := range map[string]string{
		"/": "201", "/?a=/img/x": "201", "/img/?/": "202", "/img/": "202", "/img/a.png": "202", "/img/big/a.png": "202",
		"/img/a.png?x=1": "202", "/img/../other": "202",
		"/img": "299", "/img?/img/x": "299", "/IMG/a.png": "299", "/other": "299", "//img/a.png": "299", "/%69mg/a.png": "299", "/x/../img/a.png": "299",
	} {
		if got := curl(t, "--path-as-is", "-o", "/dev/null", "-w", "%{http_code}", "http://"+f.at(0)+path); got != want {
			t.Errorf("%s: got %s, want %s", path, got, want)
		}
	}
	for host, want := range map[string]string{
		"shop.example.com": "205", "SHOP.example.COM": "205", "SHOP.example.COM:8080": "205", "a.shop.example.com": "299", "shop.example": "299",
	} {
		if got := curl(t, "-H", "Host: "+host, "-o", "/dev/null", "-w", "%{http_code}", "http://"+f.at(0)+"/other"); got != want {
			t.Errorf("Host %s: got %s, want %s", host, got, want)
		}
	}
}
