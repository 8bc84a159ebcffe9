package fakedns

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// Kind is what a [Fault] does to the answers in its scope.
type Kind string

// The kinds.
const (
	KindNoData        Kind = "nodata"         // NOERROR without records, with SOA (aws-facts 5.13)
	KindNXDomain      Kind = "nxdomain"       // NXDOMAIN with SOA
	KindServFail      Kind = "servfail"       // SERVFAIL, as a resolver whose upstream fails
	KindRefused       Kind = "refused"        // REFUSED
	KindSilence       Kind = "silence"        // no answer
	KindDelay         Kind = "delay"          // the answer comes Fault.Delay later
	KindTruncate      Kind = "truncate"       // UDP answers are empty with TC: ask again over TCP
	KindWrongID       Kind = "wrong_id"       // the answer carries another id than the query
	KindWrongQuestion Kind = "wrong_question" // the answer repeats another question than was asked
	KindGarbage       Kind = "garbage"        // noise behind a good header
	KindThrottle      Kind = "throttle"       // no answer over Fault.PerSecond (aws-facts 5.2)
	KindStale         Kind = "stale"          // what was answered when the fault was put, whatever changes (5.3)
)

// behaviour is what one kind of fault does. One is made for each PUT; it is used by
// many goroutines at once.
type behaviour interface {
	// apply changes a reply that is otherwise ready to go.
	apply(r *reply)
}

// chooser is a behaviour that touches only some of the queries in its scope.
type chooser interface {
	behaviour
	// chooses is asked for every query in scope, once.
	chooses(q *question) bool
}

// archive is a behaviour that answers from another table than the present one.
type archive interface {
	behaviour
	table() *table
}

// parameter is a field of Fault that only some kinds have, or lack.
type parameter int

const (
	takesDelay parameter = iota
	takesRate
	takesTTL
	noAfter
)

// kindSpec is one kind: how it starts, and which parameters it takes.
type kindSpec struct {
	start func(f *Fault, st *state, cfg *Config) behaviour
	takes []parameter
}

// kinds is where a kind becomes known to validation, to the control API and to the server.
var kinds = map[Kind]kindSpec{
	KindNoData:        {start: startAbsent(dns.RcodeSuccess), takes: []parameter{takesTTL}},
	KindNXDomain:      {start: startAbsent(dns.RcodeNameError), takes: []parameter{takesTTL}},
	KindServFail:      {start: always(failing(dns.RcodeServerFailure))},
	KindRefused:       {start: always(failing(dns.RcodeRefused))},
	KindSilence:       {start: always(silence{})},
	KindDelay:         {start: startDelay, takes: []parameter{takesDelay}},
	KindTruncate:      {start: always(truncated{})},
	KindWrongID:       {start: always(wrongID{})},
	KindWrongQuestion: {start: always(wrongQuestion{})},
	KindGarbage:       {start: startGarbage},
	KindThrottle:      {start: startThrottle, takes: []parameter{takesRate}},
	KindStale:         {start: startStale, takes: []parameter{takesTTL, noAfter}},
}

// always starts a behaviour without state or parameters.
func always(b behaviour) func(*Fault, *state, *Config) behaviour {
	return func(*Fault, *state, *Config) behaviour { return b }
}

func kindList() string {
	names := make([]string, 0, len(kinds))
	for _, k := range slices.Sorted(maps.Keys(kinds)) {
		names = append(names, string(k))
	}
	return strings.Join(names, ", ")
}

// absent is NXDOMAIN, or NODATA with RcodeSuccess.
type absent struct {
	rcode int
	ttl   time.Duration
}

func startAbsent(rcode int) func(*Fault, *state, *Config) behaviour {
	return func(f *Fault, _ *state, _ *Config) behaviour { return absent{rcode, f.TTL} }
}

func (a absent) apply(r *reply) {
	if a.ttl > 0 {
		r.negativeTTL = a.ttl
	}
	r.negative(a.rcode)
}

// failing is an answer with nothing but its code.
type failing int

func (f failing) apply(r *reply) { r.failure(int(f)) }

type silence struct{}

func (silence) apply(r *reply) { r.silent = true }

const maxDelay = time.Hour

type delay time.Duration

func startDelay(f *Fault, _ *state, _ *Config) behaviour { return delay(f.Delay) }

func (d delay) apply(r *reply) { r.delay += time.Duration(d) }
