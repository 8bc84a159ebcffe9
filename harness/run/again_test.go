package run

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
)

// stops is a log that stops this process for a second, with all agents of the embedded testbed
// in it, once, as soon as the fault is in force.
type stops struct {
	mu   sync.Mutex
	text strings.Builder
	once sync.Once
}

func (h *stops) Write(p []byte) (int, error) {
	if strings.Contains(string(p), "in force") {
		h.once.Do(func() {
			go func() { _ = exec.Command("sh", "-c", "kill -STOP $PPID; sleep 1; kill -CONT $PPID").Run() }()
		})
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.text.Write(p)
}

// What a run on a busy machine came to says nothing of the proxy.
func TestACellThatTheMachineWasTooBusyForRunsAgainAlone(t *testing.T) {
	g := NewWithT(t)
	busy, opt := &stops{}, options(t)
	opt.Log = busy
	lab := newEmbedded(opt)
	results := lab.Run(t.Context(), []Cell{{rotate(), reference(catalogued)}})
	g.Expect(lab.Close()).To(Succeed())
	g.Expect(results[0].Err).NotTo(HaveOccurred())
	g.Expect(busy.text.String()).To(ContainSubstring("it runs again when no other cell does: the machine was busy"))
	g.Expect(results[0].Manifest.Alone).To(BeTrue())
	runs, err := os.ReadDir(filepath.Dir(results[0].Dir))
	g.Expect(err).NotTo(HaveOccurred())
	var first judge.Verdict
	g.Expect(recording.ReadVerdict(filepath.Join(filepath.Dir(results[0].Dir), runs[0].Name()), &first)).To(Succeed(), "the first recording stays")
	g.Expect(first.Result).To(Equal(judge.Unproven))
	g.Expect(first.Load.Busy()).To(BeTrue())
}

// An interrupt while a cell waits to be alone leaves what its first run came to.
func TestAnInterruptLeavesTheFirstRun(t *testing.T) {
	g := NewWithT(t)
	t.Setenv("TMPDIR", t.TempDir())
	ctx, cancel := context.WithCancel(t.Context())
	busy, opt := &stops{}, options(t)
	opt.Log = busy
	lab := newEmbedded(opt)
	cell := lab.Begin(Cell{rotate(), reference(catalogued)}, "cell")
	go func() {
		for ctx.Err() == nil {
			busy.mu.Lock()
			if strings.Contains(busy.text.String(), "it runs again") {
				cancel()
			}
			busy.mu.Unlock()
			time.Sleep(10 * time.Millisecond)
		}
	}()
	result := cell.Run(ctx)
	g.Expect(cell.Close()).To(Succeed())
	g.Expect(lab.Close()).To(Succeed())
	g.Expect(result.Err).NotTo(HaveOccurred())
	g.Expect(result.Verdict.Result).To(Equal(judge.Unproven))
	g.Expect(result.Verdict.Sent).To(BeNumerically(">", 200))
}

// An interrupt while the second run is judged, which is over by then, does not undo it.
func TestAnInterruptLeavesASecondRunThatIsOver(t *testing.T) {
	g := NewWithT(t)
	t.Setenv("TMPDIR", t.TempDir())
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	opt := options(t)
	opt.Log = &stops{}
	lab := newEmbedded(opt)
	cell := lab.Begin(Cell{rotate(), reference(catalogued)}, "cell")
	go func() {
		for ctx.Err() == nil {
			manifests, _ := filepath.Glob(filepath.Join(opt.Runs, "*", "*", "*", "[0-9]*", "manifest.json"))
			for _, path := range manifests {
				if m, err := recording.ReadManifest(filepath.Dir(path)); err == nil && m.Alone && !m.Ended.IsZero() {
					cancel()
				}
			}
			time.Sleep(time.Millisecond)
		}
	}()
	result := cell.Run(ctx)
	g.Expect(cell.Close()).To(Succeed())
	g.Expect(lab.Close()).To(Succeed())
	g.Expect(result.Err).NotTo(HaveOccurred())
	g.Expect(result.Manifest.Alone).To(BeTrue())
	g.Expect(result.Verdict.Sent).To(BeNumerically(">", 200))
}
