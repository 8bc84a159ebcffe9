package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/harness/engine"
	"github.com/proxychaos/proxychaos/scenarios"
)

// buildSuite compiles the Ginkgo suite as make does.
func buildSuite(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "scenarios.test")
	cmd := exec.CommandContext(t.Context(), "go", "test", "-c", "-trimpath", "-tags", "scenario", "-o", path, "../../scenarios/suite")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("compiling the suite: %v\n%s", err, out)
	}
	return path
}

// What a Ginkgo user expects: a dry run starts nothing, and labels choose.
func TestSuiteAsGinkgoUsersExpect(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	dir := t.TempDir()
	got := start(t, ".", clean("PROXYCHAOS_RUNS="+dir), "go", "tool", "ginkgo", "run", "--no-color", "--dry-run", "-v", "--label-filter=nginx && dns && testing",
		"--output-dir="+dir, "--junit-report=junit.xml", buildSuite(t))
	g.Expect(got.code).To(BeZero(), got.stdout+got.stderr)
	g.Expect(got.stdout).To(And(ContainSubstring("dns-servfail"), ContainSubstring("nginx/static@testing"), Not(ContainSubstring("• [FAILED]"))))
	g.Expect(got.stdout).To(MatchRegexp(`Ran %d of \d+ Specs`, cellsOf(t, scenarios.AboutDNS, "nginx/", "@testing")))
	g.Expect(filepath.Join(dir, "junit.xml")).To(BeARegularFile())
	g.Expect(filepath.Join(dir, "report.html")).NotTo(BeAnExistingFile(), "nothing was run")
}

// cellsOf counts the cells of the scenarios about something on subjects whose ID begins and
// ends so.
func cellsOf(t *testing.T, about, begins, ends string) int {
	t.Helper()
	asked, err := scenarios.FromEnvironment(func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, s := range asked.Scenarios {
		if !slices.Contains(scenarios.Labels(s), about) {
			continue
		}
		for _, cell := range asked.Cells(s) {
			if id := cell.Subject.ID(); strings.HasPrefix(id, begins) && strings.HasSuffix(id, ends) {
				n++
			}
		}
	}
	return n
}

// A suite in which too few cells ran is red, also in several processes, whose report is put
// together of theirs.
func TestSuiteOfTooFewCellsIsRed(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	got := start(t, ".", clean(noEngine, "CI=", "PROXYCHAOS_NAME=alb-ip-rotate", "PROXYCHAOS_RUNS="+t.TempDir(), "PROXYCHAOS_KIT="+program),
		"go", "tool", "ginkgo", "run", "--no-color", "--procs=2", "--label-filter=caddy", buildSuite(t))
	g.Expect(got.code).To(Equal(1))
	g.Expect(got.stdout).To(ContainSubstring("fewer than FLOOR=1 are red"))
}

// An interrupt ends the suite soon, in all its processes, keeps what was recorded, and
// leaves nothing behind.
func TestSuiteInterruptLeavesNothing(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	e, err := engine.Ensure(t.Context(), &bytes.Buffer{})
	g.Expect(err).NotTo(HaveOccurred())
	docker, err := e.Client()
	g.Expect(err).NotTo(HaveOccurred())
	defer func() { _ = docker.Close() }()
	c := &comparison{t: t, docker: docker, runs: t.TempDir(), ended: make(chan error, 1)}
	var kit string
	kit, c.kit = ownKit(t, docker)
	c.cmd = exec.Command("go", "tool", "ginkgo", "run", "--no-color", "--procs=2", buildSuite(t)) //nolint:noctx // ended by a signal
	c.cmd.Env = clean("DOCKER_HOST="+e.Host, "CI=true", "PROXYCHAOS_NAME=alias-switch", "PROXYCHAOS_SUBJECT=nginx/static", "PROXYCHAOS_GRACE=60s", "PROXYCHAOS_RATE=50", "PROXYCHAOS_KIT="+kit, "PROXYCHAOS_RUNS="+c.runs)
	c.cmd.Stdout, c.cmd.Stderr = &c.stdout, &c.stderr
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // a terminal interrupts the whole group
	g.Expect(c.cmd.Start()).To(Succeed())
	go func() { c.ended <- c.cmd.Wait() }()
	defer func() { _ = syscall.Kill(-c.cmd.Process.Pid, syscall.SIGKILL) }() // if the test broke off
	steps := func() []string {
		found, _ := filepath.Glob(filepath.Join(c.runs, "alias-switch", "nginx", "static", "2*", "steps.jsonl"))
		return found
	}
	g.Eventually(func() int64 { return size(steps()) }, "60s", "20ms").Should(BeNumerically(">", 0), "the first fault came")
	c.there() // learns the session
	g.Expect(syscall.Kill(-c.cmd.Process.Pid, syscall.SIGINT)).To(Succeed())
	g.Eventually(c.ended, 20*time.Second).Should(Receive())
	g.Expect(c.cmd.ProcessState.ExitCode()).NotTo(BeZero())
	g.Expect(c.there()).To(BeEmpty(), "at once, without the reaper's grace")
	g.Expect(size(steps())).To(BeNumerically(">", 0), "what was recorded is kept")
	g.Expect(filepath.Join(c.runs, "report.html")).To(BeARegularFile())
}

// size is that of the files together.
func size(paths []string) int64 {
	total := int64(0)
	for _, path := range paths {
		if info, err := os.Stat(path); err == nil {
			total += info.Size()
		}
	}
	return total
}
