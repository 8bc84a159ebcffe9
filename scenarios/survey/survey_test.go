package survey

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
	"github.com/proxychaos/proxychaos/harness/run"
	"github.com/proxychaos/proxychaos/reports/atlas"
	"github.com/proxychaos/proxychaos/scenarios"
	"github.com/proxychaos/proxychaos/scenarios/journal"
)

// lab is one that makes recordings up: nginx/variable breaks from 1.30.6 on, nginx/static loses
// another number in each run, upstream-resolve is refused before 1.30.6, and the oldest release
// is not available.
type lab struct {
	t    *testing.T
	runs string

	mu    sync.Mutex
	ran   []string
	begun func(nth int)
}

func (l *lab) play(_ context.Context, c run.Cell, seed uint64) run.Result {
	l.mu.Lock()
	l.ran = append(l.ran, fmt.Sprintf("%s %s %d", c.Scenario.Name, c.Subject.ID(), seed))
	nth := len(l.ran)
	begun := l.begun
	l.mu.Unlock()
	if begun != nil {
		begun(nth)
	}
	r := run.Result{Cell: c}
	if c.Subject.Release == "oldoldstable" {
		r.NotRun = "image not available"
		return r
	}
	version := map[string]string{"oldstable": "1.22.1", "stable": "1.26.3", "testing": "1.30.6"}[c.Subject.Release]
	r.Manifest.Image.Version = version
	if c.Subject.Name == "upstream-resolve" && version != "1.30.6" {
		r.Err = &run.ConfigError{Path: "nginx.conf", Words: `invalid parameter "resolve"`}
		return r
	}
	r.Manifest = recording.Manifest{Schema: recording.Schema, Scenario: c.Scenario.Name, Subject: c.Subject.Recorded(), Image: recording.Image{Version: version}}
	r.Manifest.Plan = recording.Plan{Seed: seed, Rate: 100, Duration: 20}
	r.Verdict = judge.Verdict{Result: judge.Pass, Sent: 2000, Window: 8}
	switch {
	case c.Subject.Name == "variable" && version == "1.30.6":
		r.Verdict.Result, r.Verdict.Failed, r.Verdict.NeverRecovered = judge.Fail, 800, true
		r.Verdict.ByKind, r.Verdict.Findings = map[string]int{"502": 800}, []judge.Finding{{Code: judge.ResolvedOnce, Text: "resolved once"}}
	case c.Subject.Name == "static":
		r.Verdict.Result, r.Verdict.Failed, r.Verdict.NeverRecovered = judge.Fail, 700+40*(int(seed)+len(c.Subject.Release))%97, true
		r.Verdict.ByKind, r.Verdict.Findings = map[string]int{"502": 700}, []judge.Finding{{Code: judge.ResolvedOnce, Text: "resolved once"}}
	}
	l.keep(&r)
	return r
}

// keep stores the recording of a result.
func (l *lab) keep(r *run.Result) {
	l.t.Helper()
	g := NewWithT(l.t)
	dir, err := recording.Create(l.runs, r.Scenario.Name, r.Subject.ID(), time.Now())
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(dir.Close()).To(Succeed())
	r.Dir = dir.Path
	g.Expect(recording.SaveManifest(dir.Path, r.Manifest)).To(Succeed())
	g.Expect(recording.SaveVerdict(dir.Path, r.Verdict)).To(Succeed())
}

// question is three configs of nginx on all releases, in one scenario.
func question(t *testing.T) Question {
	t.Helper()
	var some []harness.Subject
	for _, s := range scenarios.Subjects() {
		if s.Kind == "nginx" && slices.Contains([]string{"static", "variable", "upstream-resolve"}, s.Name) {
			some = append(some, s)
		}
	}
	all, err := scenarios.OnReleases(some, "")
	if err != nil {
		t.Fatal(err)
	}
	q := Question{Seed: 1, Parallel: 3}
	for _, s := range all {
		if scenarios.ALBIPRotate.Suits(s) {
			q.Cells = append(q.Cells, run.Cell{Scenario: scenarios.ALBIPRotate, Subject: s})
		}
	}
	return q
}

func kept(t *testing.T, dir string) *journal.File[Done] {
	t.Helper()
	j, err := journal.Open[Done](dir, "atlas", "one question")
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func atlasOf(t *testing.T, q Question, j *journal.File[Done]) atlas.Atlas {
	t.Helper()
	cells, err := Cells(q, j)
	if err != nil {
		t.Fatal(err)
	}
	return atlas.New(scenarios.AtlasRuns(cells))
}

func changes(a atlas.Atlas) []string {
	var all []string
	for _, c := range a.Changes {
		all = append(all, fmt.Sprintf("%s to %s, %s", c.From, c.To, c))
	}
	return all
}

var wantChanges = []string{
	"1.26.3 to 1.30.6, nginx/variable in alb-ip-rotate: held became broke (failed requests 800)",
	"1.26.3 to 1.30.6, nginx/upstream-resolve in alb-ip-rotate: refused became held",
}

// Each cell is run once, and what seems to have changed twice more; what differs from run to run
// is no change then. A second call has nothing to do but to ask for the image again.
func TestWhatSeemsToHaveChangedIsRunAgain(t *testing.T) {
	g := NewWithT(t)
	dir, q := t.TempDir(), question(t)
	g.Expect(q.Cells).To(HaveLen(12), "three configs on four releases")
	l := &lab{t: t, runs: dir}
	j := kept(t, dir)
	quiet := func(string, ...any) {}
	g.Expect(newSurveyor(q, l.play, j, quiet).answer(t.Context())).To(Succeed())
	a := atlasOf(t, q, j)
	g.Expect(changes(a)).To(Equal(wantChanges))
	g.Expect(a.Missing).To(Equal([]atlas.Missing{{Release: "oldoldstable", Why: "image not available"}}))
	again := 0
	for _, what := range l.ran {
		if slices.Contains([]string{"2", "3"}, what[len(what)-1:]) {
			again++
		}
	}
	g.Expect(l.ran).To(HaveLen(12+again), "none was run twice with one seed: %v", l.ran)
	g.Expect(l.ran).To(ContainElements("alb-ip-rotate nginx/variable 2", "alb-ip-rotate nginx/variable@testing 3"))
	g.Expect(l.ran).NotTo(ContainElement("alb-ip-rotate nginx/variable@oldstable 2"), "it is like the next one")

	second := &lab{t: t, runs: dir}
	g.Expect(newSurveyor(q, second.play, kept(t, dir), quiet).answer(t.Context())).To(Succeed())
	g.Expect(second.ran).To(ConsistOf(
		"alb-ip-rotate nginx/static@oldoldstable 1", "alb-ip-rotate nginx/variable@oldoldstable 1", "alb-ip-rotate nginx/upstream-resolve@oldoldstable 1"))
}

// After an interrupt the same question goes on from there, and comes to the same.
func TestGoesOnAfterAnInterrupt(t *testing.T) {
	g := NewWithT(t)
	dir, q := t.TempDir(), question(t)
	ctx, interrupt := context.WithCancelCause(t.Context())
	first := &lab{t: t, runs: dir, begun: func(nth int) {
		if nth == 8 {
			interrupt(errors.New("interrupted"))
		}
	}}
	quiet := func(string, ...any) {}
	g.Expect(newSurveyor(q, first.play, kept(t, dir), quiet).answer(ctx)).To(MatchError("interrupted"))
	before := len(kept(t, dir).Rows())
	g.Expect(before).To(BeNumerically(">=", 5))
	second := &lab{t: t, runs: dir}
	j := kept(t, dir)
	g.Expect(newSurveyor(q, second.play, j, quiet).answer(t.Context())).To(Succeed())
	g.Expect(changes(atlasOf(t, q, j))).To(Equal(wantChanges))
	for _, d := range j.Rows()[:before] {
		if !d.Lacking {
			g.Expect(second.ran).NotTo(ContainElement(fmt.Sprintf("%s %s %d", d.Scenario, d.Subject, d.Seed)))
		}
	}

	// A recording that somebody has removed is made again.
	i := slices.IndexFunc(j.Rows(), func(d Done) bool { return d.Dir != "" })
	gone := j.Rows()[i]
	g.Expect(os.Remove(filepath.Join(gone.Dir, recording.VerdictFile))).To(Succeed())
	third := &lab{t: t, runs: dir}
	g.Expect(newSurveyor(q, third.play, kept(t, dir), quiet).answer(t.Context())).To(Succeed())
	g.Expect(third.ran).To(ContainElement(fmt.Sprintf("%s %s %d", gone.Scenario, gone.Subject, gone.Seed)))
}

// A config that a release refuses is tried once, not in every scenario.
func TestARefusedConfigIsTriedOnce(t *testing.T) {
	g := NewWithT(t)
	q := question(t)
	q.Parallel = 1
	for _, c := range slices.Clone(q.Cells) {
		if c.Subject.Name == "upstream-resolve" && c.Subject.Release == "stable" {
			q.Cells = nil
			for _, s := range []harness.Scenario{scenarios.ALBIPRotate, scenarios.ALBIPRefuse, scenarios.AliasSwitch} {
				q.Cells = append(q.Cells, run.Cell{Scenario: s, Subject: c.Subject})
			}
			break
		}
	}
	g.Expect(q.Cells).To(HaveLen(3))
	dir := t.TempDir()
	l, j := &lab{t: t, runs: dir}, kept(t, dir)
	g.Expect(newSurveyor(q, l.play, j, func(string, ...any) {}).answer(t.Context())).To(Succeed())
	g.Expect(l.ran).To(HaveLen(1))
	a := atlasOf(t, q, j)
	g.Expect(a.Rows).To(HaveLen(3))
	for _, row := range a.Rows {
		g.Expect(row.Places[0].State).To(Equal(atlas.Refused))
	}
}
