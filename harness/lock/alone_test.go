package lock

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	. "github.com/onsi/gomega"
)

// Those who hold it beside each other never leave a gap; the one who wants it alone gets it
// all the same, and nobody is beside it.
func TestOneIsAlone(t *testing.T) {
	g := NewWithT(t)
	t.Setenv("TMPDIR", t.TempDir())
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var beside, most atomic.Int32
	var over atomic.Bool
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for !over.Load() {
				release, err := Beside(ctx, "cells")
				if err != nil {
					t.Error(err)
					return
				}
				most.Store(max(most.Load(), beside.Add(1)))
				time.Sleep(3 * poll) // the others come meanwhile
				beside.Add(-1)
				release()
			}
		})
	}
	g.Eventually(most.Load).WithTimeout(time.Minute).Should(BeNumerically(">", 1), "they hold it beside each other")
	for range 3 {
		release, err := Alone(ctx, "cells")
		g.Expect(err).NotTo(HaveOccurred())
		for range 5 {
			g.Expect(beside.Load()).To(BeZero(), "nobody is beside it")
			time.Sleep(poll)
		}
		release()
		release()
	}
	over.Store(true)
	wg.Wait()
}

func TestWaitingToBeAloneEndsWithTheContext(t *testing.T) {
	g := NewWithT(t)
	t.Setenv("TMPDIR", t.TempDir())
	release, err := Beside(t.Context(), "cells")
	g.Expect(err).NotTo(HaveOccurred())
	ctx, cancel := context.WithTimeout(t.Context(), 3*poll)
	defer cancel()
	_, err = Alone(ctx, "cells")
	g.Expect(errors.Is(err, context.DeadlineExceeded)).To(BeTrue(), "got %v", err)
	next, err := Beside(t.Context(), "cells")
	g.Expect(err).NotTo(HaveOccurred(), "who gave up is in nobody's way")
	next()
	release()
}
