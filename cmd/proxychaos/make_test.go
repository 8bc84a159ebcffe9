package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
)

// root is where the Makefile is.
const root = "../.."

func makeIt(t *testing.T, env []string, args ...string) ran {
	t.Helper()
	return start(t, root, clean(env...), "make", args...)
}

// A wrong word is refused with one clear line, after which make adds its own,
// before anything is started.
func TestMakeRefusesWrongWords(t *testing.T) {
	for name, tc := range map[string]struct {
		args []string
		want string
	}{
		"no NAME":              {[]string{"scenario"}, "make scenario needs a NAME=, such as NAME=alb-ip-rotate; make list shows them"},
		"no NAME of a claim":   {[]string{"claim"}, "make claim needs a NAME=, such as NAME=002-valid-3s; docs/claims.md has them"},
		"unknown claim":        {[]string{"claim", "NAME=nope"}, `there is no claim "nope"; there are 000-`},
		"unknown NAME":         {[]string{"scenario", "NAME=nope"}, `there is no scenario "nope"; there are alb-ip-rotate`},
		"no such CONFIG":       {[]string{"scenario", "NAME=alb-ip-rotate", "PROXY=nginx", "CONFIG=./no such.conf"}, "CONFIG=./no such.conf: there is no such file or folder"},
		"CONFIG without PROXY": {[]string{"scenario", "NAME=alb-ip-rotate", "CONFIG=Makefile"}, "CONFIG=Makefile: say what it is for with PROXY="},
		"no such ENV":          {[]string{"scenario", "NAME=alb-ip-rotate", "PROXY=nginx", "CONFIG=Makefile", "ENV=./no such"}, "/no such: want variables, NAME=value, or a file of them"},
		"GRACE too short":      {[]string{"scenario", "NAME=alb-ip-rotate", "GRACE=1s"}, "raise GRACE"},
		"compare of nothing":   {[]string{"compare"}, "compare needs two configs"},
		"compare, no such A":   {[]string{"compare", "A=none", "B=none", "PROXY=nginx"}, "A=none: there is no such file or folder"},
		"FLOOR":                {[]string{"nightly", "FLOOR=x"}, "FLOOR=x: "},
		"quiet":                {[]string{"-s", "scenario", "NAME=nope"}, `no scenario "nope"`},
		"in parallel":          {[]string{"-j4", "scenario", "NAME=nope"}, `no scenario "nope"`},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			got := makeIt(t, nil, tc.args...)
			g.Expect(got.code).To(Equal(2))
			var lines []string
			for line := range strings.Lines(got.stderr) {
				if !strings.HasPrefix(line, "make: ***") {
					lines = append(lines, line)
				}
			}
			g.Expect(lines).To(HaveLen(1), got.stderr)
			g.Expect(lines[0]).To(ContainSubstring(tc.want))
			g.Expect(got.stdout).To(BeEmpty())
		})
	}
}

// Some shells have a NAME or a PROXY of their own: only what is said to make
// counts.
func TestMakeTakesNoWordsFromTheShell(t *testing.T) {
	g := NewWithT(t)
	got := makeIt(t, []string{"NAME=DESKTOP-1", "PROXY=http://proxy.example.com:3128", "A=1", "B=2", "ENV=/root/.shrc"}, "scenario")
	g.Expect(got.stderr).To(ContainSubstring("needs a NAME="))
	got = makeIt(t, []string{"NAME=DESKTOP-1", "PROXY=http://proxy.example.com:3128"}, "scenario", "NAME=nope", "PROXY=nginx")
	g.Expect(got.stderr).To(ContainSubstring(`no scenario "nope"`))
	got = makeIt(t, []string{"RATE=1"}, "scenario", "NAME=alb-ip-rotate")
	g.Expect(got.stderr).To(ContainSubstring("RATE=1: "), "the numbers of a run may come from a job's environment")
}

// help and list say the same as there is.
func TestMakeHelpListsEveryTarget(t *testing.T) {
	g := NewWithT(t)
	got := makeIt(t, nil, "help")
	g.Expect(got.code).To(BeZero())
	for _, target := range []string{"help", "list", "build", "scenario", "compare", "atlas", "nightly", "merge", "baseline", "proxies", "corpus", "test", "test-long", "bench", "bench-proxy", "soak", "fidelity", "errorrate", "pairs", "clean"} {
		g.Expect(got.stdout).To(MatchRegexp(`(?m)^  make ` + target + ` +\S`))
		g.Expect(makeIt(t, nil, "-n", target, "NAME=alb-ip-rotate").code).To(BeZero(), target)
	}
	g.Expect(makeIt(t, nil).stdout).To(Equal(got.stdout), "it is what plain make says")
	got = makeIt(t, nil, "list")
	g.Expect(got.code).To(BeZero(), got.stderr)
	g.Expect(got.stdout).To(ContainSubstring("alb-ip-rotate"))
}

// What a test leaves out with -short stands in a comment beside testing.Short, which is
// what "make test" says at its end.
func TestWhatIsLeftToTestLongIsSaid(t *testing.T) {
	g := NewWithT(t)
	short := 0
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		calls, comments := strings.Count(string(data), "testing."+"Short()"), strings.Count(string(data), "// make "+"test-long: ")
		g.Expect(comments).To(Equal(calls), "%s: %d tests are shorter with -short, and %d comments say what they leave out", path, calls, comments)
		short += calls
		return nil
	})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(short).NotTo(BeZero(), "nothing was read")
	got := makeIt(t, nil, "-n", "test")
	g.Expect(got.code).To(BeZero(), got.stderr)
	g.Expect(got.stdout).To(ContainSubstring(" -short "))
	g.Expect(makeIt(t, nil, "-n", "test-long").stdout).NotTo(ContainSubstring("-short"))
}

// Make asks three commands for one run. That there is no engine is said by one of them: the
// first if nothing can be run, else the last, which runs what it can.
func TestAMissingEngineIsSaidOnce(t *testing.T) {
	g := NewWithT(t)
	dir := t.TempDir()
	for _, command := range []string{"check", "images"} {
		got := start(t, dir, clean(noEngine, "CI="), program, command)
		g.Expect(got).To(Equal(ran{}), "%s: the suite runs goproxy, and says so", command)
	}
	for _, env := range []string{"PROXYCHAOS_PROXY=nginx", "CI=true"} {
		got := start(t, dir, clean(noEngine, "CI=", env), program, "check")
		g.Expect(got.code).To(Equal(exitTrouble), env)
		g.Expect(got.stderr).To(MatchRegexp(`^proxychaos: no Docker engine: .*\n$`), env)
	}
}
