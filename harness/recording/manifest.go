// Package recording is everything that was observed in one run of one cell
// (one scenario x one subject), from every side, on one clock: a folder of
// files that is written first and judged later.
//
// The folder is runs/<scenario>/<subject>/<UTC stamp>/ and holds
//
//	manifest.json      what was run: plan, subject, image, commit, seed, cores
//	config/            the subject's configuration, verbatim
//	steps.jsonl        each fault: planned, asked for, in force, its effects, its proofs
//	requests.jsonl     each client request as the client saw it
//	attempts.jsonl     each request as an ALB node saw it, joined by seq
//	connections.jsonl  each TCP connection as an ALB node saw it
//	packets.jsonl      each SYN, and each request sent to a silenced node
//	dns.jsonl          each DNS query with its answer and TTL
//	processes.jsonl    the proxy's processes and the connections they hold
//	checks.jsonl       each health check of the proxy by a load balancer in front of it
//	proxy.log          the proxy's own output, each line with its time
//	verdict.json       what the judge made of it (can be made again)
//
// Every time in the files is a number of seconds since the start of the load
// (t=0, Manifest.T0); what happened before the load is negative.
package recording

import (
	"encoding/json"
	"net/netip"
	"time"

	"github.com/proxychaos/proxychaos/harness/world"
)

// Schema is the version of the files of a recording. A reader also takes version 1,
// which knew one topology, and refuses others.
const Schema = 2

// Seconds is a span, or a time since the start of the load, in seconds.
type Seconds float64

// Duration converts to a time.Duration.
func (s Seconds) Duration() time.Duration { return time.Duration(float64(s) * float64(time.Second)) }

// Of converts a time.Duration to Seconds.
func Of(d time.Duration) Seconds { return Seconds(d.Seconds()) }

// Manifest says what was run, where, and how to run it again.
type Manifest struct {
	Schema   int     `json:"schema"`
	Scenario string  `json:"scenario"`
	Summary  string  `json:"summary"`
	Subject  Subject `json:"subject"`
	Plan     Plan    `json:"plan"`
	// World is who calls whom, with the address of every node.
	World world.Topology `json:"world"`
	// Proxies are where the load balancer in front calls the proxies, in the order of their
	// numbers; none without such a load balancer. Older builds did not write it.
	Proxies []netip.AddrPort `json:"proxies,omitempty"`
	T0      time.Time        `json:"t0"`
	Began   time.Time        `json:"began"`
	Ended   time.Time        `json:"ended"`
	Testbed string           `json:"testbed"` // Containers or Embedded
	// Way is how the load got to the proxy. Older builds did not write it.
	Way    Way    `json:"way,omitzero"`
	Host   Host   `json:"host"`
	Tool   Tool   `json:"tool"`
	Image  Image  `json:"image"`
	Config Config `json:"config"`
	Replay string `json:"replay"` // the shell line that runs this cell again
	// Lost counts packets and connections that the nodes could not record: with
	// any, the recording is not the whole truth.
	Lost uint64 `json:"lost,omitempty"`
	// Alone says that the machine was busy in a run before, which was unproven: this one ran
	// while no other cell did.
	Alone    bool    `json:"alone,omitempty"`
	Overhead Seconds `json:"overhead"` // start to first request, and last outcome to the end of clean-up
}

// Manifest.Testbed: where proxy and agents ran.
const (
	Containers = "containers" // of a Docker engine
	Embedded   = "embedded"   // in the harness's own process, where the proxy is no process of its own
)

// Subject names what was tested.
type Subject struct {
	ID      string `json:"id"`   // "nginx/static", or "nginx/static@testing" if a release is part of the name
	Kind    string `json:"kind"` // of the proxy: apache, nginx, ...
	Name    string `json:"name"` // static, pooled, ...
	Role    string `json:"role"` // pitfall, fix, reference, own: what the articles (or the user) say of it
	Summary string `json:"summary"`
}

// Plan is the scenario with every number filled in for this run.
type Plan struct {
	Clock   string  `json:"clock,omitempty"` // ScaledClock or ProductionClock; empty in older recordings, which are scaled
	TTL     Seconds `json:"ttl"`             // of the DNS answers
	Refresh Seconds `json:"refresh"`         // the longest period after which the subject looks again
	// RefreshSource says where Refresh is from; empty for the catalogue's own subjects.
	// RefreshHint is what the config says.
	RefreshSource RefreshSource `json:"refresh_source,omitempty"`
	RefreshHint   Seconds       `json:"refresh_hint,omitempty"`
	Phase         Seconds       `json:"phase"`              // drawn from the seed: delays the first step against the proxy's timers
	Duration      Seconds       `json:"duration"`           // of the load
	ClientTimeout Seconds       `json:"client_timeout"`     // after which a client gives up on a request
	Rate          int           `json:"rate"`               // requests per second, open loop
	Clients       int           `json:"clients"`            // keep-alive client connections in rotation
	Posts         int           `json:"posts,omitempty"`    // how many of 100 requests are POSTs
	Sessions      bool          `json:"sessions,omitempty"` // clients keep cookies
	Sockets       int           `json:"sockets,omitempty"`  // clients that hold a WebSocket each, beside the others
	Seed          uint64        `json:"seed"`
	Budget        Budget        `json:"budget"`
	Quiet         Quiet         `json:"quiet,omitzero"`
	// Steps are the timeline, in the order in which they happen.
	Steps []PlannedStep `json:"steps"`
}

// Plan.Clock, by whether the kernel's timers and the TTL were shortened.
const (
	ScaledClock     = "scaled"
	ProductionClock = "production"
)

// RefreshSource says how it is known when a subject looks a name up again.
type RefreshSource string

// The sources.
const (
	FromConfig  RefreshSource = "by its configuration"
	FromQueries RefreshSource = "its DNS queries before the fault show a shorter time"
	NeverAsked  RefreshSource = "it asked DNS at its start only"
)

// Settle is the time a proxy has to act on an expired answer, on top of the TTL and of
// its own refresh.
const Settle = Seconds(1)

// Allowed is how long after a change of its name a proxy may use what the name had
// before. What it sends there later is stale.
func (p Plan) Allowed() Seconds { return p.TTL + p.Refresh + Settle }

// Quiet is a part of the load in which no client asks for anything; none if For is 0.
type Quiet struct {
	From Seconds `json:"from"` // since t=0
	For  Seconds `json:"for"`
}

// PlannedStep is one or several faults of one instant.
type PlannedStep struct {
	At Seconds `json:"at"` // since t=0
	// Wait is how long after the step before; of the first, how long after t=0.
	Wait   Seconds        `json:"wait"`
	Faults []PlannedFault `json:"faults"`
}

// PlannedFault is one fault of a step.
type PlannedFault struct {
	Name string `json:"name"` // its legend entry, as in Step.Name
	// Fault is the fault itself, from which it can be made again; see package
	// fault. Empty in a recording of version 1.
	Fault json.RawMessage `json:"fault,omitempty"`
}

// Budget is what a subject may lose.
type Budget struct {
	// RecoverWithin, if not 0, allows failures, but none of a request sent later
	// than this after the last fault that took something away.
	RecoverWithin Seconds `json:"recover_within,omitempty"`
	// MaxFailed is how many requests may fail besides.
	MaxFailed int `json:"max_failed,omitempty"`
	// Query: no request may reach a node without the query that its client sent.
	Query bool `json:"query,omitempty"`
	// Client: no request may reach a node without the address of its client in X-Forwarded-For.
	Client bool `json:"client,omitempty"`
	// Sessions: no session may be moved to another node while its own serves.
	Sessions bool `json:"sessions,omitempty"`
	// Sockets: no WebSocket may be denied before the first loss, or later than RecoverWithin
	// after one, and none may be cut while its node serves.
	Sockets bool `json:"sockets,omitempty"`
	// Shares, if any, are how much of the requests each node gets, the largest first; before the
	// first fault, and again once all nodes serve and the proxy has had its time.
	Shares []float64 `json:"shares,omitempty"`
	// Connections, if not 0, is how many connections to nodes may be opened for each request
	// before the first fault.
	Connections float64 `json:"connections,omitempty"`
	// Within, if not 0, is how long an answer may take from the first fault on.
	Within Seconds `json:"within,omitempty"`
}

// Host is the machine the cell ran on.
type Host struct {
	Cores     int    `json:"cores"`
	MemoryMiB int    `json:"memory_mib"`
	Kernel    string `json:"kernel"`
	Engine    string `json:"engine"` // Docker engine version, empty on the embedded testbed
}

// Tool is the build of proxychaos that ran the cell.
type Tool struct {
	Commit string `json:"commit"`
	Dirty  bool   `json:"dirty"`
	Go     string `json:"go"`
}

// Image is the container image the proxy ran from.
type Image struct {
	Ref     string `json:"ref"`
	Digest  string `json:"digest"`
	Version string `json:"version"` // of the proxy, as its own binary says
	Source  string `json:"source"`  // user, local, registry, debian
}

// Config is the configuration under test. Its files are in config/.
type Config struct {
	Path   string   `json:"path"`   // where it was read from
	SHA256 string   `json:"sha256"` // over names and contents of all its files
	Files  []string `json:"files"`  // relative to config/
	// Links are the symbolic links that were kept as they are, each "name -> target".
	Links []string `json:"links,omitempty"`
	// Env are the names of the variables that it was given.
	Env []string `json:"env,omitempty"`
}
