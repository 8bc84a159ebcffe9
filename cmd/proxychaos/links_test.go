package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
)

var (
	fenced    = regexp.MustCompile("(?s)```.*?```")
	quoted    = regexp.MustCompile("`[^`\n]*`")
	linkInDoc = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading   = regexp.MustCompile(`(?m)^#+ (.*)$`)
	noAnchor  = regexp.MustCompile(`[^\w\- ]`)
)

// Links from one doc to another lead to a file that is there, and to a heading of it.
func TestLinksInTheDocsLeadSomewhere(t *testing.T) {
	g := NewWithT(t)
	out, err := exec.CommandContext(t.Context(), "git", "-C", root, "ls-files", "*.md").Output()
	g.Expect(err).NotTo(HaveOccurred())
	seen := 0
	for _, doc := range strings.Fields(string(out)) {
		if strings.Contains(doc, "testdata/") {
			continue
		}
		text, err := os.ReadFile(filepath.Join(root, doc))
		g.Expect(err).NotTo(HaveOccurred())
		for _, m := range linkInDoc.FindAllStringSubmatch(quoted.ReplaceAllString(fenced.ReplaceAllString(string(text), ""), ""), -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			seen++
			path, anchor, _ := strings.Cut(m[1], "#")
			file := filepath.Join(root, doc)
			if path != "" {
				file = filepath.Join(filepath.Dir(file), path)
			}
			g.Expect(file).To(BeAnExistingFile(), "%s: %s", doc, m[1])
			if anchor != "" && strings.HasSuffix(file, ".md") {
				g.Expect(anchors(t, file)).To(ContainElement(anchor), "%s: %s", doc, m[1])
			}
		}
	}
	g.Expect(seen).To(BeNumerically(">", 200))
}

// anchors are where the headings of a doc are found.
func anchors(t *testing.T, file string) []string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, m := range heading.FindAllStringSubmatch(fenced.ReplaceAllString(string(text), ""), -1) {
		all = append(all, strings.ReplaceAll(noAnchor.ReplaceAllString(strings.ToLower(m[1]), ""), " ", "-"))
	}
	return all
}
