package compare

import (
	"cmp"
	"fmt"

	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
)

// Run is the figures of one run of a cell.
type Run struct {
	Scenario string `json:"scenario"`
	Subject  string `json:"subject"`
	Version  string `json:"version,omitempty"` // of the proxy
	Commit   string `json:"commit,omitempty"`  // of proxychaos
	Seed     uint64 `json:"seed"`
	// Result is one of package judge. Why says what an unproven run lacks.
	Result string `json:"result"`
	Why    string `json:"why,omitempty"`

	Sent       int `json:"sent"`
	Failed     int `json:"failed"`
	PostsTwice int `json:"posts_sent_twice,omitempty"`
	// Posts is how many of 100 requests were POSTs.
	Posts int `json:"posts,omitempty"`
	// Recovery is how long after a fault the last request failed, 0 if none did. If
	// Never, failures went on to the end of the Window: that is all that is known.
	Recovery recording.Seconds `json:"recovery,omitempty"`
	Never    bool              `json:"never,omitempty"`
	Window   recording.Seconds `json:"window"`
	// The p99 of the latency of what was answered, by phase; nil if nothing was.
	Before *recording.Seconds `json:"p99_before,omitempty"`
	During *recording.Seconds `json:"p99_during,omitempty"`
	After  *recording.Seconds `json:"p99_after,omitempty"`
	// Lateness is the longest by which the load itself was late.
	Lateness recording.Seconds `json:"lateness"`
	// Alone says that the machine was busy in a run before, which was unproven: this one ran
	// while no other cell did.
	Alone bool `json:"alone,omitempty"`

	Connections float64 `json:"connections"` // opened to nodes, for each request before the first fault
	Queries     float64 `json:"queries"`     // of DNS, a second
	Retries     float64 `json:"retries"`     // requests that the proxy sent again, for each request
}

// NewRun takes the figures of a run from its manifest and its verdict.
func NewRun(m recording.Manifest, v judge.Verdict) Run {
	r := Run{
		Scenario: m.Scenario, Subject: m.Subject.ID, Version: m.Image.Version, Commit: m.Tool.Commit, Seed: m.Plan.Seed,
		Result: cmp.Or(v.Result, judge.Unproven),
		Sent:   v.Sent, Failed: v.Failed, PostsTwice: v.PostsTwice, Posts: m.Plan.Posts,
		Never: v.NeverRecovered, Window: v.Window,
		Before: p99(v.Before), During: p99(v.During), After: p99(v.After), Lateness: v.Load.LatenessMax, Alone: m.Alone,
		Connections: v.ConnectionsPerRequest,
	}
	if r.Result == judge.Unproven {
		r.Why = "nothing was tested"
		if len(v.Reasons) > 0 {
			r.Why = v.Reasons[0]
		}
	}
	if v.Recovery != nil {
		r.Recovery = *v.Recovery
	}
	if m.Plan.Duration > 0 {
		r.Queries = float64(v.DNSBefore+v.DNSAfter) / float64(m.Plan.Duration)
	}
	if v.Sent > 0 {
		r.Retries = float64(v.Retries) / float64(v.Sent)
	}
	return r
}

// p99 is nil if no request of the phase was answered.
func p99(p judge.Phase) *recording.Seconds {
	if p.Sent == p.Failed {
		return nil
	}
	return &p.P99
}

// Block is three runs of one scenario with one seed.
type Block struct {
	A     Run `json:"a"`
	B     Run `json:"b"`
	Again Run `json:"again"` // of A
}

// unproven says of which run nothing was proved, or cannot be compared with the others, and why;
// empty if all three count.
// A block with one is left out whole: a rule that treats the three alike keeps the
// odds even.
func (b Block) unproven() string {
	for _, run := range b.runs() {
		if run.Result == judge.Unproven {
			return run.name + ": " + run.Why
		}
	}
	return b.unlike()
}

// asLong is by how much the times may differ for which runs of a block were watched: a load ends
// with a whole second, and the phase before the fault need not be the same.
const asLong = recording.Seconds(2)

// unlike says which run never recovered, was watched for less time than another and lost less than
// that one: whether it would have lost more nobody knows. It is empty if there is none.
func (b Block) unlike() string {
	for _, short := range b.runs() {
		for _, long := range b.runs() {
			if short.Never && short.Window < long.Window-asLong && short.Failed < long.Failed {
				return fmt.Sprintf("%s: never recovered within the %.0f s for which it was watched after the last fault, and another run was watched for %.0f s", short.name, float64(short.Window), float64(long.Window))
			}
		}
	}
	return ""
}

// named is a run of a block with its name.
type named struct {
	name string
	Run
}

func (b Block) runs() []named { return []named{{"A", b.A}, {"B", b.B}, {"A again", b.Again}} }

// window is the shortest of the three, to which recovery is restricted.
func (b Block) window() recording.Seconds { return min(b.A.Window, b.B.Window, b.Again.Window) }

// lateness is the longest of the three: a latency below it may be the machine's.
func (b Block) lateness() recording.Seconds { return max(b.A.Lateness, b.B.Lateness, b.Again.Lateness) }

// uneven says that some of the three ran alone on the machine, and others beside other cells:
// how long those took to answer is also the machine's doing.
func (b Block) uneven() bool { return b.A.Alone != b.B.Alone || b.A.Alone != b.Again.Alone }
