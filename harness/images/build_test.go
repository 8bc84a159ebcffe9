package images

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/harness/kind"
)

// TestInterruptedBuildLeavesNothing cancels while mmdebstrap is at work.
func TestInterruptedBuildLeavesNothing(t *testing.T) {
	g := NewWithT(t)
	f, _ := finder(t)
	dir := t.TempDir()
	g.Expect(os.Chmod(dir, 0o755)).To(Succeed()) //nolint:gosec // apt reads it as another user
	t.Setenv("TMPDIR", dir)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r := kind.Release{Kind: kind.Nginx, Name: "test", Suite: "trixie"}
	const ref = prefix + "test-interrupted:x"
	done := make(chan error, 1)
	go func() { done <- f.build(ctx, r, ref, recipe{kindOf(t, kind.Nginx).Image.Recipe}) }()
	g.Eventually(func() ([]string, error) {
		return filepath.Glob(dir + "/mmdebstrap.*/var/lib/apt/lists/*Packages*")
	}).WithTimeout(60 * time.Second).ShouldNot(BeEmpty())
	cancel()
	var err error
	g.Eventually(done, 30*time.Second).Should(Receive(&err))
	g.Expect(errors.Is(err, context.Canceled)).To(BeTrue(), "got %v", err)
	left, err := os.ReadDir(dir)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(left).To(BeEmpty())
	_, ok, err := f.present(t.Context(), ref)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(ok).To(BeFalse())
}

func TestUnknownSuiteShowsWhatAptSaid(t *testing.T) {
	g := NewWithT(t)
	f, _ := finder(t)
	err := f.build(t.Context(), kind.Release{Kind: kind.Nginx, Suite: "no-such-suite"}, prefix+"test-none:x", recipe{kindOf(t, kind.Nginx).Image.Recipe})
	g.Expect(err).To(MatchError(And(ContainSubstring("mmdebstrap no-such-suite"), ContainSubstring("E: "))))
}

func TestWithoutDebianTheImageIsNotAvailable(t *testing.T) {
	g := NewWithT(t)
	f, _ := finder(t)
	t.Setenv("PATH", t.TempDir())
	_, err := f.fromDebian(t.Context(), kind.Release{Kind: kind.Nginx, Name: "x", Suite: "trixie"}, "no registry answers")
	g.Expect(errors.Is(err, ErrNotAvailable)).To(BeTrue(), "got %v", err)
	g.Expect(err).To(MatchError(ContainSubstring("no registry answers")))
}
