package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/moby/moby/client"
	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/engine"
	"github.com/proxychaos/proxychaos/harness/images"
	"github.com/proxychaos/proxychaos/harness/kind"
	"github.com/proxychaos/proxychaos/harness/reaper"
)

// comparison is a compare that runs in a process of its own, on agents of its
// own: the program with a few bytes behind it makes a kit image that no other
// run has, and by which everything it starts is found.
type comparison struct {
	t      *testing.T
	docker *client.Client
	kit    string // the image
	// session is the label of everything but the reaper, once it was seen.
	session string
	runs    string
	cmd     *exec.Cmd
	stdout  bytes.Buffer
	stderr  shown
	ended   chan error
}

// shown is standard error, with what was on it so far.
type shown struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *shown) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *shown) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// ownKit is a copy of the program whose image has a name of its own.
func ownKit(t *testing.T, docker *client.Client) (path, ref string) {
	t.Helper()
	content, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(t.TempDir(), "proxychaos")
	if err := os.WriteFile(path, append(content, rand.Text()...), 0o755); err != nil { //nolint:gosec // a program
		t.Fatal(err)
	}
	finder := images.New(docker, io.Discard, nil)
	finder.MayInstall = true
	if ref, err = finder.Kit(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := docker.ImageRemove(context.Background(), ref, client.ImageRemoveOptions{Force: true, PruneChildren: true}); err != nil {
			t.Errorf("removing the test's kit: %v", err)
		}
	})
	// The proxy's image too: to build it is not part of the times waited below.
	nginx, err := kind.Of(kind.Nginx)
	if err != nil {
		t.Fatal(err)
	}
	stable, err := nginx.Release(harness.Stable)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := finder.Proxy(t.Context(), stable); err != nil {
		t.Fatal(err)
	}
	return path, ref
}

// compareConfigs starts a comparison in alias-switch, where failures are 503
// at once.
func compareConfigs(t *testing.T, a, b string, set ...string) *comparison {
	t.Helper()
	e, err := engine.Ensure(t.Context(), io.Discard)
	if err != nil {
		t.Fatalf("these tests need a Docker engine: %v", err)
	}
	docker, err := e.Client()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = docker.Close() })
	c := &comparison{t: t, docker: docker, runs: t.TempDir(), ended: make(chan error, 1)}
	var kit string
	kit, c.kit = ownKit(t, docker)
	configs, err := filepath.Abs("../../scenarios/configs/nginx")
	if err != nil {
		t.Fatal(err)
	}
	c.cmd = exec.Command(program, "compare", "--a", filepath.Join(configs, a), "--b", filepath.Join(configs, b)) //nolint:noctx // ended by signals
	c.cmd.Env = clean(append(set, "DOCKER_HOST="+e.Host, "CI=true", "PROXYCHAOS_NAME=alias-switch", "PROXYCHAOS_PROXY=nginx", "PROXYCHAOS_RATE=50", "PROXYCHAOS_KIT="+kit, "PROXYCHAOS_RUNS="+c.runs)...)
	c.cmd.Stdout, c.cmd.Stderr = &c.stdout, &c.stderr
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { c.ended <- c.cmd.Wait() }()
	t.Cleanup(func() {
		_ = c.cmd.Process.Kill() // where the test broke off
		if t.Failed() {
			t.Logf("standard error:\n%s\nstandard output:\n%s", c.stderr.String(), c.stdout.String())
		}
	})
	return c
}

// there is what this comparison has on the engine.
func (c *comparison) there() []string {
	c.t.Helper()
	ctx := context.Background()
	found, err := c.docker.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: make(client.Filters).Add("ancestor", c.kit)})
	if err != nil {
		c.t.Fatal(err)
	}
	var there []string
	for _, k := range found.Items {
		there = append(there, k.Command)
		if session := k.Labels[reaper.SessionLabel]; session != "" {
			c.session = session // the reaper itself has none
		}
	}
	if c.session == "" {
		return there
	}
	filters := make(client.Filters).Add("label", reaper.SessionLabel+"="+c.session)
	networks, err := c.docker.NetworkList(ctx, client.NetworkListOptions{Filters: filters})
	if err != nil {
		c.t.Fatal(err)
	}
	for _, n := range networks.Items {
		there = append(there, "network "+n.Name)
	}
	proxies, err := c.docker.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: filters})
	if err != nil {
		c.t.Fatal(err)
	}
	for _, k := range proxies.Items {
		if k.Image != c.kit {
			there = append(there, k.Command)
		}
	}
	return there
}

// stop sends a signal and returns the exit code; -1 where the signal ended it.
func (c *comparison) stop(g *WithT, signal syscall.Signal) int {
	g.Expect(c.cmd.Process.Signal(signal)).To(Succeed())
	return c.end(g, 20*time.Second)
}

func (c *comparison) end(g *WithT, within time.Duration) int {
	var err error
	g.Eventually(c.ended, within).Should(Receive(&err))
	return c.cmd.ProcessState.ExitCode()
}

// B is better where it passes what A fails, and the other way round worse. The
// words and the exit code are what a rollout is decided by.
func TestCompare(t *testing.T) {
	for name, tc := range map[string]struct {
		a, b, says string
		code       int
	}{
		"better": {"static.conf", "variable.conf", "roll out: B is better: failed requests ", 0},
		"worse":  {"variable.conf", "static.conf", "do not roll out: B is worse: failed requests ", 1},
		"itself": {"variable.conf", "variable.conf", "roll out: no difference that counts in 1 scenario", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			c := compareConfigs(t, tc.a, tc.b, "PROXYCHAOS_GRACE=5s", "PROXYCHAOS_PARALLEL=2", "PROXYCHAOS_FOR=8m", "PROXYCHAOS_MIN_P99=1000%")
			g.Expect(c.end(g, 10*time.Minute)).To(Equal(tc.code), c.stderr.String())
			g.Expect(c.stdout.String()).To(ContainSubstring(tc.says))
			g.Expect(filepath.Join(c.runs, "compare.html")).To(BeARegularFile())
			g.Expect(c.there()).To(BeEmpty())
		})
	}
}

// An interrupt, at any moment, ends the run soon, with a word and a code that
// say so, and with nothing left behind.
func TestInterruptLeavesNothing(t *testing.T) {
	for name, moment := range map[string]func(*comparison) bool{
		"while the testbed starts": func(c *comparison) bool { return len(c.there()) >= 2 },
		"under load": func(c *comparison) bool {
			return strings.Contains(c.stderr.String(), "alias moves to another load balancer")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			c := compareConfigs(t, "static.conf", "variable.conf", "PROXYCHAOS_GRACE=60s", "PROXYCHAOS_PARALLEL=1")
			g.Eventually(func() bool { return moment(c) }, "60s", "10ms").Should(BeTrue())
			g.Expect(c.stop(g, syscall.SIGINT)).To(Equal(130))
			g.Expect(c.there()).To(BeEmpty(), "at once, without the reaper's grace")
			g.Expect(c.stderr.String()).To(ContainSubstring("interrupted"))
			g.Expect(c.stderr.String()).NotTo(ContainSubstring("goroutine"))
		})
	}
}

// SIGKILL leaves the process no moment: the reaper cleans up, and then itself.
func TestKillLeavesNothing(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	c := compareConfigs(t, "static.conf", "variable.conf", "PROXYCHAOS_GRACE=60s", "PROXYCHAOS_PARALLEL=1")
	g.Eventually(c.stderr.String, "60s", "10ms").Should(ContainSubstring("alias moves to another load balancer"))
	g.Expect(len(c.there())).To(BeNumerically(">=", 6), "reaper, three agents, proxy, network")
	g.Expect(c.stop(g, syscall.SIGKILL)).To(Equal(-1))
	g.Eventually(c.there, "30s", "200ms").Should(BeEmpty())
	steps, err := filepath.Glob(filepath.Join(c.runs, "alias-switch", "nginx", "*", "2*", "steps.jsonl"))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(steps).To(HaveLen(1))
	g.Expect(os.ReadFile(steps[0])).NotTo(BeEmpty(), "what was seen until then is kept")
}
