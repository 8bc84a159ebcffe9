package run

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/fault"
	"github.com/proxychaos/proxychaos/harness/images"
	"github.com/proxychaos/proxychaos/harness/kind"
	"github.com/proxychaos/proxychaos/harness/world"
)

// The cells of these tests are short: what is shown here does not depend on
// how long a proxy is looked at, and what does is shown by make scenario.
func TestMain(m *testing.M) {
	timing := harness.Timings[harness.Scaled]
	timing.Healthy, timing.Phase, timing.After = time.Second, time.Second, 4*time.Second
	harness.Timings[harness.Scaled] = timing
	if helper := os.Getenv(unprivilegedCell); helper != "" {
		os.Exit(runUnprivileged(helper))
	}
	code := m.Run()
	shared.close()
	os.Exit(code)
}

// rotate is scenarios.ALBIPRotate, which this package cannot import.
func rotate() harness.Scenario {
	return harness.Scenario{
		Name: "alb-ip-rotate", Summary: "The name moves; the old nodes go silent.",
		World: world.World{Balancers: []world.Balancer{{Name: "backend", Nodes: 2, Spare: 2, Targets: 2}}},
		Timeline: []harness.Step{
			harness.Do(fault.ChangeDNS{To: world.Spare}),
			harness.After("grace", fault.StrikeNodes{Kind: fakealb.FaultSilence, Nodes: world.Left}),
		},
	}
}

// shortGrace is longer than the TTL of 1 s and the refresh of 1 s of the
// configs here.
func shortGrace() harness.Settings {
	set := harness.DefaultSettings()
	set.Grace, set.Rate = 2500*time.Millisecond, 50
	return set
}

func options(t *testing.T) Options {
	t.Helper()
	return Options{
		Settings: shortGrace(), Runs: t.TempDir(), Parallel: 1, InstallEngine: true,
		Log: &logged{t: t},
	}
}

// logged shows the lab's log with the test that it belongs to, and keeps it.
type logged struct {
	t    *testing.T
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.t.Logf("%s", bytes.TrimRight(p, "\n"))
	return l.text.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// shared is the static build of the agents, made once for all tests.
var shared agentBuild

type agentBuild struct {
	once sync.Once
	dir  string
	err  error
}

func (b *agentBuild) path(t *testing.T) string {
	t.Helper()
	b.once.Do(func() {
		if b.dir, b.err = os.MkdirTemp("", "proxychaos-run-test-"); b.err == nil {
			b.err = images.Build(context.Background(), ".", filepath.Join(b.dir, "proxychaos"))
		}
	})
	if b.err != nil {
		t.Fatal(b.err)
	}
	return filepath.Join(b.dir, "proxychaos")
}

func (b *agentBuild) close() {
	if b.dir != "" {
		_ = os.RemoveAll(b.dir)
	}
}

// containers opens a lab on the Docker engine of this machine.
func containers(t *testing.T, opt Options) *Lab {
	t.Helper()
	opt.Binary = shared.path(t)
	lab, err := Open(t.Context(), opt)
	t.Cleanup(func() {
		if err := lab.Close(); err != nil {
			t.Errorf("closing the lab: %v", err)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if lab.Embedded() {
		t.Fatal("the tests of this package need a Docker engine: start one, or run as root on Debian to have one installed")
	}
	return lab
}

// file writes a config and returns its path.
func file(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// own is a config of one's own as a subject.
func own(name kind.Name, path string, refresh time.Duration) harness.Subject {
	s := harness.Subject{Kind: name, Name: "own-config", Role: harness.Own, Config: path, Summary: "your own config", Refresh: refresh}
	if name != kind.GoProxy {
		s.Release = harness.Stable
	}
	return s
}

// one runs a single cell.
func one(ctx context.Context, lab *Lab, s harness.Scenario, who harness.Subject) Result {
	return lab.Run(ctx, []Cell{{s, who}})[0]
}

func TestProxiesRunOnLinuxAlone(t *testing.T) {
	if err := canRunOn("linux"); err != nil {
		t.Error(err)
	}
	err := canRunOn("darwin")
	if err == nil || !strings.Contains(err.Error(), "this is darwin: do this in a Linux machine") {
		t.Errorf("got %v", err)
	}
}
