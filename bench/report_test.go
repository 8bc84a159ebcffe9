package bench_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/bench"
)

// The stored report has a row with a curve, one with a missing peer, and one
// with a limit.
func stored(t *testing.T) bench.Report {
	t.Helper()
	report, err := bench.Load("testdata/report.json")
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func TestMarkdownOfAStoredReport(t *testing.T) {
	g := NewWithT(t)
	want, err := os.ReadFile("testdata/report.md")
	g.Expect(err).NotTo(HaveOccurred())
	report := stored(t)
	g.Expect(report.Markdown()).To(Equal(string(want)))
	g.Expect(report.Unmeasured()).To(Equal(1))
}

func TestSavedIsLoaded(t *testing.T) {
	g := NewWithT(t)
	report := stored(t)
	path, err := report.Save(t.TempDir())
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(bench.Load(path)).To(Equal(report))

	content, err := os.ReadFile(path)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(os.WriteFile(path, []byte(strings.Replace(string(content), `"Schema": 1`, `"Schema": 7`, 1)), 0o600)).To(Succeed())
	_, err = bench.Load(path)
	g.Expect(err).To(MatchError(ContainSubstring("got schema 7, want 1")))
}

func TestPublish(t *testing.T) {
	g := NewWithT(t)
	report := stored(t)
	dir := t.TempDir()
	path := filepath.Join(dir, "performance.md")
	before, after := "# By hand\n\n"+bench.Begin("bench"), bench.End("bench")+"\n\nMore by hand.\n"
	g.Expect(os.WriteFile(path, []byte(before+"\nold\n"+after), 0o600)).To(Succeed())
	for range 2 {
		g.Expect(report.Publish(path)).To(Succeed())
		content, err := os.ReadFile(path)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(string(content)).To(Equal(before + "\n" + report.Markdown() + after))
	}
	plot, err := os.ReadFile(filepath.Join(dir, "performance-bench-latency.svg"))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(string(plot)).To(And(ContainSubstring("<svg"), ContainSubstring(">fakealb<"), ContainSubstring(">99.9<")))

	g.Expect(os.WriteFile(path, []byte("no place for it"), 0o600)).To(Succeed())
	g.Expect(report.Publish(path)).To(MatchError(ContainSubstring("put them where the table belongs")))
}

// The committed document has a place for each table.
func TestDocumentHasAPlaceForEachTable(t *testing.T) {
	g := NewWithT(t)
	content, err := os.ReadFile("../docs/performance.md")
	g.Expect(err).NotTo(HaveOccurred())
	for _, table := range []string{"bench", "bench-proxy"} {
		_, rest, ok := strings.Cut(string(content), bench.Begin(table)+"\n")
		g.Expect(ok).To(BeTrue(), table)
		g.Expect(rest).To(ContainSubstring(bench.End(table) + "\n"))
	}
}
