package load

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/proxychaos/proxychaos/harness/control"
)

// Client talks to the agent. It is safe for several goroutines.
type Client struct {
	base string
	http *http.Client
}

// NewClient returns a client of the agent at base, http://<host>:<port>.
func NewClient(base string) *Client {
	// No proxy from the environment: the agent is next door.
	return &Client{base: base, http: &http.Client{Transport: &http.Transport{}}}
}

// Health returns nil when the agent answers.
func (c *Client) Health(ctx context.Context) error {
	return c.call(ctx, http.MethodGet, "/v1/health", nil, func(io.Reader) error { return nil })
}

// Attack runs the load in the agent and calls each for every row as it comes.
// It returns when the load has ended; the error is a *Error if the agent
// refused the spec. Cancelling ctx stops the load.
func (c *Client) Attack(ctx context.Context, spec Spec, each func(Row)) error {
	return readRows(ctx, c, "/v1/attacks", spec, each)
}

// Hold holds WebSockets in the agent and calls each for every one of them once it has gone. It
// returns as Attack does.
func (c *Client) Hold(ctx context.Context, sockets Sockets, each func(SocketRow)) error {
	return readRows(ctx, c, "/v1/sockets", sockets, each)
}

// readRows calls each for every row of an answer that lasts.
func readRows[R any](ctx context.Context, c *Client, path string, wanted any, each func(R)) error {
	return c.call(ctx, http.MethodPost, path, wanted, func(stream io.Reader) error {
		decoder := json.NewDecoder(stream)
		for rows := 0; ; rows++ {
			var line streamLine[R]
			err := decoder.Decode(&line)
			switch {
			case err != nil && ctx.Err() != nil:
				// What net/http says of a stream that its caller ended varies.
				return fmt.Errorf("load: stopped after %d rows: %w", rows, context.Cause(ctx))
			case err != nil:
				return fmt.Errorf("load: the stream of the agent broke off after %d rows: %w", rows, err)
			case line.Row != nil:
				each(*line.Row)
			case line.End == nil:
				return fmt.Errorf("load: after %d rows the agent sent a line that is neither a row nor the end", rows)
			case line.End.Error != nil:
				return line.End.Error
			case line.End.Rows != rows:
				return fmt.Errorf("load: got %d rows, but the agent sent %d", rows, line.End.Rows)
			default:
				return nil
			}
		}
	})
}

// Burst runs a burst in the agent.
func (c *Client) Burst(ctx context.Context, burst Burst) (BurstResult, error) {
	var result BurstResult
	err := c.call(ctx, http.MethodPost, "/v1/bursts", burst, func(body io.Reader) error {
		return json.NewDecoder(body).Decode(&result)
	})
	return result, err
}

// Try tries ways in the agent.
func (c *Client) Try(ctx context.Context, trials Trials) ([]Trial, error) {
	var result []Trial
	err := c.call(ctx, http.MethodPost, "/v1/trials", trials, func(body io.Reader) error {
		return json.NewDecoder(body).Decode(&result)
	})
	if err == nil && len(result) != len(trials.Ways) {
		err = fmt.Errorf("load: got the results of %d ways, want %d", len(result), len(trials.Ways))
	}
	return result, err
}

func (c *Client) call(ctx context.Context, method, path string, in any, read func(io.Reader) error) (err error) {
	var text []byte
	if in != nil {
		if text, err = json.Marshal(in); err != nil {
			return fmt.Errorf("load: %w", err)
		}
	}
	request, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(text))
	if err != nil {
		return fmt.Errorf("load: %w", err)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return fmt.Errorf("load: ask the agent: %w", err)
	}
	defer func() { err = errors.Join(err, response.Body.Close()) }()
	if response.StatusCode == http.StatusOK {
		return read(response.Body)
	}
	if refused := control.Refusal(response); refused != nil {
		return refused
	}
	return fmt.Errorf("load: %s %s: got %s, want 200 from a load agent", method, path, response.Status)
}
