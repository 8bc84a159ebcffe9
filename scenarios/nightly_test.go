package scenarios_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
	"github.com/proxychaos/proxychaos/harness/run"
	"github.com/proxychaos/proxychaos/reports"
	"github.com/proxychaos/proxychaos/reports/baseline"
	"github.com/proxychaos/proxychaos/scenarios"
)

// request is what a nightly is asked for, with some words.
func request(t *testing.T, words map[string]string) scenarios.Request {
	t.Helper()
	asked, err := scenarios.FromEnvironment(func(word string) (string, bool) { v, ok := words[word]; return v, ok })
	if err != nil {
		t.Fatal(err)
	}
	return asked
}

// Each cell is in one shard, and no shard has two more than another.
func TestShards(t *testing.T) {
	g := NewWithT(t)
	of := func(words map[string]string) (ids []string) {
		asked := request(t, words)
		for _, s := range asked.Scenarios {
			for _, c := range asked.Cells(s) {
				ids = append(ids, s.Name+" "+c.Subject.ID())
			}
		}
		return ids
	}
	all := of(nil)
	var together []string
	for _, shard := range []string{"1/4", "2/4", "3/4", "4/4"} {
		some := of(map[string]string{"SHARD": shard, "FLOOR": "511"})
		g.Expect(len(some)).To(BeNumerically("~", len(all)/4, 1))
		together = append(together, some...)
	}
	g.Expect(together).To(ConsistOf(all))
	whole := request(t, map[string]string{"FLOOR": "511", "BASELINE": "built-in"})
	g.Expect(whole.Floor).To(Equal(511))
	g.Expect(whole.Baseline).NotTo(BeNil())
	part := request(t, map[string]string{"FLOOR": "511", "BASELINE": "built-in", "SHARD": "1/4"})
	g.Expect(part.Floor).To(Equal(1), "the floor is that of the whole")
	g.Expect(part.Baseline).To(BeNil())
	for _, wrong := range []string{"0/4", "5/4", "1", "1/65", "1/0", "-1/4", "a/b", "1/4/2"} {
		_, err := scenarios.FromEnvironment(func(word string) (string, bool) {
			v, ok := map[string]string{"SHARD": wrong, "NAME": "alias-switch"}[word]
			return v, ok
		})
		g.Expect(err).To(MatchError("SHARD="+wrong+": want one of several parts, from 1/2 to 64/64, such as 2/8"), wrong)
	}
}

// night stores a made-up night of the catalogue's cells below runs, each as expected, and
// writes its reports. change is given each result before that.
func night(t *testing.T, runs string, asked scenarios.Request, change func(*run.Result)) []reports.Cell {
	t.Helper()
	g := NewWithT(t)
	began := time.Date(2026, 11, 29, 3, 0, 0, 0, time.UTC)
	var results []run.Result
	for _, s := range asked.Scenarios {
		for _, c := range asked.Cells(s) {
			r := run.Result{Cell: c}
			r.Manifest = recording.Manifest{Scenario: s.Name, Summary: s.Summary, Began: began, T0: began, Ended: began.Add(20 * time.Second)}
			r.Manifest.Subject = c.Subject.Recorded()
			r.Manifest.Plan = recording.Plan{Seed: 1, Rate: 100, Duration: 20}
			r.Manifest.Image = recording.Image{Version: "1.0", Digest: "sha256:1"}
			r.Verdict = expected(*scenarios.Expectation(r.Manifest))
			change(&r)
			if r.Err == nil && r.NotRun == "" {
				dir, err := recording.Create(runs, s.Name, c.Subject.ID(), began)
				g.Expect(err).NotTo(HaveOccurred())
				g.Expect(dir.Close()).To(Succeed())
				r.Dir = dir.Path
				r.Manifest.Schema = recording.Schema
				g.Expect(recording.SaveManifest(dir.Path, r.Manifest)).To(Succeed())
				g.Expect(recording.SaveVerdict(dir.Path, r.Verdict)).To(Succeed())
			} else {
				r.Manifest, r.Verdict = recording.Manifest{}, judge.Verdict{} // it left nothing
			}
			results = append(results, r)
		}
	}
	return scenarios.Cells(results)
}

func store(t *testing.T, runs string, asked scenarios.Request, cells []reports.Cell) string {
	t.Helper()
	suite := asked.Suite(cells)
	folder, err := scenarios.Write(runs, scenarios.File{Name: scenarios.ReportJSON, Write: func(path string) error {
		var text bytes.Buffer
		if err := reports.JSON(&text, suite); err != nil {
			return err
		}
		return os.WriteFile(path, text.Bytes(), 0o600)
	}})
	if err != nil {
		t.Fatal(err)
	}
	return folder
}

// expected is a verdict as the catalogue wants it.
func expected(e judge.Expectation) judge.Verdict {
	v := judge.Verdict{Result: judge.Pass, Sent: 2000, Window: 8, ByKind: map[string]int{}}
	if e.Verdict == judge.Fail {
		v.Result, v.Failed, v.NeverRecovered = judge.Fail, 800, true
	}
	for _, outcome := range e.Outcomes {
		v.ByKind[outcome] = 800
	}
	for _, code := range e.Findings {
		v.Findings = append(v.Findings, judge.Finding{Code: code, Text: code, Evidence: []string{}})
	}
	if e.Log != "" {
		v.Findings = append(v.Findings, judge.Finding{Code: judge.LogEvidence, Text: strings.NewReplacer(`\(`, "(", `\)`, ")").Replace(e.Log), Evidence: []string{}})
	}
	return v
}

func asExpected(*run.Result) {}

var errGone = errors.New("the engine is gone")

// A night that is like those before is green. One that has lost a scenario, of which an image
// changed, or whose engine died half-way, is red and says so; what it recorded can be read.
func TestANightBesideEarlierOnes(t *testing.T) {
	g := NewWithT(t)
	before := request(t, map[string]string{"PROXY": "nginx"})
	var nights [][]baseline.Ran
	for range 3 {
		nights = append(nights, reports.Ran(night(t, t.TempDir(), before, asExpected)))
	}
	memory, err := baseline.Make(nights...)
	g.Expect(err).NotTo(HaveOccurred())
	path := filepath.Join(t.TempDir(), "baseline.json")
	g.Expect(memory.Write(path)).To(Succeed())

	asked := request(t, map[string]string{"PROXY": "nginx", "BASELINE": path, "FLOOR": "3"})
	said := func(change func(*run.Result)) (bool, string) {
		runs := t.TempDir()
		cells := night(t, runs, asked, change)
		suite := asked.Suite(cells)
		var text, md bytes.Buffer
		g.Expect(suite.Remarks(&text)).To(Succeed())
		g.Expect(reports.Markdown(&md, suite)).To(Succeed())
		store(t, runs, asked, cells)
		again, err := scenarios.Stored(runs)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(again).To(HaveLen(len(cells)))
		g.Expect(asked.Suite(again).Red()).To(Equal(suite.Red()), "what was stored says the same")
		if suite.Red() {
			g.Expect(md.String()).To(ContainSubstring("**Not as expected**"))
		}
		return suite.Red(), text.String()
	}
	red, text := said(asExpected)
	g.Expect(red).To(BeFalse(), text)
	g.Expect(text).To(ContainSubstring("beside 3 earlier nights: 0 things not as before, 0 notes"))

	red, text = said(func(r *run.Result) {
		asExpected(r)
		r.Manifest.Alone = r.Manifest.Scenario == "alb-ip-rotate" && r.Manifest.Subject.ID == "nginx/static"
	})
	g.Expect(red).To(BeFalse(), text)
	g.Expect(text).To(ContainSubstring("1 cell ran again, with no other cell beside"))
	g.Expect(text).To(ContainSubstring("alb-ip-rotate of nginx/static"))

	red, text = said(func(r *run.Result) {
		if r.Manifest.Scenario == "alb-ip-rotate" && r.Manifest.Subject.ID == "nginx/static" {
			r.Manifest.Image.Version = "1.99"
		}
	})
	g.Expect(red).To(BeTrue())
	g.Expect(text).To(ContainSubstring("nginx is now 1.99, and was 1.0, in 1 cell"))

	done := 0
	red, text = said(func(r *run.Result) {
		if done++; done > 20 {
			r.Err = errGone
		}
	})
	g.Expect(red).To(BeTrue())
	g.Expect(text).To(ContainSubstring("proved nothing; before, it"))
	g.Expect(text).To(ContainSubstring(errGone.Error()))

	saved := scenarios.All
	t.Cleanup(func() { scenarios.All = saved })
	scenarios.All = slices.DeleteFunc(slices.Clone(saved), func(s harness.Scenario) bool { return s.Name == "zone-flap" })
	asked.Scenarios = scenarios.All
	red, text = said(asExpected)
	g.Expect(red).To(BeTrue())
	g.Expect(text).To(ContainSubstring("zone-flap is no longer in the catalogue"))
}

// A shard's recordings can be moved, and read from a copy of the report; of a run that was
// killed, what it had recorded to the end is read.
func TestStored(t *testing.T) {
	g := NewWithT(t)
	asked := request(t, map[string]string{"NAME": "alias-switch", "PROXY": "nginx"})
	there := filepath.Join(t.TempDir(), "there")
	cells := night(t, there, asked, func(r *run.Result) {
		switch r.Manifest.Subject.ID {
		case "nginx/static":
			r.Err = errGone
		case "nginx/variable":
			r.NotRun = "image not available"
		}
	})
	folder := store(t, there, asked, cells)
	moved := filepath.Join(t.TempDir(), "moved")
	g.Expect(os.Rename(there, moved)).To(Succeed())
	for _, dir := range []string{moved, filepath.Join(moved, "reports", filepath.Base(folder))} {
		again, err := scenarios.Stored(dir)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(summary(t, again)).To(Equal(summary(t, cells)))
	}

	g.Expect(os.Remove(filepath.Join(moved, scenarios.ReportJSON))).To(Succeed())
	half, err := recording.Create(moved, "alias-switch", "nginx/static", time.Now())
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(half.Close()).To(Succeed())
	again, err := scenarios.Stored(moved)
	g.Expect(err).To(MatchError(scenarios.ErrNoReport))
	g.Expect(again).To(HaveLen(len(cells)-2), "all but that which broke off and that which was not run")

	g.Expect(os.WriteFile(filepath.Join(moved, scenarios.ReportJSON), []byte(`{"schema": 3}`), 0o600)).To(Succeed())
	_, err = scenarios.Stored(moved)
	g.Expect(err).To(MatchError(ContainSubstring("of another version of proxychaos")))
}

// summary is the report of the cells without the folders in it.
func summary(t *testing.T, cells []reports.Cell) reports.Summary {
	t.Helper()
	var text bytes.Buffer
	if err := reports.JSON(&text, reports.Suite{Cells: cells}); err != nil {
		t.Fatal(err)
	}
	var s reports.Summary
	if err := json.Unmarshal(text.Bytes(), &s); err != nil {
		t.Fatal(err)
	}
	for i := range s.Cells {
		s.Cells[i].Dir = ""
	}
	return s
}
