package run

import (
	"os"
	"path/filepath"
	"testing"

	. "github.com/onsi/gomega"
)

func TestCanRecord(t *testing.T) {
	g := NewWithT(t)
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	g.Expect(os.WriteFile(file, nil, 0o600)).To(Succeed())
	runs := filepath.Join(dir, "new", "runs")
	g.Expect(Options{Runs: runs}.CanRecord()).To(Succeed(), "it is made")
	g.Expect(os.ReadDir(runs)).To(BeEmpty(), "nothing is left")
	for _, bad := range []string{file, filepath.Join(file, "below"), "/proc/none"} {
		lab, err := Open(t.Context(), Options{Runs: bad})
		g.Expect(err).To(MatchError(And(HavePrefix("recordings cannot be written to "+bad+": "), HaveSuffix("with RUNS="))))
		g.Expect(lab.Close()).To(Succeed())
	}
}
