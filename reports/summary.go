package reports

import (
	"encoding/json"
	"io"
	"strings"

	"github.com/proxychaos/proxychaos/harness/recording"
	"github.com/proxychaos/proxychaos/reports/baseline"
)

// SummarySchema is the version of what JSON writes, which report.schema.json describes. A
// reader also takes version 1, which had neither Why, Figures nor Against.
const SummarySchema = 2

// Summary is the figures of a run for programs: a baseline, a dashboard.
type Summary struct {
	Schema int   `json:"schema"`
	Tally  Tally `json:"tally"`
	Red    bool  `json:"red"`
	// Wrong is what is wrong with the run as a whole, a line each.
	Wrong []string `json:"wrong,omitempty"`
	// Against is how the run differs from earlier nights, if it was compared with any.
	Against *baseline.Difference `json:"against,omitempty"`
	Cells   []CellSummary        `json:"cells"`
}

// CellSummary is one cell of a Summary. Of one that was not run only the
// names, State and NotRun are set.
type CellSummary struct {
	Scenario       string             `json:"scenario"`
	Cloud          string             `json:"cloud,omitempty"` // whose load balancers; none for AWS's
	Subject        string             `json:"subject"`
	Role           string             `json:"role"`
	State          State              `json:"state"`
	NotRun         string             `json:"not_run,omitempty"`
	Verdict        string             `json:"verdict,omitempty"`
	Reasons        []string           `json:"reasons,omitempty"` // why it is not as expected
	Why            []string           `json:"why,omitempty"`     // it proved nothing
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
	Figures        *Figures           `json:"figures,omitempty"`
	Dir            string             `json:"dir,omitempty"`
}

// JSON writes the Summary of a run.
func JSON(w io.Writer, suite Suite) error {
	s := Summary{
		Schema: SummarySchema, Tally: Count(suite.Cells), Red: suite.Red(), Against: suite.Against,
		Cells: make([]CellSummary, 0, len(suite.Cells)),
	}
	if wrong := suite.Wrong(); wrong != nil {
		s.Wrong = strings.Split(wrong.Error(), "\n")
	}
	for _, c := range suite.Cells {
		s.Cells = append(s.Cells, summaryOf(c))
	}
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(s)
}

func summaryOf(c Cell) CellSummary {
	m, v := c.Manifest, c.Verdict
	s := CellSummary{Scenario: m.Scenario, Cloud: m.World.Cloud, Subject: m.Subject.ID, Role: m.Subject.Role, State: c.State(), NotRun: c.NotRun}
	if c.NotRun != "" {
		return s
	}
	s.Verdict, s.Reasons, s.Why, s.Figures = v.Result, c.Reasons(), c.why(), figuresOf(c)
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

// why is what the judge, or what broke off, said of a cell that proved nothing.
func (c Cell) why() []string {
	if c.State() != Unproven {
		return nil
	}
	return c.Verdict.Reasons
}

// figuresOf are those of a cell that was run.
func figuresOf(c Cell) *Figures {
	r := c.Ran().Run
	return &Figures{
		Connections: r.Connections, Queries: r.Queries, Retries: r.Retries, PostsTwice: r.PostsTwice, Window: r.Window,
		Before: r.Before, During: r.During, After: r.After,
	}
}

// Figures are those of a cell that configs are compared by and that a CellSummary does not
// have already.
type Figures struct {
	Connections float64            `json:"connections_per_request"`
	Queries     float64            `json:"dns_queries_per_second"`
	Retries     float64            `json:"retries_per_request"`
	PostsTwice  int                `json:"posts_sent_twice"`
	Window      recording.Seconds  `json:"window"` // to which recovery is watched
	Before      *recording.Seconds `json:"p99_before,omitempty"`
	During      *recording.Seconds `json:"p99_during,omitempty"`
	After       *recording.Seconds `json:"p99_after,omitempty"`
}
