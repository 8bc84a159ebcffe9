package soak

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"github.com/proxychaos/proxychaos/bench"
	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/harness/recording"
)

// Schema is the version of a stored report.
const Schema = 1

// Report is one run with all that was seen.
type Report struct {
	Schema  int
	Command string // makes it again
	Began   time.Time
	Took    recording.Seconds
	Machine bench.Machine

	Duration time.Duration // of the load
	Rate     int           // requests a second
	Flip     time.Duration // from one move of the name to the next
	Pinned   bool          // the proxy had addresses in place of the name

	Load    Load
	Moves   []Move
	Samples []Sample // one a second
}

// Load is what became of the requests.
type Load struct {
	Planned int
	Sent    int
	Posts   int // of those sent
	Failed  int
	// Failures are the first that failed, at most mostFailures.
	Failures []Failure
	// Twice counts POSTs that reached more than one node, or one more than once.
	Twice int
	// Late is how far behind its plan the last request was.
	Late recording.Seconds
}

// Failure is a request that was not answered with 200.
type Failure struct {
	At     recording.Seconds // since the beginning, when it was sent
	Took   recording.Seconds
	Method string
	Status uint16 // 0 without a response
	Error  string
}

// Move is one move of the name, and what became of the nodes it came to. The
// first one is the beginning, when the name is not moved.
type Move struct {
	At      recording.Seconds // since the beginning
	Nodes   []netip.Addr      // that the name has from then on
	Queries int               // that were answered with them before the old nodes failed
	// Fault is what the nodes of the move before got at FaultAt; empty for the
	// first one.
	Fault   fakealb.FaultKind `json:",omitempty"`
	FaultAt recording.Seconds
	InForce bool // a probe of each of those nodes failed
	// Requests is what each node in Nodes served while it was in use.
	Requests map[string]int
	// Stale is how many requests those nodes got once they had failed.
	Stale int
	// Whole says that Requests and Stale were taken when the nodes' time was over.
	Whole bool
}

// Sample is the proxy at one moment.
type Sample struct {
	At         recording.Seconds // since the beginning
	MiB        float64           // resident, as PSS
	Goroutines float64
	OpenFiles  float64
	Again      float64 // attempts beyond the first of each request, so far
	Failed     int     // requests, so far
	P50, P99   float64 // of the latencies in the second before, in ms
	FakesMiB   float64 // of the fakes together
}

// Save writes the report, its section and its plot to a new folder below dir,
// and returns the folder.
func (r Report) Save(dir string) (string, error) {
	dir = filepath.Join(dir, "soak", r.Began.UTC().Format("20060102T150405Z"))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("folder for the samples: %w", err)
	}
	content, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return "", fmt.Errorf("encode the samples: %w", err)
	}
	for name, text := range map[string][]byte{"report.json": append(content, '\n'), "soak.md": []byte(r.Markdown())} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			return "", fmt.Errorf("write the samples: %w", err)
		}
	}
	return dir, r.draw(filepath.Join(dir, plotName))
}

// Read reads a report that Save wrote.
func Read(path string) (Report, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return Report{}, fmt.Errorf("read the samples: %w", err)
	}
	var r Report
	if err := json.Unmarshal(content, &r); err != nil {
		return Report{}, fmt.Errorf("%s: %w", path, err)
	}
	if r.Schema != Schema {
		return Report{}, fmt.Errorf("%s: got schema %d, want %d: it was written by another version", path, r.Schema, Schema)
	}
	return r, nil
}

// Publish puts the report into its section of the document at path and its plot
// beside it.
func (r Report) Publish(path string) error {
	if err := bench.PutSection(path, "soak", r.Markdown()); err != nil {
		return err
	}
	return r.draw(filepath.Join(filepath.Dir(path), plotName))
}
