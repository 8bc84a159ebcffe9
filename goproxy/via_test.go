package goproxy

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
)

func TestVia(t *testing.T) {
	p := startEcho(t, nil)
	for version, want := range map[string]string{"1.0": "1.0", "1.1": "1.1"} {
		got := body(t, rawRequest(t, p, "GET / HTTP/"+version+"\r\nHost: h\r\nVia: 1.1 first, 2 second\r\n\r\n"))
		if !regexp.MustCompile(`Via: 1\.1 first, 2 second\r\nVia: ` + want + ` goproxy-[A-Z2-7]{16}\r\n`).MatchString(got) {
			t.Errorf("HTTP/%s: the backend saw\n%s", version, got)
		}
	}
	p, client, _ := startProtocols(t, protocolHTTP1, echoHead)
	resp, err := client("h2c").Get("http://www.example.test/")
	if err != nil {
		t.Fatal(err)
	}
	if got := body(t, resp); !strings.Contains(got, "Via: "+p.via.values[version2]+"\r\n") || !strings.HasPrefix(p.via.values[version2], "2 ") {
		t.Errorf("the backend saw\n%s", got)
	}
}

// A proxy that is its own upstream ends at the second pass.
func TestLoopEnds(t *testing.T) {
	p := startEcho(t, nil)
	cfg := p.table.Load().cfg
	cfg.Upstreams = map[string]Upstream{"backend": {URL: p.url}}
	if err := p.Reload(cfg); err != nil {
		t.Fatal(err)
	}
	if resp := rawRequest(t, p, plainGET); resp.StatusCode != http.StatusLoopDetected {
		t.Errorf("status %d, want 508", resp.StatusCode)
	}
	eventually(t, loadTimeout, "both passes are logged", func() bool { return strings.Count(p.access.String(), "\n") == 2 })
}

func TestMaxForwards(t *testing.T) {
	p := startEcho(t, nil)
	for _, test := range []struct {
		method, value string
		status        int
		passed        string // the value that the backend got
	}{
		{"OPTIONS", "0", 200, ""},
		{"OPTIONS", "00", 200, ""},
		{"OPTIONS", "1", 200, "0"},
		{"OPTIONS", "10", 200, "9"},
		{"OPTIONS", "x", 200, "x"},
		{"GET", "0", 200, "0"},
		{"PUT", "3", 200, "3"},
	} {
		resp := rawRequest(t, p, test.method+" / HTTP/1.1\r\nHost: h\r\nMax-Forwards: "+test.value+"\r\nContent-Length: 0\r\n\r\n")
		got := body(t, resp)
		_, after, passed := strings.Cut(got, "Max-Forwards: ")
		value, _, _ := strings.Cut(after, "\r\n")
		if resp.StatusCode != test.status || strings.HasPrefix(got, test.method+" ") != passed || passed != (test.passed != "") || value != test.passed {
			t.Errorf("%s with %s: status %d, the backend saw\n%s", test.method, test.value, resp.StatusCode, got)
		}
	}
}
