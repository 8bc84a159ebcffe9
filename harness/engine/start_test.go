package engine

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	. "github.com/onsi/gomega"
)

// TestStartsARealEngine starts a second dockerd next to the machine's own, with
// the arguments of Ensure, and stops it again. It has every path of its own and
// a network namespace of its own: a second engine would otherwise set up, or
// even remove, the bridge docker0 of the first.
func TestStartsARealEngine(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Fatal("needs root: it starts a dockerd")
	}
	g := NewWithT(t)
	t.Setenv("DOCKER_HOST", "")
	dir := t.TempDir()
	m := thisMachine()
	m.sockets = []string{"unix://" + dir + "/d.sock"}
	m.logFile = filepath.Join(dir, "dockerd.log")
	m.dockerd = append(m.dockerd,
		"-H", m.sockets[0], "--data-root", dir+"/data", "--exec-root", dir+"/exec",
		"--pidfile", dir+"/d.pid", "--config-file", dir+"/daemon.json", "--storage-driver=vfs")
	g.Expect(os.WriteFile(dir+"/daemon.json", []byte("{}"), 0o600)).To(Succeed())
	isolate(t)
	var log strings.Builder
	e, err := m.ensure(t.Context(), &log)
	g.Expect(err).NotTo(HaveOccurred())
	t.Cleanup(func() { stopByPidfile(t, dir+"/d.pid") })
	g.Expect(e.Started).To(Equal(m.logFile))
	g.Expect(e.Version).NotTo(BeEmpty())
	g.Expect(log.String()).To(MatchRegexp(`^started dockerd \S+ in \d+\.\d s; it keeps running \(to stop it: kill \d+\), its log is .*dockerd\.log\n$`))

	again, err := m.ensure(t.Context(), &log)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(again.Started).To(BeEmpty(), "a second call finds the first one's engine")
}

// isolate makes the program dockerd run in a network namespace of its own.
func isolate(t *testing.T) {
	t.Helper()
	real, err := exec.LookPath("dockerd")
	if err != nil {
		t.Fatalf("needs dockerd: %v", err)
	}
	dir := t.TempDir()
	script := "#!/bin/sh\nexec unshare --net " + real + " \"$@\"\n"
	if err := os.WriteFile(filepath.Join(dir, "dockerd"), []byte(script), 0o755); err != nil { //nolint:gosec // a program
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
}

func stopByPidfile(t *testing.T, path string) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Errorf("the started dockerd has no pidfile: %v", err)
		return
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil {
		t.Errorf("pidfile: %v", err)
		return
	}
	if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
		t.Errorf("stop dockerd %d: %v", pid, err)
	}
	for end := time.Now().Add(20 * time.Second); syscall.Kill(pid, 0) == nil; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Errorf("dockerd %d did not stop within 20 s", pid)
			return
		}
	}
}

func TestInstallsWhatIsMissingThenStarts(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Fatal("needs root: apt-get is called only for root")
	}
	g := NewWithT(t)
	t.Setenv("DOCKER_HOST", "")
	dir := fakeTools(t)
	// The fake installation brings a dockerd that fails as the real one does.
	script := `#!/bin/sh
echo apt-get "$@" >> ` + dir + `/calls
[ "$1" = install ] || exit 0
printf '#!/bin/sh\necho dockerd "$@" >> ` + dir + `/calls\necho failed to start daemon: no cgroups >&2\nexit 1\n' > ` + dir + `/dockerd
/bin/chmod 755 ` + dir + `/dockerd
`
	g.Expect(os.WriteFile(filepath.Join(dir, "apt-get"), []byte(script), 0o755)).To(Succeed()) //nolint:gosec // a program
	m := machine{
		osRelease: osRelease(t, `ID_LIKE="foo debian"`),
		sockets:   []string{"unix://" + dir + "/d.sock"},
		dockerd:   []string{"--ip", "127.0.0.1"},
		logFile:   filepath.Join(dir, "dockerd.log"),
	}
	var log strings.Builder
	_, err := m.ensure(t.Context(), &log)
	g.Expect(err).To(MatchError(And(ContainSubstring("exit status 1"), ContainSubstring("no cgroups"), ContainSubstring(m.logFile))))
	g.Expect(calls(t, dir)).To(Equal([]string{
		"apt-get update -qq",
		"apt-get install -o DPkg::Lock::Timeout=300 -y -qq --no-install-recommends docker.io mmdebstrap",
		"dockerd --ip 127.0.0.1",
	}))
	g.Expect(log.String()).To(MatchRegexp(`^installed docker\.io mmdebstrap with apt-get in \d+\.\d s\n$`))
}

func TestFailedInstallationShowsWhatAptSaid(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Fatal("needs root: apt-get is called only for root")
	}
	g := NewWithT(t)
	t.Setenv("DOCKER_HOST", "")
	dir := fakeTools(t)
	script := "#!/bin/sh\necho E: Unable to locate package docker.io >&2\nexit 100\n"
	g.Expect(os.WriteFile(filepath.Join(dir, "apt-get"), []byte(script), 0o755)).To(Succeed()) //nolint:gosec // a program
	_, err := machine{osRelease: osRelease(t, "ID=debian"), sockets: []string{"unix://" + dir + "/d.sock"}}.ensure(t.Context(), io.Discard)
	g.Expect(err).To(MatchError(And(ContainSubstring("Unable to locate package docker.io"), ContainSubstring("exit status 100"))))
}
