// Package judge turns a recording into a verdict and its findings. It reads
// only the recording, so a stored run can be judged again, and it imports
// neither Ginkgo nor anything of containers.
package judge

import (
	"net/netip"

	"github.com/proxychaos/proxychaos/harness/recording"
)

// Results of a verdict.
const (
	Pass = "pass"
	Fail = "fail"
	// Unproven: a fault did not take hold, a worker of the proxy was cold, or
	// the load was late, so the run does not count. It is red.
	Unproven = "unproven"
)

// Verdict is what the judge makes of one recording.
type Verdict struct {
	Schema  int      `json:"schema"`
	Result  string   `json:"result"`
	Reasons []string `json:"reasons"` // why, most telling first; one line each

	Sent   int `json:"sent"`
	Failed int `json:"failed"`
	// Unavoidable are the failed POSTs that had been sent, once, to a node that died with
	// them and was not stale: if they were sent again, they might be carried out twice. Those
	// of WithoutNode are not among them.
	Unavoidable int `json:"failed_unavoidably,omitempty"`
	// WithoutNode are the failed requests that no proxy could have saved: no name in use had
	// a node that served, or the proxy had been restarted while the resolvers failed, and
	// could not know one.
	WithoutNode int `json:"failed_without_node,omitempty"`
	// ByProxy are the failed requests that the proxy answered by itself with a status
	// below 400: a redirect to a status page, a page that it had kept.
	ByProxy int `json:"answered_by_proxy,omitempty"`
	// OfFront are the failed requests that the load balancer in front answered by itself: the
	// proxy gave no answer to it.
	OfFront int `json:"answered_by_front,omitempty"`
	// PostsTwice are POSTs that reached nodes more than once, sub-requests and the 503 of a
	// load balancer without targets left out. None may.
	PostsTwice int `json:"posts_sent_twice,omitempty"`
	// Retries are requests that the proxy sent to nodes again, in the same shape: they hide
	// failures. What a client sent again by itself is left out.
	Retries int `json:"retries,omitempty"`
	// QueriesLost are requests that reached a node without the query that their client had
	// sent. No status shows it.
	QueriesLost int `json:"queries_lost,omitempty"`
	// ClientsLost are requests that reached a node without the address of their client in
	// X-Forwarded-For; 0 if the budget is not about it. No status shows it.
	ClientsLost int `json:"clients_lost,omitempty"`
	// SessionsMoved are the sessions that were moved to another node while their own served.
	SessionsMoved int `json:"sessions_moved,omitempty"`
	// Slow are the requests that were answered later than the budget allows, from the first
	// fault on; 0 if it does not say.
	Slow   int            `json:"slow,omitempty"`
	ByKind map[string]int `json:"failed_by_outcome"` // 502, 503, 504, timeout, connection, wrong-body, proxy-302, ...

	Before Phase `json:"before"` // start of load to the first fault
	During Phase `json:"during"` // from there to the first fault that takes something away
	After  Phase `json:"after"`  // from there to the end

	// FirstFailure is the send time of the first failed request, counted from
	// the first fault; nil when none failed.
	FirstFailure *recording.Seconds `json:"first_failure,omitempty"`
	// Recovery is how long after a fault that took something away the last request
	// before the next such fault failed, by its send time; of several, the longest.
	// Nil if none failed. NeverRecovered says that failures went on to the end of the
	// window (Window, counted from the last such fault).
	Recovery       *recording.Seconds `json:"recovery,omitempty"`
	NeverRecovered bool               `json:"never_recovered"`
	Window         recording.Seconds  `json:"window"`

	// Stale counts requests that the proxy sent to a node that its name had left for
	// more than TTL + Refresh + 1 s; StaleConnects the connection attempts (first SYNs)
	// in that time.
	Stale         int `json:"stale_requests"`
	StaleConnects int `json:"stale_connects"`
	// LastStale is how long a node had been out of its name when the last request went
	// to it, the longest if there were several; nil if none went there after it.
	LastStale *recording.Seconds `json:"last_stale,omitempty"`

	ConnectionsPerRequest float64 `json:"connections_per_request"` // upstream, for each request of a client, before the first fault
	DNSBefore             int     `json:"dns_queries_before"`      // t=0 to the first fault, without probes
	DNSAfter              int     `json:"dns_queries_after"`       // from there to the end, without probes

	// Targets is what a load balancer in front made of the proxies; nil if there is none, or it
	// made no health check.
	Targets *Targets `json:"targets,omitempty"`

	// Shares are those of the nodes, the one that had most first; none if the budget is not about
	// them.
	Shares []Share `json:"shares,omitempty"`
	// Sockets is what became of the WebSockets of clients; nil if they held none.
	Sockets *Sockets `json:"sockets,omitempty"`

	Load     LoadCheck `json:"load"`
	Findings []Finding `json:"findings"`
}

// Share is how much of the requests of clients, 0 to 1, a node got.
type Share struct {
	Node netip.Addr `json:"node"`
	// Asked are the addresses by which the proxy knows it.
	Asked []netip.Addr `json:"asked"`
	// Before is its share before the first fault, After once all nodes served again and the proxy
	// had had its time.
	Before float64 `json:"before"`
	After  float64 `json:"after"`
}

// Sockets is what became of the WebSockets of clients. A client has one at a time, and asks for
// another once it has gone.
type Sockets struct {
	Opened   int `json:"opened"`
	Messages int `json:"messages"` // that came back
	// DeniedEarly were denied before anything failed, DeniedLate when the time that the budget
	// allows after a loss was over, Denied in between.
	DeniedEarly int `json:"denied_early"`
	Denied      int `json:"denied"`
	DeniedLate  int `json:"denied_late"`
	Cut         int `json:"cut"`  // gone while their node served
	Lost        int `json:"lost"` // gone with their node: nobody can save them
	// Without is for how long, at most, a client whose WebSocket had gone had none.
	Without recording.Seconds `json:"without"`
}

// Phase is the figures of one part of the timeline.
type Phase struct {
	From   recording.Seconds `json:"from"`
	To     recording.Seconds `json:"to"`
	Sent   int               `json:"sent"`
	Failed int               `json:"failed"`
	ByKind map[string]int    `json:"failed_by_outcome"`
	// Latency of requests that succeeded, from when each was due: one that was sent late
	// because the machine was busy had to wait as well.
	P50 recording.Seconds `json:"p50"`
	P99 recording.Seconds `json:"p99"`
}

// Targets is what a load balancer in front made of the proxies, which are its targets.
type Targets struct {
	Checks       int `json:"checks"` // health checks
	ChecksFailed int `json:"checks_failed"`
	// HandshakesFailed are TLS handshakes with proxies that were not completed, of
	// checks and of requests.
	HandshakesFailed int `json:"handshakes_failed"`
	// Down is the most proxies that a node considered unhealthy at a time; Back is how often one
	// was healthy again.
	Down int `json:"down"`
	Back int `json:"back"`
	// FailedOpen are the requests of clients for which no proxy was healthy, so that any
	// got them; Served are those of them that were served.
	FailedOpen int `json:"failed_open"`
	Served     int `json:"served_failed_open"`
}

// LoadCheck says whether the load was what was asked for.
type LoadCheck struct {
	Asked       float64           `json:"asked"`        // requests per second
	Offered     float64           `json:"offered"`      // requests per second really sent
	LatenessP50 recording.Seconds `json:"lateness_p50"` // of sends against the schedule
	LatenessP99 recording.Seconds `json:"lateness_p99"`
	LatenessMax recording.Seconds `json:"lateness_max"`
	// Waited is the share of the time from the first fault to the end of the load, 0 to 1,
	// in which a thread of the proxy was ready to run and had no CPU, of the thread that
	// waited longest; 0 if that was not looked at.
	Waited float64 `json:"waited,omitempty"`
}

// Codes of findings.
const (
	ResolvedOnce         = "resolved-once"          // resolved once at start
	PooledOld            = "pooled-kept-old"        // resolved again, but pooled connections kept the old address
	HealedItself         = "healed-by-itself"       // failed, then recovered without a restart
	ConnectionPerRequest = "connection-per-request" // every request opens a connection
	FollowedDNS          = "followed-dns"           // left the old nodes in time
	LogEvidence          = "proxy-log"              // the line of the proxy's own log that shows it
	StruckNodes          = "struck-nodes"           // what was still sent to nodes that a fault had struck, while the name had them
	DNSOutage            = "dns-outage"             // what the subject asked, and lost, while DNS failed
	LostWithNode         = "lost-with-node"         // requests were under way at a node that died
	LeftLate             = "left-late"              // stayed with nodes that the name had left and that did not answer
	HeldDown             = "held-down"              // the proxy answered by itself, without trying a node
	QueryLost            = "query-lost"             // requests reached nodes without their query
	ClientLost           = "client-lost"            // requests reached nodes without the address of their client
	MovedSessions        = "moved-sessions"         // sessions were moved to another node
	LostSessions         = "lost-sessions"          // sessions were held to a node that did not serve
	OpensConnections     = "opens-connections"      // more connections for each request than the budget allows
	SlowAnswers          = "slow-answers"           // answers that took longer than the budget allows
	CutShort             = "cut-short"              // answers that take long were given up
	CutByReload          = "cut-by-reload"          // requests that the proxy was working on as it was told to reload, and did not finish
	UnevenShares         = "uneven-shares"          // nodes that got more or less of the requests than their weight says
	SocketsDenied        = "sockets-denied"         // WebSockets that clients asked for and did not get
	SocketsCut           = "sockets-cut"            // WebSockets that went while their node served
	SocketsLost          = "sockets-lost"           // WebSockets that went with their node
	ProxyDied            = "proxy-died"             // the proxy ended by itself
	StaleAnswers         = "stale-answers"          // a resolver answered with nodes that the name had left
	NotStarted           = "not-started"            // the proxy was restarted and accepted no connection
	Unexplained          = "unexplained"            // a failed run without a cause: a defect of the judge
	PostTwice            = "post-sent-twice"        // a POST reached nodes more than once
	PostLost             = "post-lost"              // a POST was under way on a node that died: nobody can save it
	AnsweredByProxy      = "answered-by-proxy"      // the proxy answered by itself, with a status below 400
	RefusedByProxy       = "refused-by-proxy"       // a limit or a rule of the proxy itself
	AnsweredByFront      = "answered-by-front"      // the load balancer in front answered by itself: the proxy gave no answer
	KeepAliveRace        = "keepalive-race"         // the proxy closes idle connections that the load balancer in front keeps
	FlowForgotten        = "flow-forgotten"         // the load balancer in front forgot idle connections that the proxy kept
	StoppedInHand        = "stopped-in-hand"        // requests were under way at a proxy as it ended
	TargetFlap           = "target-flap"            // the load balancer in front considered proxies unhealthy that ran
	KeepAliveHeld        = "keepalive-held"         // it kept them throughout the quiet part of the load
	ClientResent         = "client-resent"          // the proxy closed a connection without an answer, and the client sent the request again
)

// Finding is a cause in an operator's words, with its evidence.
type Finding struct {
	Code string `json:"code"`
	// Upstream is the name that it is about; empty if it is about all of them.
	Upstream string   `json:"upstream,omitempty"`
	Text     string   `json:"text"`     // "resolved once at start: 0 DNS queries after t=0; 1,996 requests on the retired 10.10.2.55"
	Evidence []string `json:"evidence"` // rows: file:line of the recording and what stands there
}
