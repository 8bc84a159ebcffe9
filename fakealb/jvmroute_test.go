package fakealb_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/proxychaos/proxychaos/fakealb"
)

// A node with a route begins a session for whoever has none of its own, and goes on with it.
func TestJVMRoute(t *testing.T) {
	f := start(t, nil, "127.0.74.29")
	ask := func(cookie string) string {
		t.Helper()
		req, err := http.NewRequestWithContext(f.ctx, http.MethodGet, "http://"+f.at(0)+"/", nil)
		if err != nil {
			t.Fatal(err)
		}
		if cookie != "" {
			req.Header.Set("Cookie", cookie)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		return resp.Header.Get("Set-Cookie")
	}
	if got := ask(""); got != "" {
		t.Errorf("without a route: got the cookie %q, want none", got)
	}
	nodes, err := f.Nodes(f.ctx)
	if err != nil {
		t.Fatal(err)
	}
	node := nodes[0]
	node.JVMRoute, node.Fault = "node1", ""
	if _, err := f.PutNode(f.ctx, node); err != nil {
		t.Fatal(err)
	}
	cookie, attributes, _ := strings.Cut(ask(""), ";")
	if !strings.HasPrefix(cookie, "JSESSIONID=") || !strings.HasSuffix(cookie, ".node1") || attributes != " Path=/; HttpOnly" {
		t.Errorf("got the cookie %q with %q, want a JSESSIONID that ends in .node1", cookie, attributes)
	}
	for given, begins := range map[string]bool{
		cookie:                             false,
		"other=1; " + cookie:               false,
		"JSESSIONID=0123.node2":            true,
		"JSESSIONID=0123":                  true,
		"JSESSIONID=0123.node2; " + cookie: false,
	} {
		if got := ask(given); (got != "") != begins {
			t.Errorf("%s: got the cookie %q, want a new session %t", given, got, begins)
		}
	}
	node.JVMRoute = "node 1"
	if _, err := f.PutNode(f.ctx, node); err == nil {
		t.Error("got no error for a route with a space, want one")
	}
	nodes, err = f.Nodes(f.ctx)
	if err != nil || nodes[0].JVMRoute != "node1" || nodes[0].Fault != fakealb.FaultNone {
		t.Errorf("got %+v, %v, want the route node1", nodes[0], err)
	}
}
