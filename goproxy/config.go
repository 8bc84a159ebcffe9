package goproxy

import (
	"fmt"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
)

// Config is one proxy. A zero field takes the default named at it; the least
// config has one route and one upstream.
type Config struct {
	// Listen is the address to accept HTTP on (default ":8080"). "0.0.0.0:8080" is
	// IPv4 alone, "[::]:8080" is IPv6 alone.
	Listen string `yaml:"listen"`
	// Resolvers are DNS servers, "10.0.0.2" or "10.0.0.2:53" (default: those
	// of /etc/resolv.conf).
	Resolvers []string `yaml:"resolvers"`
	// AccessLog is "stdout" (default), "stderr", "off" or a file that is
	// appended to. One JSON object a request.
	AccessLog string `yaml:"access_log"`
	// TLS is a second listener, for HTTPS and HTTP/2.
	TLS *ListenTLS `yaml:"tls"`
	// H2C takes HTTP/2 without TLS too, from clients that begin with it (prior
	// knowledge).
	H2C bool `yaml:"h2c"`
	// TrustedProxies are networks, or addresses, of proxies in front of this one.
	// What they say in X-Forwarded-For, -Host and -Proto is believed; what
	// others say in X-Forwarded-* goes no further. Without the list X-Forwarded-For is appended
	// to whoever sent it, and the client is who connects.
	TrustedProxies []string `yaml:"trusted_proxies"`
	// ProxyProtocol makes every connection from TrustedProxies begin with the
	// PROXY protocol, version 1 or 2. Of a connection whose header names no client
	// (UNKNOWN, LOCAL, an unspecified family, a Unix socket) the address is its own, the
	// proxy's, and nothing that comes on it in X-Forwarded-* is believed.
	ProxyProtocol bool `yaml:"proxy_protocol"`
	// Clients bounds what a client may take.
	Clients Clients `yaml:"clients"`
	// Admin is the address for metrics, state and switches ("127.0.0.1:9901");
	// "" is none. ":9901" is loopback too: other machines reach it only where
	// the address says so, such as "0.0.0.0:9901". It asks for no password.
	Admin string `yaml:"admin"`
	// Traces sends a span for each request to an OpenTelemetry collector; none
	// without it.
	Traces *Traces `yaml:"traces"`
	// DrainTimeout bounds how long running requests may take after the proxy
	// was told to stop (default 30s).
	DrainTimeout Duration `yaml:"drain_timeout"`
	// Routes choose the upstream of a request. The most exact host wins, then
	// the longest path.
	Routes []Route `yaml:"routes"`
	// Upstreams by name.
	Upstreams map[string]Upstream `yaml:"upstreams"`
}

// Clients bounds what a client may take of the proxy.
type Clients struct {
	// HeaderTimeout is the time from the first byte of a request to the end of
	// its header, and for the TLS handshake (default 10s).
	HeaderTimeout Duration `yaml:"header_timeout"`
	// BodyTimeout is the longest silence inside a request body (default 60s).
	BodyTimeout Duration `yaml:"body_timeout"`
	// SendTimeout is how long a client may take nothing of its response
	// (default 60s).
	SendTimeout Duration `yaml:"send_timeout"`
	// IdleTimeout closes a connection on which no request comes (default 75s).
	IdleTimeout Duration `yaml:"idle_timeout"`
	// MaxConnections that are open at a time; more are closed at once (default
	// 0: no limit).
	MaxConnections int `yaml:"max_connections"`
}

// Traces is where spans go. A client's traceparent is continued, and passed on.
type Traces struct {
	// Endpoint takes OTLP over HTTP: "http://127.0.0.1:4318".
	Endpoint string `yaml:"endpoint"`
	// SamplePercent of the requests that begin a trace here (default 100). Who
	// comes with a traceparent has decided already.
	SamplePercent int `yaml:"sample_percent"`
}

// Route sends matching requests to an upstream.
type Route struct {
	// Host matches the request's host without port: "www.example.com",
	// "*.example.com" (any depth), or "" for every host.
	Host string `yaml:"host"`
	// Path matches whole segments at the start of the path: "/api" matches
	// /api and /api/x, not /apix. "" matches all. The request's path is seen
	// decoded and without dot segments, double slashes and parameters (";x=1").
	Path string `yaml:"path"`
	// PathRegex stands in place of Path: a regular expression (RE2) that the
	// path must match, anchored only where it says so. It sees the path as the
	// client sent it, but with no encoding where none is needed and without
	// dot segments, double slashes and parameters: "^/users/([0-9]+)$".
	PathRegex string `yaml:"path_regex"`
	// Upstream is a name in Config.Upstreams.
	Upstream string `yaml:"upstream"`
	// Status stands in place of Upstream: 400 to 599, which the proxy answers
	// by itself. It closes a path. With PathRegex, it is answered too if the
	// expression matches the path decoded, also with its parameters and slashes, and
	// "." and "$" match line ends, so that no way of writing a path leads around it.
	Status int `yaml:"status"`
	// PreserveHost passes the client's Host header on instead of the host of
	// the upstream's url.
	PreserveHost bool `yaml:"preserve_host"`
	// RewritePath replaces Path at the start of the path ("" leaves it). What
	// the upstream then says in Location, Content-Location, Refresh and the
	// path of cookies is translated back. With PathRegex it is the whole new
	// path, in which $1 to $9 are the groups of the match; only hosts can be
	// translated back then. The query string is left as it is, so none stands here.
	RewritePath string `yaml:"rewrite_path"`
	// Headers are changed on the way.
	Headers Headers `yaml:"headers"`
}

// Headers are changes to requests and responses.
type Headers struct {
	Request  HeaderChange `yaml:"request"`
	Response HeaderChange `yaml:"response"`
}

// HeaderChange removes headers, then sets some, then adds some to those of the
// same name. Values may have variables, such as "%{client_ip}"; a header whose
// value comes out empty, or with a control character, is left out. Remove and Set
// also take names away that differ in what is no letter and no digit only, such as
// X_Real_IP, and fields of these names in a trailer or an informational response.
type HeaderChange struct {
	Remove []string          `yaml:"remove"`
	Set    map[string]string `yaml:"set"`
	Add    map[string]string `yaml:"add"`
}

// ListenTLS is the listener for HTTPS.
type ListenTLS struct {
	// Listen is the address (default ":8443").
	Listen string `yaml:"listen"`
	// Certificates are chosen by SNI; the first one is for unknown names.
	Certificates []Certificate `yaml:"certificates"`
	// ClientCA is a PEM file of authorities. Every client must then show a
	// certificate of theirs; %{client_subject} is whose it is.
	ClientCA string `yaml:"client_ca"`
}

// Certificate is a pair of PEM files, read again on reload.
type Certificate struct {
	Cert string `yaml:"cert"`
	Key  string `yaml:"key"`
}

// Duration is a time.Duration that is written "1s", "250ms" or "off".
type Duration time.Duration

// Off switches off what a Duration times. Zero means the default instead.
const Off Duration = -1

// UnmarshalYAML reads "1s", "250ms" or "off".
func (d *Duration) UnmarshalYAML(node ast.Node) error {
	text := node.GetToken().Value
	if text == "off" {
		*d = Off
		return nil
	}
	v, err := time.ParseDuration(text)
	if err != nil || v <= 0 {
		return &yaml.SyntaxError{
			Message: fmt.Sprintf("%q is no duration: want a positive number with a unit, such as 250ms or 1s", text),
			Token:   node.GetToken(),
		}
	}
	*d = Duration(v)
	return nil
}

// or returns d as a time.Duration, or the default where d is zero.
func (d Duration) or(value time.Duration) time.Duration {
	if d == 0 {
		return value
	}
	return time.Duration(d)
}

// MarshalYAML writes what UnmarshalYAML reads.
func (d Duration) MarshalYAML() ([]byte, error) { return []byte(d.String()), nil }

// String is the form that UnmarshalYAML reads.
func (d Duration) String() string {
	if d == Off {
		return "off"
	}
	return time.Duration(d).String()
}
