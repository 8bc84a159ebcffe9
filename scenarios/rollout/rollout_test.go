package rollout

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
	"github.com/proxychaos/proxychaos/harness/run"
	"github.com/proxychaos/proxychaos/reports/compare"
)

// fake is a lab in which A loses nothing, and B as many as it is told.
type fake struct {
	mu    sync.Mutex
	ran   []string
	most  int // cells at a time
	now   int
	loses map[string]int // B, by scenario
	fails error          // of every cell of B
	begun func()
}

func (f *fake) play(_ context.Context, c run.Cell, seed uint64) run.Result {
	f.mu.Lock()
	f.ran = append(f.ran, c.Scenario.Name+" "+c.Subject.Name)
	f.now++
	f.most = max(f.most, f.now)
	begun := f.begun
	f.mu.Unlock()
	if begun != nil {
		begun()
	}
	time.Sleep(time.Millisecond)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now--
	r := run.Result{Cell: c, Dir: "somewhere"}
	r.Manifest.Scenario, r.Manifest.Plan.Seed = c.Scenario.Name, seed
	r.Verdict = judge.Verdict{Result: judge.Pass, Sent: 2000, Window: 8}
	if c.Subject.Name == "b" {
		if r.Err = f.fails; r.Err != nil {
			return r
		}
		if n := f.loses[c.Scenario.Name]; n > 0 {
			recovery := recording.Seconds(1)
			r.Verdict.Result, r.Verdict.Failed, r.Verdict.Recovery = judge.Fail, n, &recovery
		}
	}
	return r
}

func question(parallel int, scenarios ...string) Question {
	q := Question{
		A: harness.Subject{Kind: "nginx", Name: "a"}, B: harness.Subject{Kind: "nginx", Name: "b"},
		Rules: compare.DefaultRules(), Seed: 5, Parallel: parallel, For: time.Hour,
	}
	for _, name := range scenarios {
		q.Scenarios = append(q.Scenarios, harness.Scenario{Name: name})
	}
	return q
}

func opened(t *testing.T, dir string) *File {
	t.Helper()
	f, err := OpenFile(dir, "one question")
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func answer(ctx context.Context, q Question, f *fake, j Journal) error {
	return newRunner(q, f.play, j, func(string, ...any) {}).answer(ctx)
}

func TestRunsUntilThereIsAWord(t *testing.T) {
	for name, c := range map[string]struct {
		parallel int
		loses    map[string]int
		want     compare.Word
		cells    int
	}{
		"no difference, three blocks of each": {1, nil, compare.NoDifference, 18},
		"worse in the second":                 {1, map[string]int{"u": 900}, compare.Worse, 24}, // one of s, seven of u
		"four cells at a time":                {4, nil, compare.NoDifference, 18},
	} {
		t.Run(name, func(t *testing.T) {
			f, j, q := &fake{loses: c.loses}, opened(t, t.TempDir()), question(c.parallel, "s", "u")
			if err := answer(t.Context(), q, f, j); err != nil {
				t.Fatal(err)
			}
			if got := q.Decide(j).Word; got != c.want || len(f.ran) != c.cells {
				t.Errorf("%s after %d cells, want %s after %d", got, len(f.ran), c.want, c.cells)
			}
			if f.most > c.parallel {
				t.Errorf("%d cells at a time, want at most %d", f.most, c.parallel)
			}
			if c.parallel == 1 && !slices.Equal(f.ran[:6], []string{"s a", "s b", "s a", "u a", "u b", "u a"}) {
				t.Errorf("not interleaved: %v", f.ran[:6])
			}
			seeds := map[uint64]bool{}
			for _, b := range j.Blocks() {
				if b.A.Scenario == "s" {
					seeds[b.A.Seed] = true
				}
				if b.A.Seed != b.B.Seed || b.A.Seed != b.Again.Seed {
					t.Errorf("a block of several seeds: %+v", b)
				}
			}
			if c.want == compare.NoDifference && (len(seeds) != 3 || !seeds[5] || !seeds[7]) {
				t.Errorf("seeds %v, want 5 to 7", seeds)
			}
		})
	}
}

// An interrupt keeps the whole blocks; the same question goes on from there.
func TestGoesOnAfterAnInterrupt(t *testing.T) {
	dir := t.TempDir()
	ctx, interrupt := context.WithCancel(t.Context())
	first := &fake{}
	first.begun = func() {
		if len(first.ran) == 5 {
			interrupt()
		}
	}
	q := question(1, "s")
	if err := answer(ctx, q, first, opened(t, dir)); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	again := opened(t, dir)
	if n := len(again.Blocks()); n != 1 {
		t.Fatalf("%d blocks were kept, want the one that was whole", n)
	}
	second := &fake{}
	if err := answer(t.Context(), q, second, again); err != nil {
		t.Fatal(err)
	}
	if q.Decide(again).Word != compare.NoDifference || len(second.ran) != 6 {
		t.Errorf("%s after %d more cells, want two blocks more", q.Decide(again).Word, len(second.ran))
	}
	if err := answer(t.Context(), q, &fake{}, opened(t, dir)); err != nil {
		t.Fatal(err)
	}
}

// The progress counts one block as one.
func TestTheProgressCountsBlocks(t *testing.T) {
	var said []string
	log := func(format string, args ...any) { said = append(said, fmt.Sprintf(format, args...)) }
	if err := newRunner(question(1, "s"), (&fake{}).play, opened(t, t.TempDir()), log).answer(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(said) != 3 || !strings.HasPrefix(said[0], "s: 1 block, ") || !strings.HasPrefix(said[1], "s: 2 blocks, ") {
		t.Errorf("the progress says %q", said)
	}
}

func TestTheTimeIsBounded(t *testing.T) {
	f, j, q := &fake{}, opened(t, t.TempDir()), question(1, "s")
	q.For = 0
	if err := answer(t.Context(), q, f, j); err != nil || len(f.ran) != 0 {
		t.Errorf("%v, %d cells", err, len(f.ran))
	}
}

// A config that cannot be run is said at once. A run that breaks off later is left out.
func TestWhatCannotBeRun(t *testing.T) {
	f, j, q := &fake{fails: errors.New("nginx: unknown directive")}, opened(t, t.TempDir()), question(1, "s")
	err := answer(t.Context(), q, f, j)
	if !errors.Is(err, ErrNotRun) || err.Error() != "B could not be run in s: nginx: unknown directive" || len(f.ran) != 2 {
		t.Errorf("%d cells: %v", len(f.ran), err)
	}
	f = &fake{}
	f.begun = func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.fails = nil
		if len(f.ran) == 5 {
			f.fails = errors.New("the engine is gone")
		}
	}
	j = opened(t, t.TempDir())
	if err := answer(t.Context(), q, f, j); err != nil {
		t.Fatal(err)
	}
	if c := q.Decide(j); c.Word != compare.NoDifference || c.Scenarios[0].Unproven != 1 || c.Scenarios[0].Why != "B: the engine is gone" {
		t.Errorf("%s, %d unproven: %s", c.Word, c.Scenarios[0].Unproven, c.Scenarios[0].Why)
	}
}

// What a killed process has written half is run again; another question has a journal of
// its own.
func TestJournal(t *testing.T) {
	dir := t.TempDir()
	f := opened(t, dir)
	for range 2 {
		if err := f.Append(Played{Took: time.Second}); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(f.Path())
	if err != nil {
		t.Fatal(err)
	}
	for _, cut := range []int{1, 10} {
		if err := os.WriteFile(f.Path(), text[:len(text)-cut], 0o600); err != nil {
			t.Fatal(err)
		}
		again := opened(t, dir)
		if n := len(again.Blocks()); n != 1 {
			t.Errorf("%d bytes cut off: %d blocks, want 1", cut, n)
		}
		if err := again.Append(Played{}); err != nil {
			t.Fatal(err)
		}
		if n := len(opened(t, dir).Blocks()); n != 2 {
			t.Errorf("%d blocks after one more, want 2", n)
		}
	}
	if err := os.WriteFile(f.Path(), []byte("{}\nno JSON\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenFile(dir, "one question"); err == nil || !strings.Contains(err.Error(), ":2: ") {
		t.Errorf("got %v, want the line that is wrong", err)
	}
	for _, words := range [][]string{{"one", "question"}, {"one questio", "n"}, {"onequestion"}} {
		other, err := OpenFile(dir, words...)
		if err != nil || len(other.Blocks()) != 0 || filepath.Base(other.Path()) == filepath.Base(f.Path()) {
			t.Errorf("%v: %v, %s", words, err, other.Path())
		}
	}
}

// On a full disk nothing of a block is left, and what was there before is: the next one does
// not stand behind half of it.
func TestJournalOnAFullDisk(t *testing.T) {
	if os.Getuid() != 0 {
		t.Fatal("needs root: it mounts a disk")
	}
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=16k"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, 0) })
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 8<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	f, kept := opened(t, dir), 0
	for ; ; kept++ {
		err := f.Append(Played{Took: time.Duration(kept)})
		if errors.Is(err, syscall.ENOSPC) {
			break
		}
		if err != nil || kept > 100 {
			t.Fatalf("%d blocks: %v", kept, err)
		}
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	if err := f.Append(Played{}); err != nil {
		t.Fatal(err)
	}
	if n := len(opened(t, dir).Blocks()); kept == 0 || n != kept+1 {
		t.Errorf("%d blocks, want the %d from before the disk was full, and one more", n, kept)
	}
}

// A block whose recordings are gone counts, and is not shown.
func TestRecordingsThatWereRemoved(t *testing.T) {
	f := opened(t, t.TempDir())
	p := Played{Dirs: [3]string{filepath.Join(t.TempDir(), "gone"), filepath.Join(t.TempDir(), "gone"), ""}}
	p.A.Scenario = "s"
	if err := f.Append(p); err != nil {
		t.Fatal(err)
	}
	if last, err := Last(f); err != nil || len(last) != 0 {
		t.Errorf("%v, %v", last, err)
	}
}
