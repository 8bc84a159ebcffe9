package pod

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/proxychaos/proxychaos/harness/control"
)

// Client drives an [Agent] over its control API. What the agent refuses comes
// back as an *[Error]. It is safe for use by several goroutines.
type Client struct {
	base string
	http *http.Client
}

// NewClient makes a client for the control API at base, such as
// "http://198.18.1.2:9100".
func NewClient(base string) *Client {
	// No proxy from the environment: the agent is on this machine.
	return &Client{base: strings.TrimSuffix(base, "/"), http: &http.Client{Transport: &http.Transport{}}}
}

// DNS is the base URL of fakedns's own control API in the pod.
func (c *Client) DNS() string { return c.base + "/dns" }

// Health returns once the agent has taken the namespace over; until then the
// call blocks or fails.
func (c *Client) Health(ctx context.Context) (Health, error) {
	return call[Health](ctx, c, http.MethodGet, "/v1/health", nil)
}

// Listeners lists the TCP ports that the proxy listens on. With wait above 0 it
// returns as soon as there is one, and none when the wait (at most [MaxWait])
// is over.
func (c *Client) Listeners(ctx context.Context, wait time.Duration) ([]Listener, error) {
	return call[[]Listener](ctx, c, http.MethodGet, "/v1/listeners?wait="+wait.String(), nil)
}

// Processes lists the proxy's processes and the connections to nodes they hold
// now.
func (c *Client) Processes(ctx context.Context, nodes Nodes) ([]Process, error) {
	query := url.Values{"nodes": {nodes.Prefix.String()}}
	for _, a := range nodes.Except {
		query.Add("except", a.String())
	}
	if nodes.Literals {
		query.Set("literals", "true")
	}
	return call[[]Process](ctx, c, http.MethodGet, "/v1/processes?"+query.Encode(), nil)
}

// Logs are the lines that the proxy has written to log files. They are followed from the
// first call on, and each is read from its beginning.
func (c *Client) Logs(ctx context.Context) (Logs, error) {
	return call[Logs](ctx, c, http.MethodGet, "/v1/logs", nil)
}

// StartWatch begins to count the connections to nodes that each process is ever
// seen to hold. It costs CPU until the agent ends.
func (c *Client) StartWatch(ctx context.Context, req WatchRequest) (Watch, error) {
	return call[Watch](ctx, c, http.MethodPost, "/v1/watches", req)
}

// PaceWatch changes how often a watch looks.
func (c *Client) PaceWatch(ctx context.Context, id string, p Pace) error {
	_, err := call[Pace](ctx, c, http.MethodPut, "/v1/watches/"+url.PathEscape(id)+"/pace", p)
	return err
}

// Watch returns what the watch has seen so far.
func (c *Client) Watch(ctx context.Context, id string) (Watch, error) {
	return call[Watch](ctx, c, http.MethodGet, "/v1/watches/"+url.PathEscape(id), nil)
}

// SetLiterals says, once for each family, which nodes are behind literal addresses.
func (c *Client) SetLiterals(ctx context.Context, req LiteralsRequest) error {
	_, err := call[[]Literal](ctx, c, http.MethodPut, "/v1/literals", req)
	return err
}

// Literals are the addresses that the proxy has tried, in the order of their nodes.
func (c *Client) Literals(ctx context.Context) ([]Literal, error) {
	return call[[]Literal](ctx, c, http.MethodGet, "/v1/literals", nil)
}

// SetAddresses gives the namespace addresses of the proxy's machine, at which connections of
// the proxy begin.
func (c *Client) SetAddresses(ctx context.Context, req AddressesRequest) error {
	_, err := call[AddressesRequest](ctx, c, http.MethodPut, "/v1/addresses", req)
	return err
}

// SetBeside has, once, a node answer for the applications beside the proxy.
func (c *Client) SetBeside(ctx context.Context, req BesideRequest) error {
	_, err := call[BesideRequest](ctx, c, http.MethodPut, "/v1/beside", req)
	return err
}

// ProbeConnect tries one TCP handshake from the proxy's place in the network.
func (c *Client) ProbeConnect(ctx context.Context, req ConnectRequest) (ConnectProbe, error) {
	return call[ConnectProbe](ctx, c, http.MethodPost, "/v1/probes/connect", req)
}

// ProbeHTTP tries one GET on a new connection.
func (c *Client) ProbeHTTP(ctx context.Context, req HTTPRequest) (Answer, error) {
	return call[Answer](ctx, c, http.MethodPost, "/v1/probes/http", req)
}

// ProbeTLS does one TLS handshake.
func (c *Client) ProbeTLS(ctx context.Context, req TLSRequest) (TLSProbe, error) {
	return call[TLSProbe](ctx, c, http.MethodPost, "/v1/probes/tls", req)
}

// ProbeDNS asks one resolver once.
func (c *Client) ProbeDNS(ctx context.Context, req DNSRequest) (DNSProbe, error) {
	return call[DNSProbe](ctx, c, http.MethodPost, "/v1/probes/dns", req)
}

// OpenCanary opens a connection to a node and keeps it. One with the same id is
// kept where it is open and to the same node, else replaced.
func (c *Client) OpenCanary(ctx context.Context, id string, req CanaryRequest) (Canary, error) {
	return call[Canary](ctx, c, http.MethodPut, canaryPath(id), req)
}

// AskCanary sends a GET / on the canary's connection.
func (c *Client) AskCanary(ctx context.Context, id string, req AskRequest) (Answer, error) {
	return call[Answer](ctx, c, http.MethodPost, canaryPath(id)+"/ask", req)
}

func canaryPath(id string) string { return "/v1/canaries/" + url.PathEscape(id) }

// call sends one request and reads its answer.
func call[T any](ctx context.Context, c *Client, method, path string, body any) (result T, err error) {
	var content io.Reader
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			return result, fmt.Errorf("pod: write the request: %w", err)
		}
		content = bytes.NewReader(encoded)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, content)
	if err != nil {
		return result, fmt.Errorf("pod: %w", err)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return result, fmt.Errorf("pod: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return result, refusal(resp)
	}
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return result, fmt.Errorf("pod: read the answer to %s %s: %w", method, path, err)
	}
	if err := json.Unmarshal(answer, &result); err != nil {
		return result, fmt.Errorf("pod: read the answer to %s %s: %w", method, path, err)
	}
	return result, nil
}

func refusal(answer *http.Response) error {
	if refused := control.Refusal(answer); refused != nil {
		return refused
	}
	return fmt.Errorf("pod: got %s and no reason, want an answer of the pod agent", answer.Status)
}
