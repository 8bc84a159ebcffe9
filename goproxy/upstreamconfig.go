package goproxy

import (
	"net/http"
	"time"
)

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
	// gradually gets its full share (default off).
	SlowStart Duration `yaml:"slow_start"`
	// StickySession names the cookie, and after a "|" the path parameter, in
	// which a session says its route after the first dot, as in
	// "JSESSIONID|jsessionid".
	StickySession string `yaml:"stickysession"`
	// SetRouteCookie makes the proxy set that cookie to "RANDOM.route" itself.
	SetRouteCookie bool `yaml:"set_route_cookie"`
	// SessionIdle is how long after its last request, at least, a session is still one of
	// its member's. A member that drains, or is a spare that is not needed, then gets requests
	// of its sessions only: of those that it has answered through this proxy. "off" (the
	// default) takes every session that names it for its own, as Apache and HAProxy do: for
	// several proxies that share sessions.
	SessionIdle Duration `yaml:"session_idle"`
	// NoFailover fails a session whose member is away rather than send it to
	// another one.
	NoFailover bool `yaml:"nofailover"`
	// FailOnStatus are response statuses that take an address out of balancing
	// for a while; a request that can be repeated is sent to another one. If that gives
	// such a status too, neither is taken out: it is the request that brings it about.
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

// Ejection leaves an address out of balancing after a failed connect, no response on a
// fresh connection to a request that another address answered, no response to two
// requests in a row, or a status of FailOnStatus.
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
	// HoldFailed is how long the last good addresses stay while DNS fails:
	// SERVFAIL, REFUSED, silence, garbage. HoldAbsent is the same while it says
	// that there are none: NXDOMAIN, NODATA. Both count from the last good
	// answer (default off: for as long as it takes).
	HoldFailed Duration `yaml:"hold_failed"`
	HoldAbsent Duration `yaml:"hold_absent"`
	// Family is "auto" (default: IPv6 where this machine has a route), "ipv4",
	// "ipv6" or "both".
	Family string `yaml:"family"`
}

// Timeouts of one attempt at one address.
type Timeouts struct {
	// Connect covers TCP (default 1s).
	Connect Duration `yaml:"connect"`
	// TLS covers the handshake after it (default: as Connect).
	TLS Duration `yaml:"tls"`
	// Response is the longest wait for the response header, over all attempts
	// (default 60s). The client then gets 504.
	Response Duration `yaml:"response"`
	// Body is the longest silence inside a response body (default 60s, "off"
	// for streams that may be silent longer).
	Body Duration `yaml:"body"`
	// Tunnel is how long no byte may pass on an upgraded connection, either way
	// (default 1h, or "off").
	Tunnel Duration `yaml:"tunnel"`
}

// Retries says when a request is sent again.
type Retries struct {
	// Attempts is how often one request may be sent in all (default 5, least
	// 1). Tries that never reached an address do not count, hedges neither.
	Attempts int `yaml:"attempts"`
	// Window is how long after its start a request may still be tried again
	// (default 10s: few users wait longer). It bridges an upstream that is away for a
	// moment. Timeouts.Response ends it sooner.
	Window Duration `yaml:"window"`
	// MaxWaiting is how many requests may wait at a time because no address of the
	// upstream can be reached (default 5000). Each may keep a body of 64 KiB. Further ones
	// fail at once.
	MaxWaiting int `yaml:"max_waiting"`
	// HedgeAfter is the silence after which a request of HedgeMethods is also
	// sent to another address (default 500ms, "off" for never). It counts from
	// the end of the request's body.
	HedgeAfter Duration `yaml:"hedge_after"`
	// HedgeMethods are those of which a second copy may be on its way while the
	// first is waited for, because its address is silent or has left DNS
	// (default GET, HEAD and OPTIONS). PUT and DELETE may be added: the upstream
	// can then carry out an old copy after a newer request.
	HedgeMethods []string `yaml:"hedge_methods"`
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
	u.SessionIdle = Duration(u.SessionIdle.or(time.Duration(Off)))
	u.DNS.TTLMin = Duration(u.DNS.TTLMin.or(time.Second))
	u.DNS.TTLMax = Duration(u.DNS.TTLMax.or(60 * time.Second))
	u.DNS.Timeout = Duration(u.DNS.Timeout.or(2 * time.Second))
	u.Timeouts.Connect = Duration(u.Timeouts.Connect.or(time.Second))
	u.Timeouts.TLS = Duration(u.Timeouts.TLS.or(time.Duration(u.Timeouts.Connect)))
	u.Timeouts.Response = Duration(u.Timeouts.Response.or(60 * time.Second))
	u.Timeouts.Body = Duration(u.Timeouts.Body.or(60 * time.Second))
	u.Timeouts.Tunnel = Duration(u.Timeouts.Tunnel.or(time.Hour))
	u.Retries.Window = Duration(u.Retries.Window.or(10 * time.Second))
	if u.Retries.MaxWaiting == 0 {
		u.Retries.MaxWaiting = 5000
	}
	u.Retries.HedgeAfter = Duration(u.Retries.HedgeAfter.or(500 * time.Millisecond))
	if u.Retries.HedgeMethods == nil {
		u.Retries.HedgeMethods = []string{http.MethodGet, http.MethodHead, http.MethodOptions}
	}
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
