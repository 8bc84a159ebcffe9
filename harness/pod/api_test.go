package pod

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/proxychaos/proxychaos/harness/control"
)

func TestControlAPIRefusals(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	c := startAgent(t)
	for _, test := range []struct {
		method, path, body string
		status             int
		code               control.Code
		field              string
	}{
		{"GET", "/v1/listeners?wait=soon", "", 400, control.CodeInvalid, "wait"},
		{"GET", "/v1/listeners?wait=61s", "", 400, control.CodeInvalid, "wait"},
		{"GET", "/v1/listeners?wait=-1s", "", 400, control.CodeInvalid, "wait"},
		{"GET", "/v1/processes", "", 400, control.CodeInvalid, "nodes"},
		{"GET", "/v1/processes?nodes=198.18.1.0", "", 400, control.CodeInvalid, "nodes"},
		{"GET", "/v1/processes?nodes=198.18.1.0/24&except=x", "", 400, control.CodeInvalid, "except"},
		{"POST", "/v1/watches", `{}`, 400, control.CodeInvalid, "nodes"},
		{"POST", "/v1/watches", `{"nodes":"198.18.1.0/24","interval":"1us"}`, 400, control.CodeInvalid, "interval"},
		{"POST", "/v1/watches", `{"nodes":"198.18.1.0/24","interval":"soon"}`, 400, control.CodeInvalid, ""},
		{"GET", "/v1/watches/7", "", 404, control.CodeNotFound, "id"},
		{"POST", "/v1/probes/connect", ``, 400, control.CodeInvalid, ""},
		{"POST", "/v1/probes/connect", `{"addr":"198.18.1.1:80"} {}`, 400, control.CodeInvalid, ""},
		{"POST", "/v1/probes/connect", `{"addr":"198.18.1.1"}`, 400, control.CodeInvalid, ""},
		{"POST", "/v1/probes/connect", `{"addr":"[::1]:0"}`, 400, control.CodeInvalid, "addr"},
		{"POST", "/v1/probes/connect", `{"addr":"127.0.0.1:80","timeout":"2h"}`, 400, control.CodeInvalid, "timeout"},
		{"POST", "/v1/probes/connect", `{"addr":"127.0.0.1:80","retries":2}`, 400, control.CodeInvalid, "retries"},
		{"POST", "/v1/probes/connect", `{"addr":7}`, 400, control.CodeInvalid, "addr"},
		{"POST", "/v1/probes/connect", `{"addr":"` + strings.Repeat("x", maxBody) + `"}`, 413, control.CodeTooLarge, ""},
		{"POST", "/v1/probes/http", `{"addr":"127.0.0.1:80","path":"x"}`, 400, control.CodeInvalid, "path"},
		{"POST", "/v1/probes/http", `{"addr":"127.0.0.1:80","host":"a b"}`, 400, control.CodeInvalid, "host"},
		{"POST", "/v1/probes/dns", `{"resolver":"127.0.0.1:53","name":""}`, 400, control.CodeInvalid, "name"},
		{"POST", "/v1/probes/dns", `{"resolver":"[::1]:0","name":"a"}`, 400, control.CodeInvalid, "resolver"},
		{"PUT", "/v1/canaries/a", `{"addr":"127.0.0.1:0"}`, 400, control.CodeInvalid, "addr"},
		{"POST", "/v1/canaries/a/ask", `{}`, 404, control.CodeNotFound, "id"},
		{"PUT", "/v1/addresses", `{"addresses":[]}`, 400, control.CodeInvalid, "addresses"},
		{"PUT", "/v1/addresses", `{"addresses":["2001:db8::1"]}`, 400, control.CodeInvalid, "addresses"},
		{"GET", "/v2/health", "", 404, control.CodeNotFound, ""},
		{"DELETE", "/v1/health", "", 404, control.CodeNotFound, ""},
	} {
		t.Run(test.method+" "+test.path, func(t *testing.T) {
			req, err := http.NewRequestWithContext(timely(t), test.method, c.base+test.path, strings.NewReader(test.body))
			if err != nil {
				t.Fatal(err)
			}
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			got := control.Refusal(resp)
			if got == nil {
				t.Fatalf("got %s without a reason, want a typed error", resp.Status)
			}
			if got.Status != test.status || got.Code != test.code || got.Field != test.field || got.Message == "" {
				t.Errorf("got %s %+v, want %d, code %s, field %q", resp.Status, got, test.status, test.code, test.field)
			}
		})
	}
}

func TestClientPassesRefusalsOn(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	c := startAgent(t)
	var refused *Error
	if _, err := c.Processes(timely(t), Nodes{}); !errors.As(err, &refused) || refused.Field != "nodes" {
		t.Errorf("got %v, want a refusal of nodes", err)
	}
}

func TestConfigIsChecked(t *testing.T) {
	var bad *Error
	if _, err := New(Config{}); !errors.As(err, &bad) || bad.Code != control.CodeInvalid {
		t.Errorf("got %v for no control address, want it refused", err)
	}
}
