package renew

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/proxychaos/proxychaos/harness/control"
)

// Port is where an agent is told to restart. The proxy under test shares the pod's
// ports: this one is above those of connections (32768 to 60999), and no program's usual
// one.
const Port = 61101

// request is what it is told.
type request struct {
	// Turn is the number of the new beginning; larger than the one before.
	Turn int `json:"turn"`
	// Args are the agent and its arguments.
	Args []string `json:"args"`
}

// serve answers with the turn of this process, and calls begin once it is to end. What it
// returns stops it.
func serve(turn int, begin func(request)) (stop func() error, err error) {
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp4", ":"+strconv.Itoa(Port))
	if err != nil {
		return nil, fmt.Errorf("%s: listen: %w", Name, err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/turn", func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprintln(w, turn) })
	var once sync.Once
	mux.HandleFunc("PUT /v1/turn", func(w http.ResponseWriter, r *http.Request) {
		var next request
		err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<16)).Decode(&next)
		if err != nil || next.Turn <= turn || len(next.Args) == 0 {
			http.Error(w, fmt.Sprintf("got turn %d with the arguments %q (%v), want a turn above %d and an agent", next.Turn, next.Args, err, turn), http.StatusBadRequest)
			return
		}
		once.Do(func() { begin(next) })
	})
	server := &http.Server{
		Handler:           control.Guard(mux, func(w http.ResponseWriter, message string) { http.Error(w, message, http.StatusForbidden) }),
		ReadHeaderTimeout: 10 * time.Second,
	}
	done := make(chan error, 1)
	go func() { done <- server.Serve(listener) }()
	return func() error {
		// The answer to whoever asked for the new beginning is sent first.
		ctx, cancel := context.WithTimeout(context.Background(), stopWithin)
		defer cancel()
		if err := errors.Join(server.Shutdown(ctx), <-done); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	}, nil
}

// stopWithin is how long answers under way may take once the agent has ended.
const stopWithin = time.Second

// poll is how often the new beginning is asked for.
const poll = 5 * time.Millisecond

// Do has the agent at host restart as the turn, with the arguments, and returns when it
// has begun. Its own API may answer a little later.
func Do(ctx context.Context, c *http.Client, host netip.Addr, turn int, args []string) error {
	url := "http://" + netip.AddrPortFrom(host, Port).String() + "/v1/turn"
	body, err := json.Marshal(request{Turn: turn, Args: args})
	if err != nil {
		return err
	}
	if said, err := call(ctx, c, http.MethodPut, url, body); err != nil {
		return fmt.Errorf("telling %s to restart: %w %s", host, err, said)
	}
	for {
		if got, err := call(ctx, c, http.MethodGet, url, nil); err == nil && got == strconv.Itoa(turn) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s to restart: %w", host, ctx.Err())
		case <-time.After(poll):
		}
	}
}

func call(ctx context.Context, c *http.Client, method, url string, body []byte) (string, error) {
	req, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	req.Close = true // the agent that answers may be about to end
	resp, err := c.Do(req)
	if err != nil {
		return "", err
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = errors.New(resp.Status)
	}
	return strings.TrimSpace(string(text)), err
}
