package goproxy

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// Two members may have one address, and two may follow one name: each has lines
// of its own.
func TestMetricsOfMembersThatAreAlike(t *testing.T) {
	backends, port := startBackends(t, 1)
	d := startDNS(t, 1)
	d.set(backends...)
	address := fmt.Sprintf("127.94.1.10:%d", port)
	p := startProxy(t, Config{
		Admin:  "127.0.0.1:0",
		Routes: []Route{{Upstream: "app"}},
		Upstreams: map[string]Upstream{"app": {HealthCheck: &HealthCheck{Path: "/"}, Members: []Member{
			{URL: "http://" + address, Route: "a"},
			{URL: "http://" + address},
			{URL: "http://" + address},
			{URL: "http://" + backendName + ":8080"},
			{URL: "http://" + backendName + ":8081"},
			{URL: "http://" + backendName + ":8081"},
		}}},
	}, d)
	send(t, p, http.MethodGet, "")
	status, metrics := admin(t, p, "GET", "/metrics", "", "")
	if status != http.StatusOK {
		t.Fatalf("status %d: %s", status, metrics)
	}
	for _, member := range []string{"a", address, address + "-2"} {
		if want := fmt.Sprintf(`goproxy_endpoint_usable{address=%q,member=%q,upstream="app"} `, address, member); !strings.Contains(metrics, want) {
			t.Errorf("no line %s in\n%s", want, metrics)
		}
	}
	for _, member := range []string{":8080", ":8081", ":8081-2"} {
		if want := fmt.Sprintf(`goproxy_dns_queries_total{member=%q,name=%q,upstream="app"} `, backendName+member, backendName); !strings.Contains(metrics, want) {
			t.Errorf("no line %s in\n%s", want, metrics)
		}
	}
}

func TestNameThatMetricsCannotHave(t *testing.T) {
	cfg := Config{Routes: []Route{{Upstream: "a\xff"}}, Upstreams: map[string]Upstream{"a\xff": {URL: "http://127.0.0.1:1"}}}
	if err := cfg.Validate(); err == nil || !strings.Contains(err.Error(), `"a\xff" is no UTF-8`) {
		t.Errorf("got %v", err)
	}
}
