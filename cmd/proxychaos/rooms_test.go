package main

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
)

// rooms are the packages of the picture in docs/design.md. A package below one belongs to it,
// but for those below harness. What all use, such as harness/control, is left out.
var rooms = []string{
	"cmd/proxychaos", "scenarios", "reports", "goproxy", "fakealb", "fakedns",
	"harness", "harness/run", "harness/testbed", "harness/embedded", "harness/pod", "harness/load", "harness/wayin", "harness/images", "harness/engine",
	"harness/config", "harness/fault", "harness/judge", "harness/ledger", "harness/recording", "harness/kind", "harness/world",
}

// roomOf is the room of a package; empty for none.
func roomOf(path string) string {
	path = strings.TrimPrefix(path, "github.com/proxychaos/proxychaos/")
	for path != "." && path != "" {
		if slices.Contains(rooms, path) {
			return path
		}
		if i := strings.LastIndex(path, "/"); i > 0 && path[:i] != "harness" {
			path = path[:i]
			continue
		}
		return ""
	}
	return ""
}

// imports are the rooms that each room imports.
type imports map[string]map[string]bool

// leads says whether there is a way from one room to another besides a direct import.
func (all imports) leads(from, to string) bool {
	seen := map[string]bool{from: true}
	var follow func(string) bool
	follow = func(at string) bool {
		for next := range all[at] {
			if next == to && at != from || !seen[next] && next != to && func() bool { seen[next] = true; return follow(next) }() {
				return true
			}
		}
		return false
	}
	return follow(from)
}

// picture is a diagram of the imports, without those to which others lead too.
func (all imports) picture() string {
	var b strings.Builder
	b.WriteString("```mermaid\nflowchart TD\n")
	for i, room := range rooms {
		fmt.Fprintf(&b, "  r%d[%s]\n", i, room)
	}
	for i, room := range rooms {
		for _, other := range slices.SortedFunc(maps.Keys(all[room]), func(a, b string) int { return slices.Index(rooms, a) - slices.Index(rooms, b) }) {
			if !all.leads(room, other) {
				fmt.Fprintf(&b, "  r%d --> r%d\n", i, slices.Index(rooms, other))
			}
		}
	}
	b.WriteString("```\n")
	return b.String()
}

// The picture in docs/design.md is what the packages import. It is made by
// `go test ./cmd/proxychaos -run TestThePictureIsOfTheImports -update`.
func TestThePictureIsOfTheImports(t *testing.T) {
	g := NewWithT(t)
	cmd := exec.CommandContext(t.Context(), "go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, "./...")
	cmd.Dir = root
	text, err := cmd.Output()
	g.Expect(err).NotTo(HaveOccurred())
	all := imports{}
	for line := range strings.Lines(string(text)) {
		words := strings.Fields(line)
		from := roomOf(words[0])
		for _, path := range words[1:] {
			if to := roomOf(path); from != "" && to != "" && to != from && strings.HasPrefix(path, "github.com/proxychaos/") {
				if all[from] == nil {
					all[from] = map[string]bool{}
				}
				all[from][to] = true
			}
		}
	}
	g.Expect(all["harness/judge"]).NotTo(HaveKey("harness/run"), "what judges does not run")
	const path, begin, end = root + "/docs/design.md", "<!-- begin: made by TestThePictureIsOfTheImports -->\n", "<!-- end -->\n"
	doc, err := os.ReadFile(path)
	g.Expect(err).NotTo(HaveOccurred())
	head, rest, found := strings.Cut(string(doc), begin)
	g.Expect(found).To(BeTrue(), begin)
	got, tail, found := strings.Cut(rest, end)
	g.Expect(found).To(BeTrue(), end)
	if *update {
		g.Expect(os.WriteFile(path, []byte(head+begin+all.picture()+end+tail), 0o600)).To(Succeed())
		return
	}
	g.Expect(got).To(Equal(all.picture()), "go test ./cmd/proxychaos -run TestThePictureIsOfTheImports -update")
}
