package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
	"github.com/proxychaos/proxychaos/reports"
	"github.com/proxychaos/proxychaos/reports/baseline"
	"github.com/proxychaos/proxychaos/scenarios"
)

// Without an engine the bundled proxy runs all the same, in an empty folder, and the
// result is read by a program.
func TestRunWithoutAnEngine(t *testing.T) {
	g := NewWithT(t)
	dir := t.TempDir()
	got := start(t, dir, clean(noEngine, "CI=", "PROXYCHAOS_GRACE=3s"), program, "run", "alb-ip-rotate", "--subject", "goproxy/default", "--json", "--quiet")
	g.Expect(got.code).To(BeZero(), got.stderr)
	g.Expect(got.stderr).To(BeEmpty())
	var summary reports.Summary
	g.Expect(json.Unmarshal([]byte(got.stdout), &summary)).To(Succeed())
	g.Expect(summary.Red).To(BeFalse())
	g.Expect(summary.Cells).To(HaveLen(1))
	g.Expect(summary.Cells[0].Subject).To(Equal("goproxy/default"))
	for _, name := range []string{"report.html", "report.json", "report.md", "junit.xml", "reports/latest/report.html"} {
		g.Expect(filepath.Join(dir, "runs", name)).To(BeARegularFile())
	}
	var m recording.Manifest
	text, err := os.ReadFile(filepath.Join(dir, "runs/alb-ip-rotate/goproxy/default/latest/manifest.json"))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(json.Unmarshal(text, &m)).To(Succeed())
	g.Expect(m.Replay).To(Equal("proxychaos run alb-ip-rotate --subject goproxy/default --grace 3s --seed 1"))
}

// An interrupt ends the run soon, and says how far it came.
func TestRunInterrupted(t *testing.T) {
	g := NewWithT(t)
	var stderr shown
	var stdout bytes.Buffer
	cmd := exec.Command(program, "run", "alb-ip-rotate", "--subject", "goproxy/default", "--grace", "60s") //nolint:noctx // ended by a signal
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = t.TempDir(), clean(noEngine, "CI="), &stdout, &stderr
	g.Expect(cmd.Start()).To(Succeed())
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() { _ = cmd.Process.Kill() }) // if the test broke off
	g.Eventually(stderr.String, "60s", "10ms").Should(ContainSubstring("name moves to new nodes"))
	g.Expect(stderr.String()).To(ContainSubstring("goproxy alone is run"))
	g.Expect(cmd.Process.Signal(syscall.SIGINT)).To(Succeed())
	g.Eventually(ended, "20s").Should(Receive())
	g.Expect(cmd.ProcessState.ExitCode()).To(Equal(exitInterrupted))
	g.Expect(stdout.String()).To(BeEmpty(), "nothing was run to its end")
	g.Expect(strings.TrimSpace(stderr.String())).To(HaveSuffix("\nproxychaos: interrupted: 0 of 1 cells were run; what was recorded is in runs"))
}

// The exit code is the worst of those that the cells deserve.
func TestOutcome(t *testing.T) {
	cell := func(result string) reports.Cell { return reports.Cell{Verdict: judge.Verdict{Result: result}} }
	over, cancel := context.WithCancel(t.Context())
	cancel()
	for name, tc := range map[string]struct {
		ctx   context.Context
		cells []reports.Cell
		floor int
		code  int
		says  string
	}{
		"as expected":            {t.Context(), []reports.Cell{cell(judge.Pass)}, 1, exitDone, ""},
		"one broke":              {t.Context(), []reports.Cell{cell(judge.Unproven), cell(judge.Fail), cell(judge.Pass)}, 1, exitWrong, ""},
		"one was unproven":       {t.Context(), []reports.Cell{cell(judge.Unproven), cell(judge.Pass)}, 1, exitTrouble, ""},
		"one was not run":        {t.Context(), []reports.Cell{{NotRun: "no image"}, cell(judge.Pass)}, 1, exitDone, ""},
		"none was run":           {t.Context(), []reports.Cell{{NotRun: "no image"}}, 1, exitTrouble, "0 cells ran: fewer than --floor 1 are red"},
		"fewer than asked for":   {t.Context(), []reports.Cell{cell(judge.Pass)}, 2, exitTrouble, "1 cells ran: fewer than --floor 2 are red"},
		"interrupted after some": {over, []reports.Cell{cell(judge.Fail)}, 1, exitInterrupted, "interrupted: 1 of 3 cells were run; what was recorded is in x"},
	} {
		g := NewWithT(t)
		asked := scenarios.Request{Floor: tc.floor}
		asked.Options.Runs = "x"
		err := (&player{settings: &settings{}}).outcome(tc.ctx, asked, tc.cells, 3)
		var said bytes.Buffer
		g.Expect(end(&said, err, exitTrouble)).To(Equal(tc.code), name)
		if tc.says != "" {
			tc.says = "proxychaos: " + tc.says + "\n"
		}
		g.Expect(said.String()).To(Equal(tc.says), name)
	}
	g := NewWithT(t)
	// What is not as in earlier nights is wrong, also if the catalogue expects it.
	memory := baseline.Baseline{Nights: []baseline.Night{{}}, Cells: []baseline.Cell{{Scenario: "alb-ip-rotate", Subject: "nginx/gone", Verdicts: map[string]int{judge.Pass: 1}}}}
	err := (&player{settings: &settings{}}).outcome(t.Context(), scenarios.Request{Floor: 1, Baseline: &memory}, []reports.Cell{cell(judge.Pass)}, 1)
	g.Expect(end(&bytes.Buffer{}, err, exitTrouble)).To(Equal(exitWrong))
	g.Expect(errors.Is((&settings{}).spell(os.ErrNotExist), os.ErrNotExist)).To(BeTrue(), "it is the same error in other words")
}

// The floor of a nightly is the same by both doors.
func TestNightlyFloor(t *testing.T) {
	g := NewWithT(t)
	text, err := os.ReadFile(filepath.Join(root, "Makefile"))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(string(text)).To(ContainSubstring("FLOOR   ?= " + nightlyFloor + "\n"))
}

// Each word of a run is a flag with a variable of the environment beside it; the flag wins.
func TestFlagsAndTheirVariables(t *testing.T) {
	g := NewWithT(t)
	cmd := runCommand()
	for _, word := range scenarios.Words {
		g.Expect(cmd.Flags().Lookup(flagOf(word.Name))).NotTo(BeNil(), word.Name)
		g.Expect(wordOf(flagOf(word.Name))).To(Equal(word.Name))
	}
	s := &settings{flags: cmd.Flags()}
	g.Expect(cmd.ParseFlags([]string{"--rate", "50"})).To(Succeed())
	vars := map[string]string{"RATE": "60", "GRACE": "9s", "SUBJECT": "nginx/static", "PEAK": ""}
	g.Expect(s.fromEnvironment(func(word string) (string, bool) { v, ok := vars[word]; return v, ok })).To(Succeed())
	asked, err := s.request(map[string]string{"NAME": "alb-ip-rotate"})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect([]any{asked.Options.Settings.Rate, asked.Options.Settings.Grace.String(), asked.Options.Settings.Peak, asked.Subjects[0].ID()}).
		To(Equal([]any{50, "9s", 64, "nginx/static"}))
}
