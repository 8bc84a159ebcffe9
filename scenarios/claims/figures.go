package claims

import (
	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
)

// Results of an experiment, besides judge.Pass and judge.Fail.
const (
	// Rejected: the proxy did not start with this configuration.
	Rejected = "rejected"
	// Unreachable: it started, and passed no request on to a node.
	Unreachable = "unreachable"
)

// Figures are what was measured in one run of an experiment. Conditions know them by
// these names. A run that was unproven has none.
type Figures struct {
	Result string `json:"result" expr:"result"` // pass, fail, rejected, unreachable
	// Words are the proxy's own if it did not start; if nothing got through, what was
	// tried.
	Words string `json:"words,omitempty" expr:"words"`

	Sent   int            `json:"sent,omitempty" expr:"sent"`
	Failed int            `json:"failed,omitempty" expr:"failed"`
	By     map[string]int `json:"by,omitempty" expr:"by"` // failed, by outcome: "502", "timeout"
	// Recovery is how long after a loss the last request failed, Never whether they went
	// on to the end of the window, Window how long that was. Seconds.
	Recovery float64 `json:"recovery,omitempty" expr:"recovery"`
	Never    bool    `json:"never,omitempty" expr:"never"`
	Window   float64 `json:"window,omitempty" expr:"window"`
	// Stale are the requests on nodes that their name had left for too long.
	Stale int `json:"stale,omitempty" expr:"stale"`
	// Connections is upstream connections for each request, Queries DNS queries for each,
	// both before the first fault. Before are the DNS queries from the start of the load to
	// it, After those from then on.
	Connections float64 `json:"connections" expr:"connections"`
	Queries     float64 `json:"queries" expr:"queries"`
	Before      int     `json:"before,omitempty" expr:"before"`
	After       int     `json:"after,omitempty" expr:"after"`
	// Every is the time between two look-ups that ask the same from one socket, in seconds: the
	// median before the first fault; 0 if few were repeated, as from a proxy that asks for each
	// request.
	Every    float64  `json:"every,omitempty" expr:"every"`
	Findings []string `json:"findings,omitempty" expr:"findings"` // their codes
	// Log counts the lines of the proxy's log that have a mark of its kind or a number of
	// Apache's messages.
	Log map[string]int `json:"log,omitempty" expr:"log"`
	// Query is the share of requests that reached a node with a query string; each was sent
	// with one.
	Query float64 `json:"query,omitempty" expr:"query"`
	// Hosts are shares of requests by the Host that the node was asked for, Shares by the
	// address that the proxy connected to, both before the first fault.
	Hosts  map[string]float64 `json:"hosts,omitempty" expr:"hosts"`
	Shares map[string]float64 `json:"shares,omitempty" expr:"shares"`
	// Moved are the sessions that were moved to another node while their own served; clients
	// have sessions in sticky-node-drop alone.
	Moved int `json:"moved,omitempty" expr:"moved"`
	// Sockets are the WebSockets of clients that were opened, Messages those that came back on
	// them, Denied the WebSockets that were asked for in vain before the first fault; clients
	// hold some in websocket-node-drop alone.
	Sockets  int `json:"sockets,omitempty" expr:"sockets"`
	Messages int `json:"messages,omitempty" expr:"messages"`
	Denied   int `json:"denied,omitempty" expr:"denied"`
	// Slow are the requests that were answered later than the scenario allows, from the first
	// fault on; slow-node alone says how long an answer may take.
	Slow int `json:"slow,omitempty" expr:"slow"`
	// FailedAfter is the time until a request failed, the median.
	FailedAfter float64 `json:"failed_after,omitempty" expr:"failed_after"`
	// Idle is how long an upstream connection had lain idle when the proxy closed it, the
	// median of those that had carried a request; 0 if it closed none.
	Idle float64 `json:"idle,omitempty" expr:"idle"`
	// Checks are the requests that reached nodes and that no client had sent.
	Checks int `json:"checks,omitempty" expr:"checks"`
	// What a load balancer in front made of the proxies: Handshakes are the TLS handshakes with
	// them that failed, HealthFailed the health checks of HealthChecks that did. Down is how many
	// proxies a node considered unhealthy at a time, the most, Back how often one was healthy
	// again. Open are the requests for which none was healthy, OpenServed those of them
	// that were served.
	Handshakes   int `json:"handshakes,omitempty" expr:"handshakes"`
	HealthChecks int `json:"health_checks,omitempty" expr:"health_checks"`
	HealthFailed int `json:"health_failed,omitempty" expr:"health_failed"`
	Down         int `json:"down,omitempty" expr:"down"`
	Back         int `json:"back,omitempty" expr:"back"`
	Open         int `json:"open,omitempty" expr:"open"`
	OpenServed   int `json:"open_served,omitempty" expr:"open_served"`
	// Workers is how many processes of the proxy that were there at the start were there
	// at the end, as a share; 0 if they could not be seen.
	Workers float64 `json:"workers,omitempty" expr:"workers"`
}

// measure takes the figures of a recording that was judged.
func measure(v judge.Verdict, r *recording.Recording) Figures {
	f := Figures{
		Result: v.Result, Sent: v.Sent, Failed: v.Failed, Never: v.NeverRecovered, Window: tenth(float64(v.Window)),
		Stale: v.Stale, Connections: hundredth(v.ConnectionsPerRequest), Before: v.DNSBefore, After: v.DNSAfter, Moved: v.SessionsMoved,
		Slow: v.Slow,
	}
	if s := v.Sockets; s != nil {
		f.Sockets, f.Messages, f.Denied = s.Opened, s.Messages, s.DeniedEarly
	}
	if v.Failed > 0 {
		f.By = v.ByKind
	}
	if t := v.Targets; t != nil {
		f.Handshakes, f.HealthChecks, f.HealthFailed = t.HandshakesFailed, t.Checks, t.ChecksFailed
		f.Down, f.Back, f.Open, f.OpenServed = t.Down, t.Back, t.FailedOpen, t.Served
	}
	if v.Recovery != nil {
		f.Recovery = tenth(float64(*v.Recovery))
	}
	if v.Before.Sent > 0 {
		f.Queries = hundredth(float64(v.DNSBefore) / float64(v.Before.Sent))
	}
	for _, finding := range v.Findings {
		if finding.Code != judge.LogEvidence && !contains(f.Findings, finding.Code) {
			f.Findings = append(f.Findings, finding.Code)
		}
	}
	o := observed{r, recording.Seconds(v.Before.To)}
	f.Every, f.Log, f.Query = o.every(), o.log(), o.query()
	f.Hosts, f.Shares = o.hosts(), o.shares()
	f.FailedAfter, f.Idle, f.Checks, f.Workers = o.failedAfter(), o.idle(), o.checks(), o.workers()
	return f
}
