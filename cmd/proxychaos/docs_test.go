package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
)

var (
	codeInDoc   = regexp.MustCompile("(?s)```.*?```|`[^`]+`")
	makeInDoc   = regexp.MustCompile(`\bmake ((?:-\S+ )*)([a-z][a-z-]*)((?: \[?[A-Z_]+=\S*)*)`)
	setInDoc    = regexp.MustCompile(`([A-Z_]+)=`)
	commandDoc  = regexp.MustCompile(`(?m)(?:^|[\s;("/])proxychaos ((?:[a-z][a-z0-9-]*(?: |$))+)([^\n|;&)]*)`)
	flagInDoc   = regexp.MustCompile(`(?:^|\s)--([a-z][a-z0-9-]*)`)
	goTestInDoc = regexp.MustCompile(`go test (?:-race )?(\./[\w./-]+)(?: -run '?(\w+))?`)
	goRunInDoc  = regexp.MustCompile(`go run (\./[\w/-]+)`)
)

// What the docs have as a command can be typed: the target of make and its variables, the
// command and its flags, the test and its package.
func TestCommandsInTheDocsExist(t *testing.T) {
	g := NewWithT(t)
	out, err := exec.CommandContext(t.Context(), "git", "-C", root, "ls-files", "*.md").Output()
	g.Expect(err).NotTo(HaveOccurred())
	makefile, err := os.ReadFile(filepath.Join(root, "Makefile"))
	g.Expect(err).NotTo(HaveOccurred())
	var targets []string
	for _, m := range regexp.MustCompile(`(?m)^([a-z-]+):.*## `).FindAllStringSubmatch(string(makefile), -1) {
		targets = append(targets, m[1])
	}
	variables := strings.Fields(strings.Join(regexp.MustCompile(`(?m)^(?:WORDS|SAID|IMAGES|KNOWN) +[:+]= (.*)$`).FindAllString(strings.ReplaceAll(string(makefile), ")", ""), -1), " "))
	seen := map[string]int{}
	for _, doc := range strings.Fields(string(out)) {
		text, err := os.ReadFile(filepath.Join(root, doc))
		g.Expect(err).NotTo(HaveOccurred())
		for _, code := range codeInDoc.FindAllString(string(text), -1) {
			code = strings.Trim(code, "`")
			for _, m := range makeInDoc.FindAllStringSubmatch(code, -1) {
				g.Expect(targets).To(ContainElement(m[2]), "%s: %s", doc, m[0])
				for _, set := range setInDoc.FindAllStringSubmatch(m[3], -1) {
					g.Expect(variables).To(ContainElement(strings.TrimSuffix(set[1], ")")), "%s: %s", doc, m[0])
				}
				seen["make"]++
			}
			for _, m := range commandDoc.FindAllStringSubmatch(code, -1) {
				command, rest, err := newRoot().Find(strings.Fields(m[1]))
				g.Expect(err).NotTo(HaveOccurred(), "%s: %s", doc, m[0])
				g.Expect(command.HasSubCommands() && command.HasParent() && len(rest) > 0 && !command.Runnable()).To(BeFalse(), "%s: %s", doc, m[0])
				g.Expect(command.HasParent()).To(BeTrue(), "%s: %s", doc, m[0])
				for _, flag := range flagInDoc.FindAllStringSubmatch(m[2], -1) {
					if flag[1] != "help" {
						g.Expect(command.Flags().Lookup(flag[1])).NotTo(BeNil(), "%s: %s", doc, m[0])
					}
				}
				seen["proxychaos"]++
			}
			for _, m := range goTestInDoc.FindAllStringSubmatch(code, -1) {
				folder := filepath.Join(root, strings.TrimSuffix(m[1], "/..."))
				g.Expect(folder).To(BeADirectory(), "%s: %s", doc, m[0])
				g.Expect(m[2] == "" || hasTest(t, folder, m[2])).To(BeTrue(), "%s: %s", doc, m[0])
				seen["go test"]++
			}
			for _, m := range goRunInDoc.FindAllStringSubmatch(code, -1) {
				g.Expect(filepath.Join(root, m[1])).To(BeADirectory(), "%s: %s", doc, m[0])
			}
		}
	}
	g.Expect(seen["make"]).To(BeNumerically(">", 60))
	g.Expect(seen["proxychaos"]).To(BeNumerically(">", 40))
	g.Expect(seen["go test"]).To(BeNumerically(">", 3))
}

// hasTest says whether a package has a test whose name matches.
func hasTest(t *testing.T, folder, name string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(files, func(file string) bool {
		text, err := os.ReadFile(file)
		return err == nil && regexp.MustCompile(`(?m)^func \w*`+name).Match(text)
	})
}
