package load

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"

	"golang.org/x/net/http/httpguts"

	"github.com/proxychaos/proxychaos/harness/recording"
)

// transport sends to one proxy, or to the load balancer in front of it, over HTTP/1.1 as an
// ALB does.
func transport(way recording.Way) *http.Transport {
	return &http.Transport{
		DialContext:        dialer(way),
		DisableCompression: true, // the proxy gets the request as written here
		TLSClientConfig: &tls.Config{
			ServerName: recording.Hostname(way.Host),
			// Like an ALB, which takes any certificate of its targets (aws-facts 2.3).
			InsecureSkipVerify: true, //nolint:gosec // a test is not kept from a proxy by its certificate
		},
	}
}

// turn counts the connections to load balancers in front, in the whole process.
var turn atomic.Uint64

// dialer connects to each node in front in turn, as clients do that were given the addresses
// in another order each; nil, which stands for the target itself, if there is none.
func dialer(way recording.Way) func(ctx context.Context, network, address string) (net.Conn, error) {
	if len(way.Front) == 0 {
		return nil
	}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		_, port, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		node := way.Front[turn.Add(1)%uint64(len(way.Front))]
		// Most programs send no TCP keepalives, with which a Network Load Balancer would hold
		// an idle connection to be in use (aws-facts 4.2).
		return (&net.Dialer{KeepAlive: -1}).DialContext(ctx, network, net.JoinHostPort(node.String(), port))
	}
}

// get makes one request for a path with its query. Client is the number of the client
// that it is sent for.
func get(ctx context.Context, way recording.Way, path string, client uint64) (*http.Request, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, way.Target+path, http.NoBody) //nolint:gosec // whoever calls a load agent says where to
	if err != nil {
		return nil, err
	}
	request.Host = way.Host
	request.Header.Set(recording.ForwardedFor, recording.Client(client).String())
	for name, value := range way.Headers {
		request.Header.Set(name, value)
	}
	return request, nil
}

// aside numbers the requests that are no part of an attack, in the whole process, so that
// no two of them have the same URL either.
var aside atomic.Uint64

// unnumbered gives the next of them, as it stands in the query, and the number of its client.
func unnumbered() (number string, client uint64) {
	n := aside.Add(1)
	return "x" + strconv.FormatUint(n, 10), n
}

// validateWay says which field of a way is wrong, and why.
func validateWay(way recording.Way) error {
	u, err := url.Parse(way.Target)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.Path != "" || u.RawQuery != "" || u.User != nil {
		return invalid("target", "got %q, want http://<host>:<port> or https://<host>:<port> and nothing after it", way.Target)
	}
	if strings.ContainsAny(way.Host, " \t\r\n/") || way.Host == "" {
		return invalid("host", "got %q, want a Host header: <name> or <name>:<port>", way.Host)
	}
	if len(way.Paths) == 0 {
		return invalid("paths", "got none, want one or more")
	}
	for _, path := range way.Paths {
		if !strings.HasPrefix(path, "/") {
			return invalid("paths", "got %q, want a path that starts with /", path)
		}
		if _, err := http.NewRequestWithContext(context.Background(), http.MethodGet, way.Target+path, http.NoBody); err != nil {
			return invalid("paths", "got %q: %v", path, err)
		}
	}
	for name, value := range way.Headers {
		if err := CheckHeader(name, value); err != nil {
			return invalid("headers", "%v", err)
		}
	}
	return nil
}

// reserved are the headers that requests have by themselves, and why.
var reserved = map[string]string{
	"Host":              "HOST_HEADER= is for it",
	"Connection":        "the load keeps connections, and closes them by itself",
	"Content-Length":    "it follows from the body",
	"Transfer-Encoding": "it follows from the body",
	"Accept-Encoding":   "answers are read as they come",
	SeqHeader:           "requests are told apart by it",
	HoldHeader:          "the warm-up has nodes wait with it",
}

// CheckHeader says what is wrong with a header of a Way.
func CheckHeader(name, value string) error {
	name = http.CanonicalHeaderKey(name)
	if why, is := reserved[name]; is {
		return fmt.Errorf("%s cannot be given: %s", name, why)
	}
	if !httpguts.ValidHeaderFieldName(name) || !httpguts.ValidHeaderFieldValue(value) {
		return fmt.Errorf("got %q with the value %q, want the name of a header and its value", name, value)
	}
	return nil
}
