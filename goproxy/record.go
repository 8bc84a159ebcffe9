package goproxy

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// record collects what the access log says about one request.
type record struct {
	start     time.Time
	in        *http.Request // as the client sent it
	upstream  string
	addresses []netip.AddrPort // every attempt, in order
	served    *endpoint        // the one whose response was taken; nil if none
	err       error
}

type recordKey struct{}

func recordOf(ctx context.Context) *record {
	if r, ok := ctx.Value(recordKey{}).(*record); ok {
		return r
	}
	return &record{}
}

func (r *record) tried(addr netip.AddrPort) {
	r.addresses = append(r.addresses, addr)
}

// log writes the access log line.
func (r *record) log(l *slog.Logger, took time.Duration, w *statusWriter) {
	req := r.in
	var tried strings.Builder
	for i, a := range r.addresses {
		if i > 0 {
			tried.WriteByte(',')
		}
		tried.WriteString(a.String())
	}
	attrs := []slog.Attr{
		slog.String("client", req.RemoteAddr),
		slog.String("method", req.Method),
		slog.String("host", req.Host),
		slog.String("path", req.URL.RequestURI()),
		slog.Int("status", w.status),
		slog.Int64("bytes", w.bytes),
		slog.String("upstream", r.upstream),
		slog.String("upstream_addr", tried.String()),
		slog.Int("attempts", len(r.addresses)),
		slog.Float64("duration_ms", float64(took.Microseconds())/1000),
	}
	if r.err != nil {
		attrs = append(attrs, slog.String("error", r.err.Error()))
	}
	l.LogAttrs(context.Background(), slog.LevelInfo, "request", attrs...)
}

// statusWriter notes the status and size of a response.
type statusWriter struct {
	http.ResponseWriter
	status int
	bytes  int64
}

func (w *statusWriter) WriteHeader(status int) {
	if status >= 200 || status == http.StatusSwitchingProtocols {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *statusWriter) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(p)
	w.bytes += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController flush and hijack.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// bufferPool lends copy buffers to the handler.
type bufferPool struct{ pool sync.Pool }

func newBufferPool() *bufferPool {
	return &bufferPool{sync.Pool{New: func() any { b := make([]byte, 32<<10); return &b }}}
}

func (p *bufferPool) Get() []byte  { return *p.pool.Get().(*[]byte) }
func (p *bufferPool) Put(b []byte) { p.pool.Put(&b) }
