package deploy_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	. "github.com/onsi/gomega"
)

const workflows = "../.github/workflows"

// lint is what actionlint says of workflows; empty if nothing. The version is that of make lint.
func lint(t *testing.T, paths ...string) string {
	t.Helper()
	text, err := os.ReadFile("../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	tool := regexp.MustCompile(`github.com/rhysd/actionlint/cmd/actionlint@\S+`).Find(text)
	cmd := exec.CommandContext(t.Context(), "go", append([]string{"run", string(tool), "-no-color"}, paths...)...)
	out, err := cmd.Output()
	if info := new(exec.ExitError); err != nil && (!errors.As(err, &info) || len(out) == 0) {
		t.Fatal(err)
	}
	return string(out)
}

// The workflows pass actionlint, and it does find what is wrong.
func TestWorkflows(t *testing.T) {
	if testing.Short() { // make test-long: actionlint on the workflows
		t.Skip("compiles actionlint")
	}
	g := NewWithT(t)
	paths, err := filepath.Glob(filepath.Join(workflows, "*.yml"))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(paths).To(HaveLen(2))
	g.Expect(lint(t, paths...)).To(BeEmpty())
	text, err := os.ReadFile(filepath.Join(workflows, "nightly.yml"))
	g.Expect(err).NotTo(HaveOccurred())
	wrong := filepath.Join(t.TempDir(), "wrong.yml")
	g.Expect(os.WriteFile(wrong, bytes.Replace(text, []byte("needs: shard\n"), []byte("needs: shards\n"), 1), 0o600)).To(Succeed())
	g.Expect(lint(t, wrong)).To(ContainSubstring("shards"))
}

// As many shards run as make is told that there are.
func TestEveryShardRuns(t *testing.T) {
	g := NewWithT(t)
	text, err := os.ReadFile(filepath.Join(workflows, "nightly.yml"))
	g.Expect(err).NotTo(HaveOccurred())
	var nightly struct {
		Jobs map[string]struct {
			Strategy struct{ Matrix struct{ Part []int } }
			Steps    []struct{ Run string }
		}
	}
	g.Expect(yaml.Unmarshal(text, &nightly)).To(Succeed())
	shard := nightly.Jobs["shard"]
	parts := shard.Strategy.Matrix.Part
	for i, part := range parts {
		g.Expect(part).To(Equal(i + 1))
	}
	var runs []string
	for _, step := range shard.Steps {
		runs = append(runs, step.Run)
	}
	g.Expect(runs).To(ContainElement("make nightly SHARD=${{ matrix.part }}/" + strconv.Itoa(len(parts))))

	text, err = os.ReadFile("gitlab-ci.yml")
	g.Expect(err).NotTo(HaveOccurred())
	var gitlab struct {
		Nightly struct {
			Parallel int
			Script   []string
		}
	}
	g.Expect(yaml.Unmarshal(text, &gitlab)).To(Succeed())
	g.Expect(gitlab.Nightly.Parallel).To(Equal(len(parts)))
	g.Expect(gitlab.Nightly.Script).To(ContainElement(ContainSubstring("SHARD=\"$CI_NODE_INDEX/$CI_NODE_TOTAL\"")))
}

// gh is a made-up gh that keeps one issue in a file, and notes what it was asked.
const gh = `#!/bin/sh
echo "$@" >>"$STATE/asked"
case "$1 $2" in
"issue list") cat "$STATE/open" 2>/dev/null || true ;;
"issue create") echo 7 >"$STATE/open" ;;
"issue close") rm "$STATE/open" ;;
esac
`

// However many nights are red, there is one issue; the first green one closes it.
func TestOneIssue(t *testing.T) {
	g := NewWithT(t)
	dir := t.TempDir()
	g.Expect(os.WriteFile(filepath.Join(dir, "gh"), []byte(gh), 0o700)).To(Succeed()) //nolint:gosec // a program
	script, err := filepath.Abs("../.ci/issue")
	g.Expect(err).NotTo(HaveOccurred())
	asked := func(red bool) []string {
		_ = os.Remove(filepath.Join(dir, "asked")) // of the night before
		cmd := exec.CommandContext(t.Context(), script, strconv.FormatBool(red))
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "STATE="+dir, "RUN_URL=https://example.com/run/1", "PATH="+dir+":"+os.Getenv("PATH"))
		out, err := cmd.CombinedOutput()
		g.Expect(err).NotTo(HaveOccurred(), string(out))
		text, err := os.ReadFile(filepath.Join(dir, "asked"))
		g.Expect(err).NotTo(HaveOccurred())
		var verbs []string
		for line := range strings.Lines(string(text)) {
			words := strings.Fields(line)
			verbs = append(verbs, strings.Join(words[:2], " "))
		}
		return verbs
	}
	g.Expect(asked(false)).To(Equal([]string{"issue list"}))
	g.Expect(asked(true)).To(Equal([]string{"issue list", "label create", "issue create"}))
	g.Expect(asked(true)).To(Equal([]string{"issue list", "issue comment"}))
	g.Expect(asked(false)).To(Equal([]string{"issue list", "issue close"}))
	g.Expect(asked(false)).To(Equal([]string{"issue list"}))
}
