package goproxy

import (
	"context"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// startCollector takes OTLP over HTTP and returns the spans so far.
func startCollector(t *testing.T) (string, func() []*tracepb.Span) {
	t.Helper()
	var mu sync.Mutex
	var spans []*tracepb.Span
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		data, err := io.ReadAll(r.Body)
		var batch collector.ExportTraceServiceRequest
		if err != nil || r.URL.Path != "/v1/traces" || proto.Unmarshal(data, &batch) != nil {
			t.Errorf("%s: %d bytes, %v", r.URL, len(data), err)
		}
		mu.Lock()
		defer mu.Unlock()
		for _, resource := range batch.ResourceSpans {
			for _, scope := range resource.ScopeSpans {
				spans = append(spans, scope.Spans...)
			}
		}
	}))
	t.Cleanup(server.Close)
	return server.URL, func() []*tracepb.Span {
		mu.Lock()
		defer mu.Unlock()
		return append([]*tracepb.Span(nil), spans...)
	}
}

func TestTraces(t *testing.T) {
	backends, port := startBackends(t, 1)
	backends[0].handle(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/bad" {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		io.WriteString(w, r.Header.Get("Traceparent"))
	})
	d := startDNS(t, 60)
	d.set(backends...)
	cfg := simpleConfig(port)
	endpoint, spans := startCollector(t)
	cfg.Traces = &Traces{Endpoint: endpoint}
	p, err := New(cfg, Options{Listen: "127.0.0.1:0", AccessLog: io.Discard, Resolvers: []netip.AddrPort{d.addr}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ran := make(chan error, 1)
	go func() { ran <- p.Run(ctx) }()
	const id, parent = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
	test := &testProxy{Proxy: p}
	passed := body(t, rawRequest(t, test, "GET /x?y HTTP/1.1\r\nHost: www.example.com:81\r\nTraceparent: 00-"+id+"-"+parent+"-01\r\n\r\n"))
	own := body(t, rawRequest(t, test, "BREW /bad HTTP/1.1\r\nHost: h\r\n\r\n"))
	unsampled := body(t, rawRequest(t, test, "GET /x HTTP/1.1\r\nHost: h\r\nTraceparent: 00-"+id+"-"+parent+"-00\r\n\r\n"))
	cancel()
	if err := <-ran; err != nil { // what is left is sent at the end
		t.Fatal(err)
	}
	got := spans()
	if len(got) != 2 {
		t.Fatalf("%d spans, want 2: the third request's trace is not sampled", len(got))
	}
	first, second := got[0], got[1]
	if hex.EncodeToString(first.TraceId) != id { // a span ends after its client has the response
		first, second = second, first
	}
	if hex.EncodeToString(first.TraceId) != id || hex.EncodeToString(first.ParentSpanId) != parent || passed != "00-"+id+"-"+hex.EncodeToString(first.SpanId)+"-01" {
		t.Errorf("%v, and the backend got %q", first, passed)
	}
	if own != "00-"+hex.EncodeToString(second.TraceId)+"-"+hex.EncodeToString(second.SpanId)+"-01" || len(second.ParentSpanId) != 0 || second.Status.Code != tracepb.Status_STATUS_CODE_ERROR {
		t.Errorf("%v, and the backend got %q", second, own)
	}
	if !strings.HasPrefix(unsampled, "00-"+id+"-") || !strings.HasSuffix(unsampled, "-00") {
		t.Errorf("the backend got %q of a trace that is not sampled", unsampled)
	}
	for span, wants := range map[*tracepb.Span]map[string]string{
		first: {
			"http.request.method": "GET", "url.path": "/x", "server.address": "www.example.com", "client.address": "127.0.0.1",
			"goproxy.upstream": "backend", "network.peer.address": backends[0].Addr().String(),
		},
		second: {"http.request.method": "_OTHER", "http.request.method_original": "BREW"},
	} {
		attributes := map[string]string{}
		for _, a := range span.Attributes {
			attributes[a.Key] = a.Value.GetStringValue()
		}
		for key, want := range wants {
			if attributes[key] != want {
				t.Errorf("%s is %q, want %q", key, attributes[key], want)
			}
		}
	}
	if first.Name != "GET" || second.Name != "HTTP" {
		t.Errorf("the spans are called %q and %q; clients must not choose names", first.Name, second.Name)
	}
	if took := time.Duration(first.EndTimeUnixNano - first.StartTimeUnixNano); took <= 0 {
		t.Errorf("it took %v", took)
	}
}

// A collector that is away costs nothing but its spans.
func TestTracesWithoutACollector(t *testing.T) {
	p := startEcho(t, func(c *Config) { c.Traces = &Traces{Endpoint: "http://127.0.0.1:1", SamplePercent: 50} })
	for range 20 {
		if status, _ := send(t, p, http.MethodGet, ""); status != http.StatusOK {
			t.Fatalf("status %d", status)
		}
	}
}
