package goproxy

import (
	"context"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"time"
)

// record collects what the access log says about one request.
type record struct {
	start     time.Time
	local     net.Addr // where the client connected to
	remote    string   // address and port of whoever connected
	clientIP  string   // the client, where a trusted proxy connected for it
	upstream  string
	addresses []netip.AddrPort // every attempt, in order
	served    *endpoint        // the one whose response was taken; nil if none
	answered  time.Duration    // from the request's head to that of its response; 0 without one
	status    int
	bytes     int64 // of the response body
	sent      int64 // through a tunnel to the upstream
	err       error
}

func (r *record) tried(addr netip.AddrPort) {
	r.addresses = append(r.addresses, addr)
}

// log writes the access log line.
func (r *request) log(l *slog.Logger, took time.Duration) {
	var tried strings.Builder
	for i, a := range r.addresses {
		if i > 0 {
			tried.WriteByte(',')
		}
		tried.WriteString(a.String())
	}
	attrs := []slog.Attr{
		slog.String("client", r.remote),
		slog.String("method", r.Method),
		slog.String("host", r.Host),
		slog.String("path", r.Target),
		slog.Int("status", r.status),
		slog.Int64("bytes", r.bytes),
		slog.String("upstream", r.upstream),
		slog.String("upstream_addr", tried.String()),
		slog.Int("attempts", len(r.addresses)),
		slog.Float64("duration_ms", float64(took.Microseconds())/1000),
	}
	if r.answered > 0 {
		attrs = append(attrs, slog.Float64("header_ms", float64(r.answered.Microseconds())/1000))
	}
	if r.err != nil {
		attrs = append(attrs, slog.String("error", r.err.Error()))
	}
	l.LogAttrs(context.Background(), slog.LevelInfo, "request", attrs...)
}
