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
	// Listen is the address to accept HTTP on (default ":8080").
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
	// What they say in X-Forwarded-For, -Host and -Proto is believed; others
	// cannot say anything there. Without the list X-Forwarded-For is appended
	// to whoever sent it, and the client is who connects.
	TrustedProxies []string `yaml:"trusted_proxies"`
	// ProxyProtocol makes every connection from TrustedProxies begin with the
	// PROXY protocol, version 1 or 2.
	ProxyProtocol bool `yaml:"proxy_protocol"`
	// Clients bounds what a client may take.
	Clients Clients `yaml:"clients"`
	// Admin is a loopback address for metrics and state ("127.0.0.1:9901");
	// "" is none.
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
	// /api and /api/x, not /apix. "" matches all.
	Path string `yaml:"path"`
	// PathRegex stands in place of Path: a regular expression (RE2) that the
	// path must match, anchored only where it says so. It sees the path as the
	// client sent it, but with no encoding where none is needed and without
	// dot segments: "^/users/([0-9]+)$".
	PathRegex string `yaml:"path_regex"`
	// Upstream is a name in Config.Upstreams.
	Upstream string `yaml:"upstream"`
	// PreserveHost passes the client's Host header on instead of the host of
	// the upstream's url.
	PreserveHost bool `yaml:"preserve_host"`
	// RewritePath replaces Path at the start of the path ("" leaves it). What
	// the upstream then says in Location, Content-Location, Refresh and the
	// path of cookies is translated back. With PathRegex it is the whole new
	// path, in which $1 to $9 are the groups of the match; only hosts can be
	// translated back then. The query string stays as it is.
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
// value comes out empty is left out.
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
}

// Certificate is a pair of PEM files, read again on reload.
type Certificate struct {
	Cert string `yaml:"cert"`
	Key  string `yaml:"key"`
}

// Upstream is a backend known by name.
type Upstream struct {
	// URL is scheme, host and port, such as "http://backend.example.com:8080".
	// The host may be an IP address; "localhost" is 127.0.0.1.
	URL string `yaml:"url"`
	// Members stand in place of URL where there is more than one.
	Members []Member `yaml:"members"`
	// Balance is how an address is chosen: "leastconn" (default: the less busy
	// of two drawn at random), "byrequests", "bytraffic", "bybusyness" or
	// "hash". Each follows the load factors.
	Balance string `yaml:"balance"`
	// HashKey is what "hash" maps to an address, in the variables of headers:
	// "%{client_ip}", "%{cookie:JSESSIONID}". A request without a value is
	// balanced as by leastconn.
	HashKey string `yaml:"hash_key"`
	// SlowStart is the time in which an address that is new, or was left out,
	// comes to its full share, evenly (default off).
	SlowStart Duration `yaml:"slow_start"`
	// StickySession names the cookie, and after a "|" the path parameter, in
	// which a session says its route after the first dot, as in
	// "JSESSIONID|jsessionid".
	StickySession string `yaml:"stickysession"`
	// SetRouteCookie makes the proxy set that cookie to ".route" itself.
	SetRouteCookie bool `yaml:"set_route_cookie"`
	// NoFailover fails a session whose member is away rather than send it to
	// another one.
	NoFailover bool `yaml:"nofailover"`
	// FailOnStatus are response statuses that take an address out of balancing
	// for a while; a request that can be repeated is sent to another one.
	FailOnStatus []int `yaml:"failonstatus"`
	// HealthCheck asks every address by itself whether it is well; without one
	// only requests show it.
	HealthCheck *HealthCheck `yaml:"health_check"`
	// Ejection leaves out addresses that failed requests.
	Ejection Ejection `yaml:"ejection"`
	// PanicPercent makes the proxy use every address, well or not, while fewer
	// than this share are healthy (default 0: while none is, as an ALB).
	PanicPercent int `yaml:"panic_percent"`
	// Protocol is "http1" (default), "h2" (HTTP/2, for https urls) or "h2c"
	// (HTTP/2 without TLS, for http urls).
	Protocol string `yaml:"protocol"`
	// ProxyProtocol is "v1" or "v2" to tell the upstream of each client with the
	// PROXY protocol. Every request then has a connection of its own, since
	// such a connection is one client's.
	ProxyProtocol string `yaml:"proxy_protocol"`
	// TLS is how an https url is spoken to.
	TLS UpstreamTLS `yaml:"tls"`
	// Resolvers replace Config.Resolvers for this upstream.
	Resolvers []string `yaml:"resolvers"`
	// DNS says how the name is followed.
	DNS DNS `yaml:"dns"`
	// Timeouts of one attempt.
	Timeouts Timeouts `yaml:"timeouts"`
	// Retries says when a request is sent again.
	Retries Retries `yaml:"retries"`
	// Pool of connections to each address.
	Pool Pool `yaml:"pool"`
}

// Member is one backend of several.
type Member struct {
	// URL as in Upstream.
	URL string `yaml:"url"`
	// LoadFactor is the member's share of the requests (default 1).
	LoadFactor int `yaml:"loadfactor"`
	// Route is the member's name in sessions: letters, digits, - and _.
	Route string `yaml:"route"`
	// Backup makes the member a hot spare: it is used while every other one is
	// left out or disabled.
	Backup bool `yaml:"backup"`
}

// HealthCheck is a GET to each address. An address is well until its checks
// say otherwise.
type HealthCheck struct {
	// Path is asked for, with a query or without: "/health".
	Path string `yaml:"path"`
	// Interval from one check to the next (default 5s); a check that takes
	// longer delays the next one.
	Interval Duration `yaml:"interval"`
	// Timeout of one check, connect included (default 2s).
	Timeout Duration `yaml:"timeout"`
	// Status is what a healthy address answers: "200", "200-399" (default),
	// "200,204".
	Status string `yaml:"status"`
	// HealthyThreshold and UnhealthyThreshold are the checks in a row that
	// change the state (defaults 2 and 3).
	HealthyThreshold   int `yaml:"healthy_threshold"`
	UnhealthyThreshold int `yaml:"unhealthy_threshold"`
}

// Ejection leaves an address out of balancing after a failed connect, no
// response on a fresh connection, silence, or a status of FailOnStatus.
type Ejection struct {
	// Retry is how long it is left out the first time; each further failure
	// doubles that (default 1s).
	Retry Duration `yaml:"retry"`
	// RetryMax is the longest time (default 30s).
	RetryMax Duration `yaml:"retry_max"`
	// MaxPercent of an upstream's addresses may be left out at a time, but
	// always one (default 100).
	MaxPercent int `yaml:"max_percent"`
}

// UpstreamTLS is how an https url is spoken to. Certificates are verified.
type UpstreamTLS struct {
	// CA is a PEM file to trust instead of the system's.
	CA string `yaml:"ca"`
	// ServerName is sent as SNI and verified (default: the url's host).
	ServerName string `yaml:"server_name"`
	// Cert and Key are PEM files, for an upstream that asks for a client
	// certificate.
	Cert string `yaml:"cert"`
	Key  string `yaml:"key"`
	// InsecureSkipVerify accepts any certificate, as an ALB does.
	InsecureSkipVerify bool `yaml:"insecure_skip_verify"`
}

// DNS says how a name is followed.
type DNS struct {
	// TTLMin and TTLMax bound the time between questions (defaults 1s and 60s).
	TTLMin Duration `yaml:"ttl_min"`
	TTLMax Duration `yaml:"ttl_max"`
	// Timeout of one question over all resolvers (default 2s).
	Timeout Duration `yaml:"timeout"`
	// Family is "auto" (default: IPv6 where this machine has a route), "ipv4",
	// "ipv6" or "both".
	Family string `yaml:"family"`
}

// Timeouts of one attempt at one address.
type Timeouts struct {
	// Connect covers TCP and, apart from it, TLS (default 1s each).
	Connect Duration `yaml:"connect"`
	// Response is the longest wait for the response header, over all attempts
	// (default 60s). The client then gets 504.
	Response Duration `yaml:"response"`
	// Body is the longest silence inside a response body (default 60s, "off"
	// for streams that may be silent longer). Upgraded connections have none.
	Body Duration `yaml:"body"`
}

// Retries says when a request is sent again.
type Retries struct {
	// Attempts is how often one request may be sent in all (default 5, least
	// 1). Tries that never reached an address do not count, hedges neither.
	Attempts int `yaml:"attempts"`
	// Window is how long after its start a request may still be tried again
	// (default 2500ms). It bridges an upstream that is away for a moment.
	Window Duration `yaml:"window"`
	// HedgeAfter is the silence after which a request that can be repeated is
	// also sent to another address (default 500ms, "off" for never).
	HedgeAfter Duration `yaml:"hedge_after"`
	// BudgetPercent bounds repeats of requests that had been sent to an
	// address that is alive, as a share of all requests (default 20).
	BudgetPercent int `yaml:"budget_percent"`
}

// Pool of connections to each address. All but IdleTimeout is for protocol
// http1.
type Pool struct {
	// Max connections are open to one address at a time (default 0: no limit).
	Max int `yaml:"max"`
	// Acquire is how long a request waits for one of them (default 1s). It then
	// goes to another address; where there is none, the client gets 503.
	Acquire Duration `yaml:"acquire"`
	// SMax idle connections are kept for IdleTimeout; more than that are closed
	// when they were not used for TTL (default: no difference).
	SMax int      `yaml:"smax"`
	TTL  Duration `yaml:"ttl"`
	// MaxAge is how long a connection is used at all (default off). A request
	// on it ends first.
	MaxAge Duration `yaml:"max_age"`
	// MaxIdle connections are kept open to one address (default 512).
	MaxIdle int `yaml:"max_idle"`
	// IdleTimeout closes a connection that was not used for so long (default
	// 45s, below the 60s of an ALB, so that the proxy closes first).
	IdleTimeout Duration `yaml:"idle_timeout"`
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

// The values of Upstream.Protocol.
const (
	protocolHTTP1 = "http1"
	protocolH2    = "h2"
	protocolH2C   = "h2c"
)

// withDefaults fills the zero fields.
func (u Upstream) withDefaults() Upstream {
	if len(u.Members) == 0 {
		u.Members = []Member{{URL: u.URL}}
	}
	if u.Balance == "" {
		u.Balance = leastConn
	}
	if u.Protocol == "" {
		u.Protocol = protocolHTTP1
	}
	u.DNS.TTLMin = Duration(u.DNS.TTLMin.or(time.Second))
	u.DNS.TTLMax = Duration(u.DNS.TTLMax.or(60 * time.Second))
	u.DNS.Timeout = Duration(u.DNS.Timeout.or(2 * time.Second))
	u.Timeouts.Connect = Duration(u.Timeouts.Connect.or(time.Second))
	u.Timeouts.Response = Duration(u.Timeouts.Response.or(60 * time.Second))
	u.Timeouts.Body = Duration(u.Timeouts.Body.or(60 * time.Second))
	u.Retries.Window = Duration(u.Retries.Window.or(2500 * time.Millisecond))
	u.Retries.HedgeAfter = Duration(u.Retries.HedgeAfter.or(500 * time.Millisecond))
	if u.Retries.Attempts == 0 {
		u.Retries.Attempts = 5
	}
	if u.Retries.BudgetPercent == 0 {
		u.Retries.BudgetPercent = 20
	}
	u.Ejection.Retry = Duration(u.Ejection.Retry.or(time.Second))
	u.Ejection.RetryMax = Duration(u.Ejection.RetryMax.or(max(30*time.Second, time.Duration(u.Ejection.Retry))))
	if u.Ejection.MaxPercent == 0 {
		u.Ejection.MaxPercent = 100
	}
	if u.HealthCheck != nil {
		u.HealthCheck = u.HealthCheck.withDefaults()
	}
	if u.Pool.MaxIdle == 0 {
		u.Pool.MaxIdle = 512
	}
	u.Pool.Acquire = Duration(u.Pool.Acquire.or(time.Second))
	u.Pool.IdleTimeout = Duration(u.Pool.IdleTimeout.or(45 * time.Second))
	return u
}

func (h *HealthCheck) withDefaults() *HealthCheck {
	full := *h
	full.Interval = Duration(h.Interval.or(5 * time.Second))
	full.Timeout = Duration(h.Timeout.or(2 * time.Second))
	if h.Status == "" {
		full.Status = "200-399"
	}
	if h.HealthyThreshold == 0 {
		full.HealthyThreshold = 2
	}
	if h.UnhealthyThreshold == 0 {
		full.UnhealthyThreshold = 3
	}
	return &full
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
