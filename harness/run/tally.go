package run

import (
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"
	"time"
)

// Tally says where the processes of a suite note which cells are done.
type Tally struct {
	// Path is a file with one row for each cell that is done; empty if cells are not counted.
	Path     string `json:"path,omitempty"`
	Cells    int    `json:"cells"`    // to be run, by all processes together
	Parallel int    `json:"parallel"` // of them at a time
}

// tally is a Tally in use.
type tally struct {
	Tally
	file *os.File // rows are appended, so that processes need no lock
}

// rowWidth is the length of a row: how long the cell took, in milliseconds, right-aligned.
// A cell that was not run took 0.
const rowWidth = 12

// Expect has the progress say from now on how many of so many cells are done, in this
// process and in those that join it, and how long the others will probably take.
func (l *Lab) Expect(cells, parallel int) {
	if cells < 2 {
		return
	}
	file, err := os.CreateTemp("", "proxychaos-done-")
	if err != nil {
		l.logf("the cells that are done are not counted: %v", err)
		return
	}
	l.closes = append(l.closes, func() error { return os.Remove(file.Name()) })
	_ = file.Close() // nothing was written
	l.shared.Tally = Tally{Path: file.Name(), Cells: cells, Parallel: max(1, parallel)}
	if err := l.joinTally(); err != nil {
		l.logf("the cells that are done are not counted: %v", err)
	}
}

// joinTally opens the file of the shared Tally if there is one.
func (l *Lab) joinTally() error {
	shared := l.shared.Tally
	if shared.Path == "" {
		return nil
	}
	file, err := os.OpenFile(shared.Path, os.O_RDWR|os.O_APPEND, 0)
	if err != nil {
		return err
	}
	l.logMu.Lock()
	defer l.logMu.Unlock()
	l.tally = &tally{shared, file}
	l.closes = append(l.closes, file.Close)
	return nil
}

// add notes a cell that is done. That it cannot is no reason to fail the cell.
func (t *tally) add(took time.Duration) {
	if t != nil {
		_, _ = fmt.Fprintf(t.file, "%*d\n", rowWidth-1, took.Milliseconds())
	}
}

// read is how many cells are done, how many of these were run, and how long those took together.
func (t *tally) read() (done, run int, took time.Duration) {
	text, _ := io.ReadAll(io.NewSectionReader(t.file, 0, math.MaxInt64))
	for row := range strings.Lines(string(text)) {
		done++
		if ms, err := strconv.Atoi(strings.TrimSpace(row)); err == nil && ms > 0 {
			run++
			took += time.Duration(ms) * time.Millisecond
		}
	}
	return done, run, took
}

// String is "[ 12/246]", with a space in front; empty if cells are not counted.
func (t *tally) String() string {
	if t == nil {
		return ""
	}
	done, _, _ := t.read()
	return fmt.Sprintf(" [%*d/%d]", len(strconv.Itoa(t.Cells)), done, t.Cells)
}

// left is "; about 5 min left": as long as the cells so far took, for each that is not
// done. Those that are being run now are half done on average.
func (t *tally) left() string {
	if t == nil {
		return ""
	}
	done, run, took := t.read()
	open := float64(t.Cells-done) - float64(t.Parallel-1)/2
	if run == 0 || done >= t.Cells {
		return ""
	}
	left := time.Duration(max(open, 1) / float64(t.Parallel) * float64(took) / float64(run))
	if left < 90*time.Second {
		return fmt.Sprintf("; about %.0f s left", 10*math.Ceil(left.Seconds()/10))
	}
	return fmt.Sprintf("; about %.0f min left", left.Minutes())
}
