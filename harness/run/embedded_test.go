package run

import (
	"context"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/fakedns"
	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/fault"
	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/kind"
	"github.com/proxychaos/proxychaos/harness/recording"
	"github.com/proxychaos/proxychaos/harness/world"
)

// newEmbedded is what Open gives without an engine.
func newEmbedded(opt Options) *Lab {
	opt.testbed = "embedded"
	return &Lab{opt: opt, began: time.Now(), shared: Shared{Embedded: true}, proxies: map[kind.Release]*pending{}}
}

// reference is goproxy/default of the catalogue.
func reference(config string) harness.Subject {
	return harness.Subject{Kind: kind.GoProxy, Name: "default", Role: harness.Reference, Config: config, Summary: "the bundled proxy"}
}

var catalogued = filepath.Join("..", "..", "scenarios", "configs", "goproxy", "default.yaml")

// six are scenarios of the catalogue, which this package cannot import: four whose
// name moves, and two whose name does not.
func six() []harness.Scenario {
	refuse, alias, sudden := rotate(), rotate(), rotate()
	refuse.Name = "alb-ip-refuse"
	refuse.Timeline[1].Do = []fault.Fault{fault.StrikeNodes{Kind: fakealb.FaultRefuse, Nodes: world.Left}}
	alias.Name = "alias-switch"
	alias.World = world.World{Balancers: []world.Balancer{{Name: "backend", Nodes: 2, Targets: 2}, {Name: "other", Nodes: 2, Targets: 2}}}
	alias.Timeline = []harness.Step{harness.Do(fault.SwitchAlias{To: "other"}), harness.After("grace", fault.LoseTargets{Nodes: world.Left})}
	sudden.Name, sudden.Budget = "sudden", harness.Budget{Recovery: true}
	sudden.Timeline = []harness.Step{harness.Do(sudden.Timeline[0].Do[0], sudden.Timeline[1].Do[0])}
	four := world.World{Balancers: []world.Balancer{{Name: "backend", Nodes: 4, Targets: 2}}}
	blink := harness.Scenario{
		Name: "alb-node-blink", World: four, Budget: harness.Budget{Recovery: true},
		Timeline: []harness.Step{
			harness.Do(fault.StrikeNodes{Kind: fakealb.FaultSilence, Nodes: world.Half}),
			harness.After("outage", fault.BringBack{Nodes: world.Struck}),
		},
	}
	dns := harness.Scenario{
		Name: "dns-servfail", World: four,
		Timeline: []harness.Step{harness.Do(fault.FailDNS{Kind: fakedns.KindServFail}), harness.After("outage", fault.HealDNS{})},
	}
	return []harness.Scenario{rotate(), refuse, alias, sudden, blink, dns}
}

// Without Docker the bundled proxy still goes through every scenario, and
// loses nothing. Not beside other tests: load, nodes and proxy share this
// process, and a busy machine would leave the cells unproven.
func TestReferenceOnTheEmbeddedTestbed(t *testing.T) {
	opt := options(t)
	opt.Parallel, opt.Settings.Posts, opt.Settings.Outage = 2, 10, 3*time.Second
	lab := newEmbedded(opt)
	var cells []Cell
	for _, s := range six() {
		cells = append(cells, Cell{s, reference(catalogued)})
	}
	results := lab.Run(t.Context(), cells)
	NewWithT(t).Expect(lab.Close()).To(Succeed())
	NewWithT(t).Expect(opt.Log.(*logged).String()).To(MatchRegexp(`\d s into the load, \d+\.\d s after the first fault: .*: in force after `), "both clocks, in words")
	for i, r := range results {
		t.Run(cells[i].Scenario.Name, func(t *testing.T) {
			g := NewWithT(t)
			g.Expect(r.Scenario.Name).To(Equal(cells[i].Scenario.Name), "results are in the order of the cells")
			g.Expect(r.Err).NotTo(HaveOccurred())
			g.Expect(r.NotRun).To(BeEmpty())
			g.Expect(r.Verdict.Result).To(Equal(judge.Pass), "%s", strings.Join(r.Verdict.Reasons, "; "))
			g.Expect(r.Verdict.Failed).To(Equal(r.Verdict.Unavoidable), "a POST on a node that died is lost; nothing else")
			g.Expect(r.Verdict.Sent).To(BeNumerically(">", 200))
			g.Expect(r.Manifest.Testbed).To(Equal("embedded"))
			rec, err := recording.Open(r.Dir)
			g.Expect(err).NotTo(HaveOccurred())
			for _, step := range rec.Steps {
				for _, p := range step.Proofs {
					g.Expect(p.OK).To(BeTrue(), "%s", p.Detail)
				}
			}
			g.Expect(rec.Steps).To(HaveLen(2))
			g.Expect(judge.Judge(rec)).To(Equal(r.Verdict))
		})
	}
}

// behindALB is a world with a load balancer in front, and a load that pauses for 2 s.
func behindALB() harness.Scenario {
	return harness.Scenario{
		Name:     "keepalive-race",
		World:    world.World{Front: &world.Front{Nodes: 2}, Balancers: []world.Balancer{{Name: "backend", Nodes: 2, Targets: 2}}},
		Load:     harness.Load{Quiet: "2s"},
		Timeline: []harness.Step{harness.Do(fault.StrikeNodes{Kind: fakealb.FaultTargetKeepAliveRace, Nodes: world.Fronts})},
	}
}

// With a load balancer in front, a proxy that closes connections within the pause loses
// requests to it, and one that keeps them does not.
func TestALoadBalancerInFront(t *testing.T) {
	g := NewWithT(t)
	content, err := os.ReadFile(catalogued)
	g.Expect(err).NotTo(HaveOccurred())
	short := file(t, "default.yaml", "clients: {idle_timeout: 1s}\n"+string(content))
	lab := newEmbedded(options(t))
	for config, want := range map[string]struct{ result, finding string }{
		catalogued: {judge.Pass, judge.KeepAliveHeld},
		short:      {judge.Fail, judge.KeepAliveRace},
	} {
		r := one(t.Context(), lab, behindALB(), reference(config))
		g.Expect(r.Err).NotTo(HaveOccurred())
		g.Expect(r.Verdict.Result).To(Equal(want.result), "%s", strings.Join(r.Verdict.Reasons, "; "))
		g.Expect(r.Verdict.Findings).To(ContainElement(HaveField("Code", want.finding)))
		g.Expect(r.Verdict.Failed).To(Equal(r.Verdict.OfFront), "the proxy answered all that it read")
		rec, err := recording.Open(r.Dir)
		g.Expect(err).NotTo(HaveOccurred())
		front := rec.Manifest.World.FrontNodes()
		g.Expect(rec.Manifest.Way.Front).To(Equal(front))
		through := map[netip.Addr]bool{}
		for _, a := range rec.Attempts {
			if a.Target != "" {
				through[a.Node] = true
			}
		}
		g.Expect(through).To(HaveLen(2), "clients call both nodes")
		g.Expect(judge.Judge(rec)).To(Equal(r.Verdict))
	}
	g.Expect(lab.Close()).To(Succeed())
}

// A Network Load Balancer in front passes connections on: it records no requests, and the run
// counts all the same. A proxy written in Go keeps idle connections known to it by TCP keepalives,
// which this test is too short to need.
func TestANetworkLoadBalancerInFront(t *testing.T) {
	g := NewWithT(t)
	s := behindALB()
	s.Name, s.World.Front = "nlb-silent-idle", &world.Front{Nodes: 2, Network: true}
	s.Timeline = []harness.Step{harness.Do(fault.ForgetIdle{Seconds: 60})}
	lab := newEmbedded(options(t))
	r := one(t.Context(), lab, s, reference(catalogued))
	g.Expect(r.Err).NotTo(HaveOccurred())
	g.Expect(r.Verdict.Result).To(Equal(judge.Pass), "%s", strings.Join(r.Verdict.Reasons, "; "))
	rec, err := recording.Open(r.Dir)
	g.Expect(err).NotTo(HaveOccurred())
	front := rec.Manifest.World.FrontNodes()
	g.Expect(rec.Attempts).NotTo(ContainElement(HaveField("Node", BeElementOf(front))))
	g.Expect(rec.Connections).To(ContainElement(HaveField("Node", front[0])))
	g.Expect(rec.Connections).To(ContainElement(HaveField("Node", front[1])))
	g.Expect(lab.Close()).To(Succeed())
}

func TestEmbeddedRunsNothingElse(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	lab := newEmbedded(options(t))
	r := one(t.Context(), lab, rotate(), own(kind.Nginx, file(t, "static.conf", nginxStatic), 0))
	g.Expect(r.Err).NotTo(HaveOccurred())
	g.Expect(r.NotRun).To(ContainSubstring("needs a Docker engine"), "which is neither red nor green")

	low := file(t, "low.yaml", "listen: \":8080\"\nroutes:\n  - upstream: b\nupstreams:\n  b:\n    url: http://backend.example.com\n")
	r = one(t.Context(), lab, rotate(), reference(low))
	g.Expect(r.Err).To(MatchError(And(ContainSubstring(low), ContainSubstring("a port of 1024 or above"))))
}

// With DOCKER_HOST the user has chosen an engine. Where it does not answer,
// nothing is installed in its place.
func TestOpenWithoutAnEngine(t *testing.T) {
	nowhere := "unix://" + filepath.Join(t.TempDir(), "none.sock")
	t.Setenv("DOCKER_HOST", nowhere)

	t.Setenv("CI", "")
	g := NewWithT(t)
	opt := options(t)
	lab, err := Open(t.Context(), opt)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(lab.Embedded()).To(BeTrue())
	g.Expect(lab.Close()).To(Succeed())
	g.Expect(fmt.Sprint(opt.Log)).To(And(ContainSubstring("no Docker engine"), ContainSubstring(nowhere)))

	opt.NeedsEngine = true
	lab, err = Open(t.Context(), opt)
	g.Expect(err).To(MatchError(ContainSubstring("no Docker engine")), "goproxy is not asked for")
	g.Expect(lab.Close()).To(Succeed())

	t.Setenv("CI", "true")
	lab, err = Open(t.Context(), options(t))
	g.Expect(err).To(MatchError(And(ContainSubstring("no Docker engine"), ContainSubstring(nowhere))))
	g.Expect(lab.Close()).To(Succeed())
}

// unprivilegedCell makes the test binary run a cell, with the value as the
// folder that holds default.yaml and takes the recording.
const unprivilegedCell = "PROXYCHAOS_TEST_CELL_IN"

func runUnprivileged(dir string) int {
	lab := newEmbedded(Options{
		Settings: shortGrace(), Runs: filepath.Join(dir, "runs"), Parallel: 1, Log: io.Discard,
	})
	r := one(context.Background(), lab, rotate(), reference(filepath.Join(dir, "default.yaml")))
	fmt.Printf("uid %d: %s %d failed of %d: %v %v\n", os.Getuid(), r.Verdict.Result, r.Verdict.Failed, r.Verdict.Sent, r.Verdict.Reasons, r.Err)
	if r.Err != nil || r.Verdict.Result != judge.Pass {
		return 1
	}
	return 0
}

// The embedded testbed needs no privilege. As root, the test gives it up; any
// other user has none to give.
func TestEmbeddedWithoutPrivilege(t *testing.T) {
	g := NewWithT(t)
	// t.TempDir is below a folder that is open to its owner only.
	dir, err := os.MkdirTemp("", "proxychaos-nobody-")
	g.Expect(err).NotTo(HaveOccurred())
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	content, err := os.ReadFile(catalogued)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(os.WriteFile(filepath.Join(dir, "default.yaml"), content, 0o644)).To(Succeed()) //nolint:gosec // another user reads it
	self, err := os.ReadFile("/proc/self/exe")
	g.Expect(err).NotTo(HaveOccurred())
	program := filepath.Join(dir, "run.test")
	g.Expect(os.WriteFile(program, self, 0o755)).To(Succeed()) //nolint:gosec // another user runs it
	g.Expect(os.Chmod(dir, 0o755)).To(Succeed())               //nolint:gosec // as above

	cmd := exec.CommandContext(t.Context(), program)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), unprivilegedCell+"="+dir)
	want := fmt.Sprintf("uid %d: pass 0 failed", os.Getuid())
	if os.Getuid() == 0 {
		const nobody = 65534
		g.Expect(os.Chown(dir, nobody, nobody)).To(Succeed())
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		want = "uid 65534: pass 0 failed"
	}
	out, err := cmd.CombinedOutput()
	g.Expect(err).NotTo(HaveOccurred(), string(out))
	g.Expect(string(out)).To(ContainSubstring(want))
}
