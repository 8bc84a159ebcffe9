package goproxy

import (
	"net/http"
	"sync/atomic"
	"testing"
)

// What is for no upstream reaches none, though a route would take it.
func TestMethodsThatAreNotServed(t *testing.T) {
	var asked atomic.Int32
	p, client, _ := startProtocols(t, protocolHTTP1, func(http.ResponseWriter, *http.Request) { asked.Add(1) })
	for method, target := range map[string]string{"TRACE": "/", "trace": "/", "CONNECT": "h:443"} {
		resp := rawRequest(t, p, method+" "+target+" HTTP/1.1\r\nHost: h:443\r\nMax-Forwards: 10\r\n\r\n")
		if resp.StatusCode != http.StatusMethodNotAllowed || asked.Load() > 0 {
			t.Errorf("%s: status %d, the upstream was asked %d times; want 405 and not", method, resp.StatusCode, asked.Load())
		}
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodTrace, "http://www.example.test/", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client("h2c").Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusMethodNotAllowed || asked.Load() > 0 {
		t.Errorf("TRACE by HTTP/2: status %d, the upstream was asked %d times; want 405 and not", resp.StatusCode, asked.Load())
	}
}
