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
	f, err := openLogFile(name)
	if err != nil {
		return nil, fmt.Errorf("access_log: %w", err)
	}
	p.accessFile = f
	queue := p.queueFor(f)
	p.closers = append(p.closers, f)
	return queue, nil
}

// ReopenAccessLog opens the file of Config.AccessLog by its name again, after the one that
// had it was moved away. On an error lines go where they went. Without a file it does
// nothing.
func (p *Proxy) ReopenAccessLog() error {
	if p.accessFile == nil {
		return nil
	}
	if err := p.accessFile.reopen(); err != nil {
		return fmt.Errorf("access_log: %w", err)
	}
	return nil
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
