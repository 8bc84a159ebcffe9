package main

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/kind"
	"github.com/proxychaos/proxychaos/harness/recording"
	"github.com/proxychaos/proxychaos/harness/world"
)

// record makes a small recording of goproxy/default in alb-ip-rotate, with so
// many failed requests after the old nodes went silent, and its verdict.
func record(t *testing.T, failed int) string {
	t.Helper()
	g := NewWithT(t)
	root := t.TempDir()
	d, err := recording.Create(root, "alb-ip-rotate", "goproxy/default", time.Now())
	g.Expect(err).NotTo(HaveOccurred())
	copied, err := d.SaveConfig(kind.Config{Path: "default.yaml", Files: []kind.File{{Name: "default.yaml", Content: []byte("listen: \":8080\"\n")}}})
	g.Expect(err).NotTo(HaveOccurred())
	old, fresh := netip.MustParseAddr("127.77.1.21"), netip.MustParseAddr("127.77.1.22")
	m := recording.Manifest{
		Scenario: "alb-ip-rotate", Testbed: "embedded", Config: copied, T0: time.Now(),
		Subject: recording.Subject{ID: "goproxy/default", Kind: "goproxy", Name: "default", Role: "reference"},
		World: world.Topology{
			World: world.World{Balancers: []world.Balancer{{Name: "backend", Nodes: 1, Spare: 1, Targets: 2}}},
			Nodes: []world.Node{{Addr: old, Upstream: 1, Balancer: "backend", Number: 1}, {Addr: fresh, Upstream: 1, Balancer: "backend", Number: 2}},
		},
		Plan: recording.Plan{TTL: 1, Duration: 10, Rate: 10, ClientTimeout: 4, Steps: []recording.PlannedStep{
			{At: 2, Wait: 2, Faults: []recording.PlannedFault{{Name: "name moves to new nodes"}}},
			{At: 5, Wait: 3, Faults: []recording.PlannedFault{{Name: "old nodes go silent"}}},
		}},
	}
	g.Expect(recording.SaveManifest(d.Path, m)).To(Succeed())
	step := func(number int, name string, at recording.Seconds, effects ...world.Effect) recording.Step {
		return recording.Step{
			Number: number, Name: name, Planned: at, Asked: at, InForce: at, Effects: effects,
			Proofs: []recording.Proof{{OK: true, At: at, Detail: "seen"}},
		}
	}
	g.Expect(d.Steps.Append(
		step(1, "name moves to new nodes", 2, world.Effect{Node: old, Named: world.Truth(false)}, world.Effect{Node: fresh, Named: world.Truth(true)}),
		step(2, "old nodes go silent", 5, world.Effect{Node: old, Serves: world.Truth(false), How: "silence"}),
	)).To(Succeed())
	for i := range 100 {
		at := recording.Seconds(i) / 10
		r := recording.Request{Seq: uint64(i + 1), Due: at, Sent: at + 0.001, Latency: 0.002, Code: 200, Outcome: recording.OK, Node: old}
		if at > 3 {
			r.Node = fresh
		}
		if at > 6 && failed > 0 {
			failed--
			r.Code, r.Outcome, r.Node = 502, recording.BadGateway, netip.Addr{}
		}
		g.Expect(d.Requests.Append(r)).To(Succeed())
	}
	peer := netip.MustParseAddrPort("127.0.0.1:40000")
	g.Expect(d.Queries.Append(
		recording.Query{At: -1, Answered: -1, Client: peer, Name: "backend.example.com.", Type: "A", Rcode: "NOERROR", Answers: []netip.Addr{old}, TTL: 1},
		recording.Query{At: 2.5, Answered: 2.5, Client: peer, Name: "backend.example.com.", Type: "A", Rcode: "NOERROR", Answers: []netip.Addr{fresh}, TTL: 1},
	)).To(Succeed())
	g.Expect(d.Close()).To(Succeed())
	rec, err := recording.Open(d.Path)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(recording.SaveVerdict(d.Path, judge.Judge(rec))).To(Succeed())
	return d.Path
}

func TestRecheckGivesTheSameVerdict(t *testing.T) {
	g := NewWithT(t)
	good, bad := record(t, 0), record(t, 7)
	var v judge.Verdict
	g.Expect(recording.ReadVerdict(good, &v)).To(Succeed())
	g.Expect(v.Result).To(Equal(judge.Pass), "%v", v.Reasons)
	g.Expect(recording.ReadVerdict(bad, &v)).To(Succeed())
	g.Expect(v.Result).To(Equal(judge.Fail), "%v", v.Reasons)

	got := proxychaos(t, "recheck", good, bad)
	g.Expect(got.code).To(BeZero(), got.stderr)
	g.Expect(got.stderr).To(BeEmpty())
	g.Expect(got.stdout).To(And(ContainSubstring("goproxy/default"), ContainSubstring("pass"), ContainSubstring("fail")))
}

// A verdict that the rows do not bear out is found: exit 1, and which folder.
func TestRecheckFindsAnotherVerdict(t *testing.T) {
	g := NewWithT(t)
	good, bad := record(t, 0), record(t, 7)
	var v judge.Verdict
	g.Expect(recording.ReadVerdict(bad, &v)).To(Succeed())
	v.Result, v.Failed = judge.Pass, 0
	g.Expect(recording.SaveVerdict(bad, v)).To(Succeed())
	got := proxychaos(t, "recheck", good, bad)
	g.Expect(got.code).To(Equal(exitWrong))
	g.Expect(got.stderr).To(And(ContainSubstring(bad), Not(ContainSubstring(good))))
	g.Expect(strings.Count(got.stderr, "\n")).To(Equal(1))
}

// A run that was stopped has no verdict yet: it is judged, and differs from
// nothing.
func TestRecheckWithoutAStoredVerdict(t *testing.T) {
	g := NewWithT(t)
	dir := record(t, 0)
	g.Expect(os.Remove(filepath.Join(dir, recording.VerdictFile))).To(Succeed())
	got := proxychaos(t, "recheck", dir)
	g.Expect(got.code).To(BeZero(), got.stderr)
}

func TestRecheckOfACutRecording(t *testing.T) {
	g := NewWithT(t)
	dir := record(t, 0)
	path := filepath.Join(dir, recording.RequestsFile)
	text, err := os.ReadFile(path)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(os.WriteFile(path, text[:len(text)-5], 0o600)).To(Succeed())
	got := proxychaos(t, "recheck", dir)
	g.Expect(got.code).To(Equal(exitTrouble))
	g.Expect(got.stderr).To(ContainSubstring(path + ":100: the row is cut off"))
}

func TestReportWritesThePage(t *testing.T) {
	g := NewWithT(t)
	dir := record(t, 7)
	page := filepath.Join(t.TempDir(), "page.html")
	got := proxychaos(t, "report", dir, "-o", page)
	g.Expect(got.code).To(BeZero(), got.stderr)
	text, err := os.ReadFile(page)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(string(text)).To(And(HavePrefix("<!DOCTYPE html>"), ContainSubstring("goproxy/default")))

	got = proxychaos(t, "report", dir, "-o", filepath.Join(page, "below-a-file.html"))
	g.Expect(got.code).To(Equal(exitTrouble))
	g.Expect(strings.Count(got.stderr, "\n")).To(Equal(1))
}
