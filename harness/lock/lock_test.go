package lock

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	. "github.com/onsi/gomega"
)

func TestItWaitsUntilTheContextEnds(t *testing.T) {
	g := NewWithT(t)
	t.Setenv("TMPDIR", t.TempDir())
	unlock, err := Take(t.Context(), "a/b:c")
	g.Expect(err).NotTo(HaveOccurred())
	defer unlock()
	ctx, cancel := context.WithTimeout(t.Context(), 120*time.Millisecond)
	defer cancel()
	_, err = Take(ctx, "a/b:c")
	g.Expect(errors.Is(err, context.DeadlineExceeded)).To(BeTrue(), "got %v", err)
}

func TestThereIsOneHolder(t *testing.T) {
	g := NewWithT(t)
	t.Setenv("TMPDIR", t.TempDir())
	var holders, turns atomic.Int32
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 5 {
				unlock, err := Take(t.Context(), "x")
				if err != nil {
					t.Error(err)
					return
				}
				if n := holders.Add(1); n != 1 {
					t.Errorf("%d hold the lock", n)
				}
				time.Sleep(time.Millisecond) // room for a second holder
				holders.Add(-1)
				turns.Add(1)
				unlock()
			}
		})
	}
	wg.Wait()
	g.Expect(turns.Load()).To(Equal(int32(40)))
	left, err := filepath.Glob(filepath.Join(os.TempDir(), "*", "*"))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(left).To(BeEmpty(), "no lock is left")
}

func TestALockThatWasGivenBackTwiceIsFreeOnce(t *testing.T) {
	g := NewWithT(t)
	t.Setenv("TMPDIR", t.TempDir())
	first, err := Take(t.Context(), "x")
	g.Expect(err).NotTo(HaveOccurred())
	first()
	second, err := Take(t.Context(), "x")
	g.Expect(err).NotTo(HaveOccurred())
	defer second()
	first()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = Take(ctx, "x")
	g.Expect(err).To(MatchError(context.DeadlineExceeded), "the second holds it")
}

// What another user can prepare in a folder for all: nothing of it is used, and the
// error says what to do.
func TestAFolderOfSomebodyElseIsRefused(t *testing.T) {
	for name, prepare := range map[string]func(dir, victim string) error{
		"a link to a folder": func(dir, victim string) error { return os.Symlink(filepath.Dir(victim), dir) },
		"a link to a file":   func(dir, victim string) error { return os.Symlink(victim, dir) },
		"a link to nothing":  func(dir, victim string) error { return os.Symlink(victim+".new", dir) },
		"a file":             func(dir, _ string) error { return os.WriteFile(dir, nil, 0o600) },
		"a folder for all": func(dir, _ string) error {
			return errors.Join(os.Mkdir(dir, 0o700), os.Chmod(dir, 0o777)) //nolint:gosec // that is the attack
		},
		"a folder of another user": func(dir, _ string) error {
			if os.Getuid() != 0 {
				return nil // nobody else can be played; what is missing is then made
			}
			return errors.Join(os.Mkdir(dir, 0o700), os.Chown(dir, 65534, 65534))
		},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			t.Setenv("TMPDIR", t.TempDir())
			victim := filepath.Join(t.TempDir(), "victim")
			g.Expect(os.WriteFile(victim, []byte("mine"), 0o600)).To(Succeed())
			dir := filepath.Join(os.TempDir(), fmt.Sprintf("proxychaos-%d", os.Getuid()))
			g.Expect(prepare(dir, victim)).To(Succeed())
			if _, err := os.Lstat(dir); err != nil {
				t.Skip("needs root")
			}
			_, err := Take(t.Context(), "x")
			g.Expect(err).To(MatchError(And(ContainSubstring(dir), ContainSubstring("TMPDIR"))))
			beside, err := os.ReadDir(filepath.Dir(victim))
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(beside).To(HaveLen(1), "nothing was made at the end of a link")
		})
	}
}
