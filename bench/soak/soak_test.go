package soak_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/bench"
	"github.com/proxychaos/proxychaos/bench/soak"
)

// A short soak with the real programs loses nothing and proves each move; one
// whose proxy has the addresses in place of the name loses requests.
func TestSoak(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "proxychaos")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "github.com/proxychaos/proxychaos/cmd/proxychaos").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for name, pinned := range map[string]bool{"name": false, "pinned": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			r, err := soak.Run(t.Context(), soak.Options{
				Duration: 12 * time.Second, Rate: 50, Flip: 2 * time.Second, Pinned: pinned, Binary: binary, Progress: t.Output(),
			})
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(len(r.Moves)).To(BeNumerically(">=", 3), "a busy machine takes longer for each, and each has its own evidence")
			if pinned {
				g.Expect(r.Load.Failed).To(BeNumerically(">", 0), r.Markdown())
				g.Expect(r.Judge().Outcome).To(Equal(soak.Fail))
				return
			}
			g.Expect(r.Load.Failed).To(BeZero(), r.Markdown())
			g.Expect(r.Judge().Outcome).To(Equal(soak.Pass), r.Markdown())

			stored, err := r.Save(t.TempDir())
			g.Expect(err).NotTo(HaveOccurred())
			again, err := soak.Read(filepath.Join(stored, "report.json"))
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(again.Markdown()).To(Equal(r.Markdown()))

			document := filepath.Join(t.TempDir(), "performance.md")
			g.Expect(os.WriteFile(document, []byte(bench.Begin("soak")+"\n"+bench.End("soak")+"\n"), 0o600)).To(Succeed())
			g.Expect(again.Publish(document)).To(Succeed())
			text, err := os.ReadFile(document)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(string(text)).To(ContainSubstring("**pass**: 0 of 600 requests failed."))
			g.Expect(filepath.Join(filepath.Dir(document), "goproxy-soak.svg")).To(BeARegularFile())
		})
	}
}
