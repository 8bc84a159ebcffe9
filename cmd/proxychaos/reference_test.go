package main

import (
	"os"
	"regexp"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/harness/kind"
	"github.com/proxychaos/proxychaos/scenarios"
)

// docs/reference.md has every scenario, every variable with its default, every kind of proxy's
// image and every command.
func TestTheReferenceIsComplete(t *testing.T) {
	g := NewWithT(t)
	text, err := os.ReadFile("../../docs/reference.md")
	g.Expect(err).NotTo(HaveOccurred())
	section := func(title string) string {
		_, after, found := strings.Cut(string(text), "\n## "+title+"\n")
		g.Expect(found).To(BeTrue(), title)
		section, _, _ := strings.Cut(after, "\n## ")
		return section
	}
	names := section("Scenarios")
	for _, s := range scenarios.All {
		begin, end, _ := strings.Cut(s.Name, "-")
		g.Expect(names).To(Or(ContainSubstring("`"+s.Name+"`"), MatchRegexp("(?m)^\\| `%s-.*`-%s`", begin, end)), s.Name)
	}
	variables := section("Variables")
	for _, word := range scenarios.Words {
		if word.Name == "KIT" { // for tests, and for make
			continue
		}
		row := regexp.MustCompile("(?m)^\\|.*`" + word.Name + "`.*$").FindString(variables)
		g.Expect(row).NotTo(BeEmpty(), word.Name)
		if word.Default != "" {
			g.Expect(row).To(ContainSubstring("| `"+word.Default+"`"), word.Name)
		}
	}
	commands := section("Commands") + section("Completion and man pages")
	for _, c := range newRoot().Commands() {
		if c.IsAvailableCommand() && c.Name() != "version" {
			g.Expect(commands).To(ContainSubstring("`proxychaos "+c.Name()), c.Name())
		}
	}
	for _, name := range kind.Names() {
		g.Expect(section("Variables")).To(ContainSubstring("`"+string(name)+"`"), "PROXY=")
	}
}
