// Package reaper removes what a run leaves on the Docker engine when the run
// cannot do it itself, because it was killed with SIGKILL or lost its machine's
// memory.
//
// A reaper is a small server in a container of its own that holds the engine's
// socket. The run gives it at its start the labels of everything that the run
// creates, and keeps a TCP connection to it open. The kernel closes that
// connection however the run ends; the reaper then waits a moment, removes the
// containers and after them the networks that carry the labels, ends, and is
// removed by the engine.
//
// Every process of the machine can connect. The labels are a secret of the run
// and its reaper: who does not say them is refused, and its connection counts
// for nothing. So no other process can have anything removed, or keep the
// reaper from removing.
//
// The protocol is the one of the Testcontainers reaper (Ryuk): a client sends
// lines label=name=value&label=..., each answered with ACK. testcontainers-go
// itself cannot be pointed at another reaper image (the name
// testcontainers/ryuk is fixed, only a prefix may be put before it), so the
// harness starts this one: see [Start].
package reaper

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/url"
	"strings"
	"sync"
	"time"
)

// Config says how a Server listens and how long it waits.
type Config struct {
	// Labels are what the server removes by: at least one. Clients say the same.
	Labels map[string]string
	// Listen is the TCP address, for example ":8080"; port 0 picks a free one.
	Listen string
	// Grace is the time between the end of the last client and the removal. A
	// client that comes again within it calls the removal off.
	Grace time.Duration
	// FirstClient is how long the server waits for the first client of all
	// before it gives up and ends. A connection that has not said the labels
	// within the same time is closed.
	FirstClient time.Duration
	// Log receives one line per event.
	Log io.Writer
}

// Server waits for the end of its clients and then calls its removal function
// once with its labels. A client is a connection that has said these labels.
type Server struct {
	cfg    Config
	remove func(ctx context.Context, labels map[string]string) error
	ln     net.Listener

	mu       sync.Mutex
	clients  int
	came     bool          // a client, ever
	arrivals chan struct{} // signalled on every arrival and departure of a client
}

// New opens the listener. The Server calls remove with the labels of cfg:
// [Reap], or a test's own.
func New(cfg Config, remove func(ctx context.Context, labels map[string]string) error) (*Server, error) {
	if err := checkLabels(cfg.Labels); err != nil {
		return nil, err
	}
	if cfg.Grace < 0 || cfg.FirstClient <= 0 {
		return nil, fmt.Errorf("reaper: grace %s must not be negative and the wait for a client %s must be positive", cfg.Grace, cfg.FirstClient)
	}
	ln, err := net.Listen("tcp", cfg.Listen) //nolint:noctx // immediate
	if err != nil {
		return nil, fmt.Errorf("reaper: %w", err)
	}
	return &Server{cfg: cfg, remove: remove, ln: ln, arrivals: make(chan struct{}, 1)}, nil
}

// Addr is the address that the Server listens on.
func (s *Server) Addr() net.Addr { return s.ln.Addr() }

// Run serves until the last client is gone and what carries the labels is
// removed. If ctx ends first, it removes at once. With no client ever, it
// removes nothing, and returns after FirstClient.
func (s *Server) Run(ctx context.Context) error {
	defer func() { _ = s.ln.Close() }()
	// Clients of the protocol wait for this word before they connect.
	s.logf("Started, listening on %s", s.Addr())
	go s.accept()

	s.awaitEnd(ctx)
	if _, came := s.state(); !came {
		s.logf("ends: no client came")
		return nil
	}
	s.logf("no client left: removing what carries %v", s.cfg.Labels)
	if err := s.remove(context.WithoutCancel(ctx), s.cfg.Labels); err != nil {
		return fmt.Errorf("reaper: %w", err)
	}
	s.logf("ends: all removed")
	return nil
}

// awaitEnd returns when no client is left, or none has ever come.
func (s *Server) awaitEnd(ctx context.Context) {
	wait := time.NewTimer(s.cfg.FirstClient)
	defer wait.Stop()
	for {
		select {
		case <-ctx.Done():
			s.logf("told to end")
			return
		case <-wait.C:
			if clients, _ := s.state(); clients == 0 {
				return
			}
		case <-s.arrivals:
			if clients, _ := s.state(); clients > 0 {
				wait.Stop()
			} else {
				wait.Reset(s.cfg.Grace)
			}
		}
	}
}

func (s *Server) accept() {
	for {
		conn, err := s.ln.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			s.logf("accept: %v", err)
			time.Sleep(10 * time.Millisecond) // out of files: do not spin
			continue
		}
		go func() {
			defer func() { _ = conn.Close() }()
			s.serve(conn)
		}()
	}
}

// serve answers each line until the other side is gone, which counts as a
// client from the first line with the right labels on.
func (s *Server) serve(conn net.Conn) {
	if conn.SetDeadline(time.Now().Add(s.cfg.FirstClient)) != nil {
		return // it is gone
	}
	client := false
	lines := bufio.NewScanner(conn)
	for lines.Scan() {
		labels, err := ParseLabels(lines.Text())
		if err == nil && !maps.Equal(labels, s.cfg.Labels) {
			err = errors.New("got other labels than those of the reaper's start, want the same")
		}
		answer := "ACK\n"
		switch {
		case err != nil:
			s.logf("refused: %v", err)
			answer = "ERROR " + err.Error() + "\n"
		case !client:
			if conn.SetDeadline(time.Time{}) != nil {
				return
			}
			client = true
			s.count(1)
			defer s.count(-1)
		}
		if _, err := io.WriteString(conn, answer); err != nil {
			return
		}
	}
}

// state returns the number of clients, and whether there ever was one.
func (s *Server) state() (clients int, came bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.clients, s.came
}

func (s *Server) count(delta int) {
	s.mu.Lock()
	s.clients += delta
	s.came = true
	s.mu.Unlock()
	select {
	case s.arrivals <- struct{}{}:
	default: // Run has not looked yet; it will see the newest count
	}
}

func (s *Server) logf(format string, args ...any) {
	_, _ = fmt.Fprintf(s.cfg.Log, format+"\n", args...)
}

// ParseLabels reads a line of the protocol: label=name=value&label=name=value.
// Names and values may be escaped as in a URL's query. An empty set is an
// error, since it would mean everything on the engine.
func ParseLabels(line string) (map[string]string, error) {
	line = strings.TrimSpace(line)
	query, err := url.ParseQuery(line)
	if err != nil {
		return nil, fmt.Errorf("line %.200q: %w; want label=name=value&label=name=value", line, err)
	}
	labels := map[string]string{}
	for key, values := range query {
		if key != "label" {
			return nil, fmt.Errorf("line %.200q: filter %.50q is not supported; want label=name=value", line, key)
		}
		for _, v := range values {
			name, value, ok := strings.Cut(v, "=")
			if !ok || name == "" {
				return nil, fmt.Errorf("line %.200q: label %.50q has no name and value; want label=name=value", line, v)
			}
			if old, twice := labels[name]; twice && old != value {
				return nil, fmt.Errorf("line %.200q: label %.50q has two values: nothing carries both", line, name)
			}
			labels[name] = value
		}
	}
	if len(labels) == 0 {
		return nil, errors.New("empty line; want label=name=value")
	}
	return labels, nil
}

// FormatLabels is the inverse of ParseLabels, without the end of the line.
func FormatLabels(labels map[string]string) string {
	query := url.Values{}
	for name, value := range labels {
		query.Add("label", name+"="+value)
	}
	return query.Encode()
}
