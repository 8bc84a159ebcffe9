package bench

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/proxychaos/proxychaos/harness/recording"
)

// Schema is the version of a stored report. A reader refuses others.
const Schema = 1

// Report is one run of one table's benchmarks.
type Report struct {
	Schema  int
	Table   string // "bench" or "bench-proxy": the make target and the section of the document
	Command string // makes it again
	Began   time.Time
	Took    recording.Seconds
	Machine Machine
	Rows    []Row
}

// Machine is where it ran.
type Machine struct {
	recording.Host
	CPU  string
	Tool recording.Tool
	// LoadBefore is the load average of the minute before the run. Well above 0
	// means that something else had the cores too.
	LoadBefore float64
	Tools      []string // generators and helpers, with their versions
}

// Unmeasured counts the bars that nothing was measured for.
func (r Report) Unmeasured() int {
	n := 0
	for _, row := range r.Rows {
		for _, j := range row.Judge() {
			if j.Outcome == NotMeasured {
				n++
			}
		}
	}
	return n
}

// Save writes the report, with every raw value, to a new folder below dir, and
// returns the path of the file.
func (r Report) Save(dir string) (string, error) {
	dir = filepath.Join(dir, r.Table, r.Began.UTC().Format("20060102T150405Z"))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("folder for the raw figures: %w", err)
	}
	content, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return "", fmt.Errorf("encode the figures: %w", err)
	}
	path := filepath.Join(dir, "report.json")
	if err := os.WriteFile(path, append(content, '\n'), 0o644); err != nil {
		return "", fmt.Errorf("write the raw figures: %w", err)
	}
	return path, nil
}

// Load reads a report that Save wrote.
func Load(path string) (Report, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return Report{}, fmt.Errorf("read the raw figures: %w", err)
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
