// Package proxies makes docs/proxies.md: proxy by proxy, which config to write, what it costs
// and what it loses, and how the others break. All of it comes from the runs of nights, which
// docs/proxies.json keeps, and from the catalogue.
package proxies

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
	"github.com/proxychaos/proxychaos/reports"
	"github.com/proxychaos/proxychaos/scenarios"
)

// Schema is the version of the file of facts.
const Schema = 1

// Facts are what nights have shown, cell by cell.
type Facts struct {
	Schema int      `json:"schema"`
	Nights []Night  `json:"nights"`
	Runs   []Run    `json:"runs"`    // in the order of the catalogue
	NotRun []NotRun `json:"not_run"` // in the order of the catalogue
}

// Night is one run of the catalogue, or of a part of it.
type Night struct {
	Began  time.Time         `json:"began"`
	Commit string            `json:"commit"` // of proxychaos
	Seed   uint64            `json:"seed"`
	Clock  string            `json:"clock"`
	TTL    recording.Seconds `json:"ttl"`  // of the DNS answers
	Rate   int               `json:"rate"` // requests a second
	Cores  int               `json:"cores"`
}

// Run is the result of one cell in one night.
type Run struct {
	Night    int    `json:"night"` // its place in Facts.Nights
	Scenario string `json:"scenario"`
	Subject  string `json:"subject"` // its ID
	Version  string `json:"version"` // of the proxy
	// Config is the SHA-256 of the configuration that ran: a run of another one says nothing
	// of the catalogue's.
	Config string         `json:"config"`
	Result string         `json:"result"` // one of package judge
	Sent   int            `json:"sent"`
	Failed int            `json:"failed"`
	By     map[string]int `json:"by,omitempty"` // the failed requests, by how they failed
	// Recovery is how long after a fault the last request failed; if Never, failures went on
	// to the end of the load.
	Recovery    recording.Seconds `json:"recovery,omitempty"`
	Never       bool              `json:"never,omitempty"`
	Connections float64           `json:"connections"` // to nodes, for each request before the first fault
	Queries     float64           `json:"queries"`     // of DNS, a minute
	// Why is the first reason of a verdict that is no pass. Cause is the first finding of a fail,
	// and Log what the proxy's own log said of it, if the reason does not say it all.
	Why   string `json:"why,omitempty"`
	Cause string `json:"cause,omitempty"`
	Log   string `json:"log,omitempty"`
}

// NotRun is a subject that could not be run, and why.
type NotRun struct {
	Subject string `json:"subject"`
	Why     string `json:"why"`
}

// Held says whether the run passed.
func (r Run) Held() bool { return r.Result == judge.Pass }

// With has what a night showed in the place of what earlier ones showed of the same cells.
// Cells that are not of the catalogue are left out.
func (f Facts) With(cells []reports.Cell) Facts {
	f.Schema = Schema
	f.Nights = append(slices.Clone(f.Nights), nightOf(cells))
	f.Runs, f.NotRun = slices.Clone(f.Runs), slices.Clone(f.NotRun)
	for _, c := range cells {
		scenario, subject := c.Manifest.Scenario, c.Manifest.Subject.ID
		if _, err := scenarios.Catalogued(subject); err != nil {
			continue
		}
		f.NotRun = slices.DeleteFunc(f.NotRun, func(n NotRun) bool { return n.Subject == subject })
		if c.NotRun != "" {
			f.NotRun = append(f.NotRun, NotRun{subject, c.NotRun})
			continue
		}
		f.Runs = slices.DeleteFunc(f.Runs, func(r Run) bool { return r.Scenario == scenario && r.Subject == subject })
		f.Runs = append(f.Runs, newRun(len(f.Nights)-1, c))
	}
	f.sort()
	return f.needed()
}

func nightOf(cells []reports.Cell) Night {
	n := Night{Began: scenarios.Began(cells).UTC().Truncate(time.Second)}
	for _, c := range cells {
		if m := c.Manifest; c.NotRun == "" && m.Plan.Rate > 0 {
			n.Commit, n.Seed, n.TTL, n.Rate, n.Cores = m.Tool.Commit, m.Plan.Seed, m.Plan.TTL, m.Plan.Rate, m.Host.Cores
			n.Clock = cmp.Or(m.Plan.Clock, recording.ScaledClock)
		}
	}
	return n
}

func newRun(night int, c reports.Cell) Run {
	m, v := c.Manifest, c.Verdict
	r := Run{
		Night: night, Scenario: m.Scenario, Subject: m.Subject.ID, Version: m.Image.Version, Config: m.Config.SHA256,
		Result: cmp.Or(v.Result, judge.Unproven), Sent: v.Sent, Failed: v.Failed, By: v.ByKind, Never: v.NeverRecovered,
		Connections: rounded(v.ConnectionsPerRequest),
	}
	if v.Recovery != nil {
		r.Recovery = recording.Seconds(rounded(float64(*v.Recovery)))
	}
	if m.Plan.Duration > 0 {
		r.Queries = rounded(60 * float64(v.DNSBefore+v.DNSAfter) / float64(m.Plan.Duration))
	}
	if r.Held() {
		return r
	}
	if len(v.Reasons) > 0 {
		r.Why = v.Reasons[0]
	}
	if r.Result == judge.Fail && r.beyondStatus() == "" {
		r.Cause, r.Log = because(v.Findings)
	}
	return r
}

// because is the first finding, without its figures beyond the first, and the first that quotes
// the proxy's log: what the line means and how many there were, without the line itself.
func because(findings []judge.Finding) (cause, log string) {
	for _, f := range findings {
		switch {
		case f.Code == judge.LogEvidence && log == "":
			log, _, _ = strings.Cut(f.Text, ", the first at ")
		case cause == "":
			cause, _, _ = strings.Cut(strings.TrimPrefix(f.Text, f.Upstream+": "), "; ")
		}
	}
	return cause, log
}

// sort puts everything into the order of the catalogue. What is in it no more comes first.
func (f Facts) sort() {
	subjects := map[string]int{}
	for i, s := range scenarios.Subjects() {
		subjects[s.ID()] = i + 1
	}
	names := map[string]int{}
	for i, s := range scenarios.All {
		names[s.Name] = i + 1
	}
	slices.SortStableFunc(f.Runs, func(a, b Run) int {
		return cmp.Or(subjects[a.Subject]-subjects[b.Subject], names[a.Scenario]-names[b.Scenario], a.Night-b.Night)
	})
	slices.SortStableFunc(f.NotRun, func(a, b NotRun) int {
		return cmp.Or(subjects[a.Subject]-subjects[b.Subject], cmp.Compare(a.Why, b.Why))
	})
}

// needed leaves out nights of which no run is left, and what is said twice.
func (f Facts) needed() Facts {
	place := map[int]int{}
	nights := []Night{}
	for i, night := range f.Nights {
		if slices.ContainsFunc(f.Runs, func(r Run) bool { return r.Night == i }) {
			place[i] = len(nights)
			nights = append(nights, night)
		}
	}
	for i := range f.Runs {
		f.Runs[i].Night = place[f.Runs[i].Night]
	}
	f.Nights, f.NotRun = nights, slices.Compact(f.NotRun)
	return f
}

// Of are the runs of one subject with the configuration that the catalogue has today.
func (f Facts) Of(s harness.Subject, config string) []Run {
	var runs []Run
	for _, r := range f.Runs {
		if r.Subject == s.ID() && r.Config == config && slices.Contains(s.Scenarios, r.Scenario) {
			runs = append(runs, r)
		}
	}
	return runs
}

// Read reads stored facts. A file that is not there has none.
func Read(path string) (Facts, error) {
	f := Facts{Schema: Schema}
	text, err := os.ReadFile(path) //nolint:gosec // the caller's choice
	if errors.Is(err, fs.ErrNotExist) {
		return f, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &f)
	}
	if err != nil {
		return f, fmt.Errorf("read %s: %w", path, err)
	}
	if f.Schema != Schema {
		return f, fmt.Errorf("%s has schema %d, want %d: take it away, and make it again from a night with make proxies FROM=", path, f.Schema, Schema)
	}
	return f, nil
}

// Write stores the facts, a line for each.
func (f Facts) Write(path string) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "{\"schema\": %d,\n\"nights\": [", f.Schema)
	err := errors.Join(
		lines(&b, f.Nights, "],\n\"runs\": ["),
		lines(&b, f.Runs, "],\n\"not_run\": ["),
		lines(&b, f.NotRun, "]}\n"),
	)
	if err != nil {
		return err
	}
	return recording.Replace(path, b.Bytes())
}

func lines[T any](b *bytes.Buffer, of []T, end string) error {
	for i, one := range of {
		line, err := json.Marshal(one)
		if err != nil {
			return err
		}
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('\n')
		b.Write(line)
	}
	b.WriteString(end)
	return nil
}

// rounded leaves out what no page shows.
func rounded(x float64) float64 {
	const digits = 1000
	return float64(int64(x*digits+0.5)) / digits
}
