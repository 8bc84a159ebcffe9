package fakedns

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/proxychaos/proxychaos/harness/control"
)

// Client calls a control API. Bad input comes back as *Error, as from a [Server].
type Client struct {
	base string
	http *http.Client
}

// NewClient makes a client for the control API at baseURL, such as
// "http://127.0.0.1:8053"; a nil http.Client is http.DefaultClient. A Timeout in it
// also bounds WaitQuery and the reading of Queries.
func NewClient(baseURL string, c *http.Client) *Client {
	if c == nil {
		c = http.DefaultClient
	}
	return &Client{base: strings.TrimSuffix(baseURL, "/"), http: c}
}

// Version says what answers.
func (c *Client) Version(ctx context.Context) (Version, error) {
	var v Version
	err := c.call(ctx, http.MethodGet, "/v1/version", nil, &v)
	return v, err
}

// PutNames sets or replaces these names in one step and returns when that took effect.
func (c *Client) PutNames(ctx context.Context, names ...Name) (time.Time, error) {
	return c.change(ctx, http.MethodPut, "/v1/names", map[string][]Name{"names": names})
}

// DeleteName forgets a name and returns when that took effect or will; see [Server.DeleteName].
func (c *Client) DeleteName(ctx context.Context, name string, propagation time.Duration) (time.Time, error) {
	query := url.Values{"propagation_seconds": {strconv.FormatFloat(propagation.Seconds(), 'f', -1, 64)}}
	return c.change(ctx, http.MethodDelete, "/v1/names/"+url.PathEscape(name)+"?"+query.Encode(), nil)
}

// Names returns the names that are set, sorted.
func (c *Client) Names(ctx context.Context) ([]Name, error) {
	var body struct{ Names []Name }
	err := c.call(ctx, http.MethodGet, "/v1/names", nil, &body)
	return body.Names, err
}

// PutFault sets the fault with f.ID and returns when it takes effect; see [Server.PutFault].
func (c *Client) PutFault(ctx context.Context, f Fault) (time.Time, error) {
	return c.change(ctx, http.MethodPut, "/v1/faults/"+url.PathEscape(f.ID), f)
}

// DeleteFault ends a fault and returns when that took effect.
func (c *Client) DeleteFault(ctx context.Context, id string) (time.Time, error) {
	return c.change(ctx, http.MethodDelete, "/v1/faults/"+url.PathEscape(id), nil)
}

// Faults returns every fault that was put and not deleted, in the order they apply.
func (c *Client) Faults(ctx context.Context) ([]FaultStatus, error) {
	var body struct{ Faults []FaultStatus }
	err := c.call(ctx, http.MethodGet, "/v1/faults", nil, &body)
	return body.Faults, err
}

// Reset goes back to the names the server started with, without faults, queries and history.
func (c *Client) Reset(ctx context.Context) (time.Time, error) {
	return c.change(ctx, http.MethodPost, "/v1/reset", nil)
}

// History returns every change since the start or the last reset, oldest first.
func (c *Client) History(ctx context.Context) ([]Change, error) {
	var body struct{ Changes []Change }
	err := c.call(ctx, http.MethodGet, "/v1/history", nil, &body)
	return body.Changes, err
}

// Queries returns the logged queries that match, oldest first.
func (c *Client) Queries(ctx context.Context, f Filter) (found []Query, err error) {
	resp, err := c.do(ctx, http.MethodGet, "/v1/queries?"+f.values().Encode(), nil, ndjson)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, resp.Body.Close()) }()
	found = []Query{}
	for dec := json.NewDecoder(resp.Body); ; {
		var q Query
		switch err := dec.Decode(&q); {
		case errors.Is(err, io.EOF):
			return found, nil
		case err != nil:
			return nil, fmt.Errorf("fakedns: reading the query log: %w", err)
		}
		found = append(found, q)
	}
}

// LastSeq returns the highest Seq given so far, 0 if none: as Filter.After it
// selects what is asked from now on.
func (c *Client) LastSeq(ctx context.Context) (uint64, error) {
	body, err := c.queries(ctx, Filter{Since: farFuture}, 0)
	return body.LastSeq, err
}

// farFuture selects no query.
var farFuture = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)

// WaitQuery returns the first logged query that matches, as soon as there is one.
// If ctx ends first its error is wrapped.
func (c *Client) WaitQuery(ctx context.Context, f Filter) (Query, error) {
	const oneCall = 30 * time.Second
	for {
		body, err := c.queries(ctx, f, oneCall)
		switch {
		case ctx.Err() != nil:
			return Query{}, fmt.Errorf("fakedns: nobody asked for %s: %w", f.describe(), ctx.Err())
		case err != nil:
			return Query{}, err
		case len(body.Queries) > 0:
			return body.Queries[0], nil
		}
		f.After = max(f.After, body.LastSeq)
	}
}

func (c *Client) queries(ctx context.Context, f Filter, wait time.Duration) (queriesBody, error) {
	v := f.values()
	if wait > 0 {
		v.Set("wait", wait.String())
	}
	var body queriesBody
	err := c.call(ctx, http.MethodGet, "/v1/queries?"+v.Encode(), nil, &body)
	return body, err
}

// values is the filter as query parameters.
func (f Filter) values() url.Values {
	v := url.Values{}
	if f.Name != "" {
		v.Set("name", f.Name)
	}
	if f.Type != "" {
		v.Set("type", f.Type)
	}
	if f.Client.IsValid() {
		v.Set("client", f.Client.String())
	}
	if f.After > 0 {
		v.Set("after", strconv.FormatUint(f.After, 10))
	}
	if !f.Since.IsZero() {
		v.Set("since", f.Since.Format(time.RFC3339Nano))
	}
	return v
}

func (c *Client) change(ctx context.Context, method, path string, body any) (time.Time, error) {
	var a Applied
	err := c.call(ctx, method, path, body, &a)
	return a.InForceAt, err
}

func (c *Client) call(ctx context.Context, method, path string, body, answer any) (err error) {
	resp, err := c.do(ctx, method, path, body, "application/json")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, resp.Body.Close()) }()
	if err := json.NewDecoder(resp.Body).Decode(answer); err != nil {
		return fmt.Errorf("fakedns: %s %s: reading the answer: %w", method, path, err)
	}
	return nil
}

// do sends one request and returns the answer if it is a good one.
func (c *Client) do(ctx context.Context, method, path string, body any, accept string) (*http.Response, error) {
	var sent io.Reader = http.NoBody
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return nil, fmt.Errorf("fakedns: %s %s: %w", method, path, err)
		}
		sent = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, sent)
	if err != nil {
		return nil, fmt.Errorf("fakedns: %s %s: %w", method, path, err)
	}
	req.Header.Set("Accept", accept)
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("fakedns: %w", err)
	}
	if resp.StatusCode == http.StatusOK {
		return resp, nil
	}
	return nil, errors.Join(refusal(resp), resp.Body.Close())
}

// refusal reads the error of an answer that is not 200.
func refusal(resp *http.Response) error {
	if refused := control.Refusal(resp); refused != nil {
		return refused
	}
	return fmt.Errorf("fakedns: %s answered %s, want a fakedns control API", resp.Request.URL, resp.Status)
}
