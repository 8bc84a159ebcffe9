package run

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/harness/kind"
)

// Two processes count together, and each line says how far both are.
func TestProgressCountsTheCellsOfAllProcesses(t *testing.T) {
	g := NewWithT(t)
	opt := options(t)
	first := newEmbedded(opt)
	first.Expect(12, 2)
	second, err := Join(opt, first.Shared())
	g.Expect(err).NotTo(HaveOccurred())

	first.logf("begins")
	first.tally.add(20 * time.Second)
	second.logf("after one%s", second.tally.left())
	second.tally.add(40 * time.Second)
	second.tally.add(0)
	first.logf("after three%s", first.tally.left())
	for range 9 {
		first.tally.add(30 * time.Second)
	}
	second.logf("after all%s", second.tally.left())
	g.Expect(second.Close()).To(Succeed())
	path := first.Shared().Tally.Path
	g.Expect(path).To(BeARegularFile())
	g.Expect(first.Close()).To(Succeed())
	g.Expect(path).NotTo(BeAnExistingFile())

	var lines []string
	for line := range strings.Lines(fmt.Sprint(opt.Log)) {
		_, line, _ = strings.Cut(line, "s] ")
		lines = append(lines, strings.TrimSpace(line))
	}
	// 10.5 cells of 20 s, two at a time; 8.5 of 30 s, since one that was not run says nothing.
	g.Expect(lines).To(Equal([]string{
		"[ 0/12] begins", "[ 1/12] after one; about 2 min left", "[ 3/12] after three; about 2 min left", "[12/12] after all",
	}))
}

func TestLeftOfASecondOrTwo(t *testing.T) {
	lab := newEmbedded(options(t))
	lab.Expect(3, 4)
	lab.tally.add(8 * time.Second)
	NewWithT(t).Expect(lab.tally.left()).To(Equal("; about 10 s left"))
	NewWithT(t).Expect(lab.Close()).To(Succeed())
}

// Every cell counts, also one that is not run.
func TestRunCountsItsCells(t *testing.T) {
	g := NewWithT(t)
	opt := options(t)
	lab := newEmbedded(opt)
	c := Cell{rotate(), own(kind.Nginx, file(t, "static.conf", nginxStatic), 0)}
	lab.Run(t.Context(), []Cell{c, c})
	g.Expect(fmt.Sprint(opt.Log)).To(And(ContainSubstring("[1/2] "), ContainSubstring("[2/2] ")))
	g.Expect(lab.Close()).To(Succeed())
}

// A count that cannot be kept does not end the run.
func TestProgressWithoutACount(t *testing.T) {
	g := NewWithT(t)
	opt := options(t)
	t.Setenv("TMPDIR", "/none")
	lab := newEmbedded(opt)
	lab.Expect(2, 1)
	lab.tally.add(time.Second)
	g.Expect(lab.tally.String() + lab.tally.left()).To(BeEmpty())
	g.Expect(fmt.Sprint(opt.Log)).To(ContainSubstring("not counted"))

	_, err := Join(opt, Shared{Embedded: true, Tally: Tally{Path: "/none/done", Cells: 2}})
	g.Expect(errors.Is(err, os.ErrNotExist)).To(BeTrue(), "%v", err)
}
