package fakealb

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"

	"github.com/proxychaos/proxychaos/fakealb/record"
	"github.com/proxychaos/proxychaos/fakealb/targets"
	"github.com/proxychaos/proxychaos/harness/control"
)

// Client drives a Server through its control API. Errors of the server are
// returned as *Error.
type Client struct {
	base string
	http *http.Client
}

// NewClient returns a client of the API at baseURL, such as http://127.0.0.1:8500.
// A nil hc means a client of its own.
func NewClient(baseURL string, hc *http.Client) *Client {
	if hc == nil {
		hc = &http.Client{}
	}
	return &Client{base: baseURL, http: hc}
}

// PutLoadBalancer makes a load balancer, or changes it.
func (c *Client) PutLoadBalancer(ctx context.Context, lb LoadBalancer) (Applied, error) {
	return call[Applied](ctx, c, http.MethodPut, "/v1/load-balancers/"+url.PathEscape(lb.Name), lb)
}

// DeleteLoadBalancer removes a load balancer without nodes.
func (c *Client) DeleteLoadBalancer(ctx context.Context, name string) (Applied, error) {
	return call[Applied](ctx, c, http.MethodDelete, "/v1/load-balancers/"+url.PathEscape(name), nil)
}

// LoadBalancers lists the load balancers by name.
func (c *Client) LoadBalancers(ctx context.Context) ([]LoadBalancer, error) {
	return call[[]LoadBalancer](ctx, c, http.MethodGet, "/v1/load-balancers", nil)
}

// DNS says which nodes of a load balancer belong in the answers for its name.
func (c *Client) DNS(ctx context.Context, lb string) (DNS, error) {
	return call[DNS](ctx, c, http.MethodGet, balancerPath(lb)+"/dns", nil)
}

// TargetHealth returns the health of a load balancer's targets as each of its
// nodes sees it.
func (c *Client) TargetHealth(ctx context.Context, lb string) ([]NodeTargetHealth, error) {
	return call[[]NodeTargetHealth](ctx, c, http.MethodGet, balancerPath(lb)+"/target-health", nil)
}

// TargetGroups lists the named target groups of a load balancer.
func (c *Client) TargetGroups(ctx context.Context, lb string) ([]targets.Group, error) {
	return call[[]targets.Group](ctx, c, http.MethodGet, balancerPath(lb)+"/target-groups", nil)
}

// PutTargetGroup makes a named target group of a load balancer, or changes it.
func (c *Client) PutTargetGroup(ctx context.Context, lb string, g targets.Group) (Applied, error) {
	return call[Applied](ctx, c, http.MethodPut, groupPath(lb, g.Name), g)
}

// DeleteTargetGroup removes a target group that no rule forwards to.
func (c *Client) DeleteTargetGroup(ctx context.Context, lb, group string) (Applied, error) {
	return call[Applied](ctx, c, http.MethodDelete, groupPath(lb, group), nil)
}

// RegisterTarget registers a target with a named group, or changes its zone or what
// a built-in one does.
func (c *Client) RegisterTarget(ctx context.Context, lb, group string, t targets.Target) (Applied, error) {
	return call[Applied](ctx, c, http.MethodPut, groupPath(lb, group)+"/targets", t)
}

// DeregisterTarget takes a target out of a named group; then it is drained.
func (c *Client) DeregisterTarget(ctx context.Context, lb, group, id string) (Applied, error) {
	return call[Applied](ctx, c, http.MethodDelete, groupPath(lb, group)+"/targets/"+url.PathEscape(id), nil)
}

func balancerPath(lb string) string { return "/v1/load-balancers/" + url.PathEscape(lb) }

func groupPath(lb, group string) string {
	return balancerPath(lb) + "/target-groups/" + url.PathEscape(group)
}

// PutDefaultCertificate sets the names in the certificate for clients that send no SNI,
// on nodes whose load balancer has no certificates of its own.
func (c *Client) PutDefaultCertificate(ctx context.Context, names ...string) (Applied, error) {
	if names == nil {
		names = []string{}
	}
	return call[Applied](ctx, c, http.MethodPut, "/v1/default-certificate", DefaultCertificate{Names: names})
}

// PutNode brings an address up, or moves it to another load balancer or zone.
func (c *Client) PutNode(ctx context.Context, n Node) (Applied, error) {
	n.Fault = "" // so that what Nodes returned can be put again
	return call[Applied](ctx, c, http.MethodPut, "/v1/nodes/"+n.Addr.String(), n)
}

// DeleteNode takes an address away. The peers of its connections are not told.
func (c *Client) DeleteNode(ctx context.Context, addr netip.Addr) (Applied, error) {
	return call[Applied](ctx, c, http.MethodDelete, "/v1/nodes/"+addr.String(), nil)
}

// Nodes lists the nodes by address.
func (c *Client) Nodes(ctx context.Context) ([]Node, error) {
	return call[[]Node](ctx, c, http.MethodGet, "/v1/nodes", nil)
}

// Targets returns the health of the targets of a target group as one node sees it.
func (c *Client) Targets(ctx context.Context, node netip.Addr) ([]targets.Health, error) {
	return call[[]targets.Health](ctx, c, http.MethodGet, "/v1/nodes/"+node.String()+"/targets", nil)
}

// SetFault puts a fault in force on nodes, all in one step. FaultNone lifts what
// was there.
func (c *Client) SetFault(ctx context.Context, kind FaultKind, nodes ...netip.Addr) (Applied, error) {
	return c.PutFaults(ctx, FaultRequest{Nodes: nodes, FaultSetting: FaultSetting{Kind: kind}})
}

// PutFaults is SetFault with every setting there is.
func (c *Client) PutFaults(ctx context.Context, f FaultRequest) (Applied, error) {
	return call[Applied](ctx, c, http.MethodPut, "/v1/faults", f)
}

// Reset goes back to the server's configuration, with empty records and history.
func (c *Client) Reset(ctx context.Context) (Applied, error) {
	return call[Applied](ctx, c, http.MethodPost, "/v1/reset", nil)
}

// History returns every change since the start or the last reset.
func (c *Client) History(ctx context.Context) ([]Event, error) {
	return call[[]Event](ctx, c, http.MethodGet, "/v1/history", nil)
}

// Events calls handle with every change since the start or the last reset, and
// then with each new one, until ctx ends or handle returns an error, which it
// returns.
func (c *Client) Events(ctx context.Context, handle func(Event) error) error {
	body, err := c.do(ctx, http.MethodGet, "/v1/events", nil)
	if err != nil {
		return err
	}
	defer body.Close()
	for dec := json.NewDecoder(body); ; {
		var e Event
		if err := dec.Decode(&e); err != nil {
			return fmt.Errorf("follow the events: %w", err)
		}
		if err := handle(e); err != nil {
			return err
		}
	}
}

// Version says what answers.
func (c *Client) Version(ctx context.Context) (Version, error) {
	return call[Version](ctx, c, http.MethodGet, "/v1/version", nil)
}

// Status says how the server runs and how much it recorded.
func (c *Client) Status(ctx context.Context) (Status, error) {
	return call[Status](ctx, c, http.MethodGet, "/v1/status", nil)
}

// CA returns the certificate of the server's authority as PEM.
func (c *Client) CA(ctx context.Context) ([]byte, error) {
	body, err := c.do(ctx, http.MethodGet, "/v1/ca", nil)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	return io.ReadAll(body)
}

// Attempts returns every request recorded so far, in the order they began.
func (c *Client) Attempts(ctx context.Context) ([]record.Attempt, error) {
	return rows[record.Attempt](ctx, c, "attempts")
}

// Connections returns every connection recorded so far, in the order they opened.
func (c *Client) Connections(ctx context.Context) ([]record.Connection, error) {
	return rows[record.Connection](ctx, c, "connections")
}

// Packets returns every packet recorded so far, in the order they were decoded.
func (c *Client) Packets(ctx context.Context) ([]record.Packet, error) {
	return rows[record.Packet](ctx, c, "packets")
}

// Checks returns every health check of a server so far, in the order they ended.
func (c *Client) Checks(ctx context.Context) ([]record.Check, error) {
	return rows[record.Check](ctx, c, "checks")
}

func rows[T any](ctx context.Context, c *Client, kind string) ([]T, error) {
	body, err := c.do(ctx, http.MethodGet, "/v1/records/"+kind, nil)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	list, err := record.Read[T](body)
	if err != nil {
		return nil, fmt.Errorf("get the recorded %s: %w", kind, err)
	}
	return list, nil
}

func call[T any](ctx context.Context, c *Client, method, path string, in any) (T, error) {
	var out T
	body, err := c.do(ctx, method, path, in)
	if err != nil {
		return out, err
	}
	defer body.Close()
	if err := json.NewDecoder(body).Decode(&out); err != nil {
		return out, fmt.Errorf("read the answer to %s %s: %w", method, path, err)
	}
	_, _ = io.Copy(io.Discard, body) // to its end, so that the connection is used again
	return out, nil
}

// do sends a request and returns the body of an answer of status 200.
func (c *Client) do(ctx context.Context, method, path string, in any) (io.ReadCloser, error) {
	var payload io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return nil, fmt.Errorf("%s %s: %w", method, path, err)
		}
		payload = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, payload)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", method, path, err)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("fakealb control API: %w", err)
	}
	if resp.StatusCode == http.StatusOK {
		return resp.Body, nil
	}
	defer resp.Body.Close()
	if refused := control.Refusal(resp); refused != nil {
		return nil, fmt.Errorf("%s %s: %w", method, path, refused)
	}
	return nil, fmt.Errorf("%s %s: got status %s and no error of this API: is %s fakealb's control API?", method, path, resp.Status, c.base)
}
