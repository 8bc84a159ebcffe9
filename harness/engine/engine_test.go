package engine

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/testcontainers/testcontainers-go"
)

func TestEnsureFindsTheEngine(t *testing.T) {
	g := NewWithT(t)
	var log strings.Builder
	e, err := Ensure(t.Context(), &log)
	g.Expect(err).NotTo(HaveOccurred(), "the tests of this package need a running Docker engine")
	g.Expect(e.Version).NotTo(BeEmpty())
	g.Expect(e.Started).To(BeEmpty())
	g.Expect(log.String()).To(BeEmpty(), "an engine that is there is nothing to talk about")
}

func TestExplicitDockerHostIsNeverReplaced(t *testing.T) {
	g := NewWithT(t)
	host := "unix://" + filepath.Join(t.TempDir(), "absent.sock")
	t.Setenv("DOCKER_HOST", host)
	dir := fakeTools(t, "apt-get", "dockerd")
	_, err := Ensure(t.Context(), io.Discard)
	g.Expect(errors.Is(err, ErrNoEngine)).To(BeTrue())
	g.Expect(err).To(MatchError(ContainSubstring(host)))
	g.Expect(calls(t, dir)).To(BeEmpty())
}

func TestWithoutRootNothingIsInstalled(t *testing.T) {
	for name, m := range map[string]machine{
		"not root":   {euid: 1000, osRelease: osRelease(t, "ID=debian")},
		"not Debian": {osRelease: osRelease(t, "ID=fedora")},
		"no apt-get": {osRelease: osRelease(t, "ID=debian")},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			t.Setenv("DOCKER_HOST", "")
			tools := []string{"apt-get"}
			if name == "no apt-get" {
				tools = nil
			}
			dir := fakeTools(t, tools...)
			m.sockets = []string{"unix://" + filepath.Join(t.TempDir(), "absent.sock")}
			_, err := m.ensure(t.Context(), io.Discard)
			g.Expect(errors.Is(err, ErrNoEngine)).To(BeTrue())
			g.Expect(err.Error()).To(ContainSubstring(strings.TrimPrefix(name, "no ")))
			g.Expect(m.check(t.Context())).To(MatchError(err.Error()), "it can be told before")
			g.Expect(calls(t, dir)).To(BeEmpty())
		})
	}
}

func TestSocketOfAnotherUserIsSaid(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Fatal("needs root: it drops to the user nobody")
	}
	g := NewWithT(t)
	dir := t.TempDir()
	g.Expect(os.Chmod(dir, 0o700)).To(Succeed())
	bin := filepath.Join(os.TempDir(), "proxychaos-engine-test-"+strconv.Itoa(os.Getpid()))
	t.Cleanup(func() { _ = os.Remove(bin) })
	self, err := os.ReadFile(os.Args[0])
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(os.WriteFile(bin, self, 0o755)).To(Succeed()) //nolint:gosec // nobody must run it
	cmd := exec.Command(bin, "-test.run=TestHelperAsNobody")
	cmd.Env = []string{"PROXYCHAOS_SOCKET=unix://" + filepath.Join(dir, "docker.sock"), "PATH=/nonexistent"}
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	out, err := cmd.CombinedOutput()
	g.Expect(err).NotTo(HaveOccurred(), string(out))
	g.Expect(string(out)).To(ContainSubstring("add the user to the group docker"))
}

// TestHelperAsNobody is the other half of TestSocketOfAnotherUserIsSaid.
func TestHelperAsNobody(t *testing.T) {
	socket := os.Getenv("PROXYCHAOS_SOCKET")
	if socket == "" {
		return
	}
	_, err := machine{euid: os.Geteuid(), sockets: []string{socket}}.ensure(t.Context(), io.Discard)
	if !errors.Is(err, ErrNoEngine) {
		t.Fatalf("got %v, want ErrNoEngine", err)
	}
	_, _ = os.Stdout.WriteString(err.Error())
}

func TestTestcontainersUsesTheEngineFound(t *testing.T) {
	g := NewWithT(t)
	for _, name := range []string{"DOCKER_HOST", "TESTCONTAINERS_RYUK_DISABLED", "TESTCONTAINERS_HOST_OVERRIDE"} {
		t.Setenv(name, "") // restored after the test
	}
	e, err := Ensure(t.Context(), io.Discard)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(e.SetTestcontainersEnv()).To(Succeed())

	p, err := testcontainers.NewDockerProvider()
	g.Expect(err).NotTo(HaveOccurred())
	t.Cleanup(func() { _ = p.Close() })
	g.Expect(p.Config().Config.RyukDisabled).To(BeTrue())
	host, err := p.DaemonHost(context.Background())
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(host).To(Equal("127.0.0.1"))
}

// fakeTools makes PATH hold only the named programs; each writes its name and
// arguments to the file calls in the returned folder.
func fakeTools(t *testing.T, names ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range names {
		script := "#!/bin/sh\necho " + name + " \"$@\" >> " + dir + "/calls\n"
		if err := os.WriteFile(filepath.Join(dir, name), []byte(script), 0o755); err != nil { //nolint:gosec // a program
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", dir)
	return dir
}

func calls(t *testing.T, dir string) []string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, "calls"))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(b)), "\n")
}

func osRelease(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "os-release")
	if err := os.WriteFile(path, []byte("NAME=x\n"+content+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// Who only looks for an engine gets the command that brings one, and nothing installed.
func TestFindInstallsNothing(t *testing.T) {
	t.Setenv("DOCKER_HOST", "")
	for name, tc := range map[string]struct {
		release string
		tools   []string
		want    string
	}{
		"Debian":      {"ID=debian", []string{"apt-get"}, "as root, apt-get install docker.io"},
		"not running": {"ID=debian", []string{"apt-get", "dockerd"}, "systemctl start docker"},
		"Fedora":      {"ID=fedora", nil, "https://docs.docker.com/engine/install/"},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			dir := fakeTools(t, tc.tools...)
			m := machine{osRelease: osRelease(t, tc.release), sockets: []string{"unix://" + filepath.Join(t.TempDir(), "absent.sock")}}
			_, err := m.find(t.Context())
			g.Expect(errors.Is(err, ErrNoneAnswers)).To(BeTrue(), "got %v", err)
			g.Expect(errors.Is(err, ErrNoEngine)).To(BeTrue(), "got %v", err)
			g.Expect(m.howToGet()).To(ContainSubstring(tc.want))
			if err := m.check(t.Context()); tc.tools == nil {
				g.Expect(errors.Is(err, ErrNoEngine)).To(BeTrue(), "got %v", err)
			} else {
				g.Expect(err).NotTo(HaveOccurred(), "root can have one")
			}
			g.Expect(calls(t, dir)).To(BeEmpty())
		})
	}
}

// An engine that is not on this machine is refused before it is asked.
func TestAnEngineOfAnotherMachineIsRefused(t *testing.T) {
	for _, host := range []string{"tcp://192.0.2.1:2376", "ssh://me@192.0.2.1"} {
		g := NewWithT(t)
		t.Setenv("DOCKER_HOST", host)
		_, err := Find(t.Context())
		g.Expect(errors.Is(err, ErrNoEngine)).To(BeTrue(), "got %v", err)
		g.Expect(err).To(MatchError(And(ContainSubstring(host), ContainSubstring("run proxychaos on the machine of that engine"))))
	}
}

// An engine whose networks are elsewhere is refused: this process could not reach a cell.
func TestAnEngineWithNetworksElsewhereIsRefused(t *testing.T) {
	g := NewWithT(t)
	e, err := Ensure(t.Context(), io.Discard)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(e.Here(t.Context())).To(Succeed())
	cmd := exec.Command("unshare", "--net", os.Args[0], "-test.run=TestHelperElsewhere")
	cmd.Env = append(os.Environ(), "PROXYCHAOS_ENGINE="+e.Host)
	out, err := cmd.CombinedOutput()
	g.Expect(err).NotTo(HaveOccurred(), string(out))
	g.Expect(string(out)).To(And(ContainSubstring("no Docker engine: the one at "+e.Host), ContainSubstring("--network=host")))
}

// TestHelperElsewhere is the other half of TestAnEngineWithNetworksElsewhereIsRefused.
func TestHelperElsewhere(t *testing.T) {
	host := os.Getenv("PROXYCHAOS_ENGINE")
	if host == "" {
		return
	}
	err := Engine{Host: host}.Here(t.Context())
	if !errors.Is(err, ErrNoEngine) {
		t.Fatalf("got %v, want ErrNoEngine", err)
	}
	_, _ = os.Stdout.WriteString(err.Error())
}
