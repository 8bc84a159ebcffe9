package goproxy

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/proxychaos/proxychaos/goproxy/http1"
)

// tracer makes a span of each request.
type tracer struct {
	provider *sdktrace.TracerProvider
	tracer   trace.Tracer
}

// span is a request's part of a trace.
type span struct {
	trace.Span
	ctx context.Context //nolint:containedctx // OpenTelemetry keeps the trace in it
}

func newTracer(ctx context.Context, cfg *Traces) (*tracer, error) {
	exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(cfg.Endpoint+"/v1/traces"))
	if err != nil {
		return nil, fmt.Errorf("traces: %w", err)
	}
	share := 1.0
	if cfg.SamplePercent > 0 {
		share = float64(cfg.SamplePercent) / 100
	}
	provider := sdktrace.NewTracerProvider(
		sdktrace.WithBatcher(exporter),
		sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.TraceIDRatioBased(share))),
		sdktrace.WithResource(resource.NewSchemaless(attribute.String("service.name", "goproxy"))),
	)
	return &tracer{provider, provider.Tracer("github.com/proxychaos/proxychaos/goproxy")}, nil
}

// flush sends what is left.
func (t *tracer) flush(ctx context.Context, log *slog.Logger) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if err := t.provider.Shutdown(ctx); err != nil {
		log.Warn("traces: the last spans are lost", "error", err.Error())
	}
}

// begin starts the span, as a part of the client's trace where there is one.
func (t *tracer) begin(r *request) {
	ctx := propagation.TraceContext{}.Extract(context.Background(), (*traceHeader)(&r.Header))
	name, method := spanOf(r.Method)
	ctx, s := t.tracer.Start(ctx, name, trace.WithSpanKind(trace.SpanKindServer), trace.WithTimestamp(r.start), trace.WithAttributes(
		attribute.String("http.request.method", method),
		attribute.String("url.path", r.path.raw),
		attribute.String("server.address", hostname(r.Host)),
	))
	if method != r.Method {
		s.SetAttributes(attribute.String("http.request.method_original", r.Method))
	}
	r.span = &span{s, ctx}
}

// spanOf is the name of the span of a request with that method, and what it says of the
// method. Clients may invent any number of methods, and who counts spans does so by these
// (OpenTelemetry's semantic conventions for HTTP, "Name" and http.request.method).
func spanOf(method string) (name, known string) {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodOptions, http.MethodPatch, http.MethodConnect, http.MethodTrace:
		return method, method
	}
	return "HTTP", "_OTHER"
}

// passOn tells the upstream of the trace.
func (s *span) passOn(h *http1.Header) { propagation.TraceContext{}.Inject(s.ctx, (*traceHeader)(h)) }

// end finishes the span with what has become of the request.
func (s *span) end(r *request) {
	s.SetAttributes(
		attribute.Int("http.response.status_code", r.status),
		attribute.String("client.address", r.clientIP),
		attribute.String("goproxy.upstream", r.upstream),
		attribute.Int("goproxy.attempts", len(r.addresses)),
	)
	if r.served != nil {
		s.SetAttributes(attribute.String("network.peer.address", r.served.addr.String()))
	}
	if r.err != nil {
		s.RecordError(r.err)
	}
	if r.status >= 500 {
		s.SetStatus(codes.Error, "")
	}
	s.End()
}

// traceHeader is a header as OpenTelemetry reads and writes it.
type traceHeader http1.Header

// Get implements propagation.TextMapCarrier.
func (h *traceHeader) Get(name string) string { return http1.Header(*h).Get(name) }

// Set implements propagation.TextMapCarrier.
func (h *traceHeader) Set(name, value string) { (*http1.Header)(h).Set(name, value) }

// Keys implements propagation.TextMapCarrier.
func (h *traceHeader) Keys() []string {
	var names []string
	for _, f := range *h {
		names = append(names, f.Name)
	}
	return names
}

func checkTraces(t *Traces, add func(string, ...string)) {
	if t == nil {
		return
	}
	u, err := url.Parse(t.Endpoint)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.Path != "" {
		add(fmt.Sprintf("%q is no collector's address: want one such as http://127.0.0.1:4318", t.Endpoint), "traces", "endpoint")
	}
	if t.SamplePercent < 0 || t.SamplePercent > 100 {
		add(fmt.Sprintf("%d percent: want 1 to 100", t.SamplePercent), "traces", "sample_percent")
	}
}
