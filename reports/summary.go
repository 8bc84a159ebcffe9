package reports

import (
	"encoding/json"
	"io"

	"github.com/proxychaos/proxychaos/harness/recording"
)

// SummarySchema is the version of what JSON writes.
const SummarySchema = 1

// Summary is the figures of a run for programs: a baseline, a dashboard.
type Summary struct {
	Schema int           `json:"schema"`
	Tally  Tally         `json:"tally"`
	Red    bool          `json:"red"`
	Cells  []CellSummary `json:"cells"`
}

// CellSummary is one cell of a Summary. Of one that was not run only the
// names, State and NotRun are set.
type CellSummary struct {
	Scenario       string             `json:"scenario"`
	Subject        string             `json:"subject"`
	Role           string             `json:"role"`
	State          State              `json:"state"`
	NotRun         string             `json:"not_run,omitempty"`
	Verdict        string             `json:"verdict,omitempty"`
	Reasons        []string           `json:"reasons,omitempty"` // why it is not as expected
	Version        string             `json:"version,omitempty"` // of the proxy
	Digest         string             `json:"digest,omitempty"`  // of the image
	ConfigSHA256   string             `json:"config_sha256,omitempty"`
	Seed           uint64             `json:"seed,omitempty"`
	Sent           int                `json:"sent"`
	Failed         int                `json:"failed"`
	WithoutNode    int                `json:"failed_without_node,omitempty"` // of Failed: no node served
	Unavoidable    int                `json:"failed_unavoidably,omitempty"`  // of Failed: POSTs under way on a node that died
	ByKind         map[string]int     `json:"failed_by_outcome,omitempty"`
	Recovery       *recording.Seconds `json:"recovery,omitempty"`
	NeverRecovered bool               `json:"never_recovered,omitempty"`
	Stale          int                `json:"stale_requests"`
	Findings       []string           `json:"findings,omitempty"` // codes
	Overhead       recording.Seconds  `json:"overhead"`
	Dir            string             `json:"dir,omitempty"`
}

// JSON writes the Summary of the cells.
func JSON(w io.Writer, cells []Cell) error {
	tally := Count(cells)
	s := Summary{Schema: SummarySchema, Tally: tally, Red: tally.Red(), Cells: make([]CellSummary, 0, len(cells))}
	for _, c := range cells {
		s.Cells = append(s.Cells, summaryOf(c))
	}
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(s)
}

func summaryOf(c Cell) CellSummary {
	m, v := c.Manifest, c.Verdict
	s := CellSummary{Scenario: m.Scenario, Subject: m.Subject.ID, Role: m.Subject.Role, State: c.State(), NotRun: c.NotRun}
	if c.NotRun != "" {
		return s
	}
	s.Verdict, s.Reasons = v.Result, c.Reasons()
	s.Version, s.Digest, s.ConfigSHA256, s.Seed = m.Image.Version, m.Image.Digest, m.Config.SHA256, m.Plan.Seed
	s.WithoutNode, s.Unavoidable = v.WithoutNode, v.Unavoidable
	s.Sent, s.Failed, s.ByKind = v.Sent, v.Failed, v.ByKind
	s.Recovery, s.NeverRecovered, s.Stale = v.Recovery, v.NeverRecovered, v.Stale
	for _, f := range v.Findings {
		s.Findings = append(s.Findings, f.Code)
	}
	s.Overhead, s.Dir = m.Overhead, c.Dir
	return s
}
