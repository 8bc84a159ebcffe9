package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/harness/images"
	"github.com/proxychaos/proxychaos/scenarios"
)

// program is the static build of this command, made once for all tests.
var program string

func TestMain(m *testing.M) {
	os.Exit(testMain(m))
}

func testMain(m *testing.M) int {
	dir, err := os.MkdirTemp("", "proxychaos-cmd-test-")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := os.Chmod(dir, 0o755); err != nil { //nolint:gosec // other users run it too
		panic(err)
	}
	program = filepath.Join(dir, "proxychaos")
	if err := images.Build(context.Background(), ".", program); err != nil {
		panic(err)
	}
	return m.Run()
}

// ran is what became of a command.
type ran struct {
	code           int
	stdout, stderr string
}

// clean is the environment without what the tests, or make, may have set.
func clean(set ...string) []string {
	var env []string
	for _, pair := range os.Environ() {
		name, _, _ := strings.Cut(pair, "=")
		switch {
		case strings.HasPrefix(name, scenarios.Prefix):
		case slices.Contains([]string{"NAME", "PROXY", "A", "B", "MAKEFLAGS", "MAKELEVEL", "MFLAGS"}, name):
		default:
			env = append(env, pair)
		}
	}
	return append(env, set...)
}

func start(t *testing.T, dir string, env []string, name string, args ...string) ran {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = dir, env, &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return ran{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

func proxychaos(t *testing.T, args ...string) ran {
	t.Helper()
	return start(t, t.TempDir(), clean(), program, args...)
}

// Who types a command's name alone sees what there is; agents are the harness's own.
func TestHelp(t *testing.T) {
	g := NewWithT(t)
	for _, args := range [][]string{nil, {"--help"}, {"help"}} {
		got := proxychaos(t, args...)
		g.Expect(got.code).To(Equal(0), got.stderr)
		g.Expect(got.stdout).To(And(MatchRegexp(`(?m)^  goproxy `), MatchRegexp(`(?m)^  compare `), MatchRegexp(`(?m)^  run `), MatchRegexp(`(?m)^  version `), MatchRegexp(`(?m)^  completion `)))
		g.Expect(got.stdout).NotTo(MatchRegexp(`(?m)^  (pod|load|reaper|check)\b`))
	}
	got := proxychaos(t, "goproxy")
	g.Expect(got.code).To(Equal(0), got.stderr)
	g.Expect(got.stdout).To(ContainSubstring("validate"))
}

// What a report of a fault has to name.
func TestVersion(t *testing.T) {
	g := NewWithT(t)
	got := proxychaos(t, "version")
	g.Expect(got.code).To(Equal(0), got.stderr)
	g.Expect(got.stdout).To(MatchRegexp(`^proxychaos \S+ .*go1\.\d+\S* linux/\w+\n$`))
}

// The word that was wrong is the one that the user gave, to make or to the command.
func TestCompareNamesItsOwnWords(t *testing.T) {
	g := NewWithT(t)
	dir := t.TempDir()
	g.Expect(os.WriteFile(filepath.Join(dir, "now.conf"), []byte("server {}"), 0o600)).To(Succeed())
	got := start(t, dir, clean("PROXYCHAOS_PROXY=nginx"), program, "compare", "--make", "--a", "now.conf", "--b", "none.conf")
	g.Expect(got.code).To(Equal(exitNotRun))
	g.Expect(got.stderr).To(Equal("proxychaos: B=none.conf: there is no such file or folder\n"))
	got = start(t, dir, clean("PROXYCHAOS_PROXY=nginx"), program, "compare", "--a", "none.conf", "--b", "now.conf")
	g.Expect(got.stderr).To(Equal("proxychaos: --a none.conf: there is no such file or folder\n"))
}

func TestList(t *testing.T) {
	g := NewWithT(t)
	got := proxychaos(t, "list")
	g.Expect(got.code).To(BeZero(), got.stderr)
	for _, want := range []string{"alb-ip-rotate", "alb-ip-refuse", "alias-switch", "alb-ip-abrupt", "nginx/static", "goproxy/default"} {
		g.Expect(got.stdout).To(MatchRegexp(`(?m)^` + want + ` `))
	}
}
