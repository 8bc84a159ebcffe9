package goproxy

import (
	"fmt"
	"io"
	"log/slog"
	"os"
)

// openAccessLog returns where access log lines go, or nil for nowhere. What a
// config names may be a pipe, or a disk that stalls: lines queue for it.
func (p *Proxy) openAccessLog(name string) (io.Writer, error) {
	if p.opts.AccessLog != nil {
		return p.opts.AccessLog, nil
	}
	switch name {
	case "off":
		return nil, nil
	case "", "stdout":
		return p.queueFor(os.Stdout), nil
	case "stderr":
		return p.queueFor(os.Stderr), nil
	}
	f, err := os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o640)
	if err != nil {
		return nil, fmt.Errorf("access_log: %w", err)
	}
	queue := p.queueFor(f)
	p.closers = append(p.closers, f)
	return queue, nil
}

// queueFor is closed by Close.
func (p *Proxy) queueFor(to io.Writer) io.Writer {
	q := newLogQueue(to)
	p.closers = append(p.closers, q)
	p.metrics.dropped(q)
	return q
}

// dropConstant leaves out what is the same in every access log line.
func dropConstant(groups []string, a slog.Attr) slog.Attr {
	if len(groups) == 0 && (a.Key == slog.LevelKey || a.Key == slog.MessageKey) {
		return slog.Attr{}
	}
	return a
}
