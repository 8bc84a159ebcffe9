package main

import (
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
	"github.com/proxychaos/proxychaos/reports/compare"
)

func filled(seeds ...uint64) *bank {
	b := &bank{}
	for i, seed := range seeds {
		b.runs = append(b.runs, stored{string(rune('a' + i)), compare.Run{Scenario: "s", Subject: "nginx/x", Seed: seed, Result: judge.Pass, Window: 8}})
	}
	return b
}

func TestABankIsReadAsItWasWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bank.gz")
	if empty, err := readBank(path); err != nil || len(empty.runs) != 0 {
		t.Fatalf("%v, %v", empty, err)
	}
	b := filled(1, 1, 2)
	if err := b.write(path); err != nil {
		t.Fatal(err)
	}
	if got, err := readBank(path); err != nil || !reflect.DeepEqual(got, b) {
		t.Errorf("got %v, %v", got, err)
	}
}

// Runs of one seed are compared with each other if there are enough of them.
func TestBlocksAreOfOneSeed(t *testing.T) {
	for name, c := range map[string]struct {
		seeds  []uint64
		groups int
		paired bool
	}{
		"too few":              {[]uint64{1, 1}, 0, false},
		"three of one seed":    {[]uint64{1, 1, 1, 2, 2}, 1, true},
		"three of two seeds":   {[]uint64{1, 2, 1, 2, 1, 2}, 2, true},
		"each of another seed": {[]uint64{1, 2, 3, 4}, 1, false},
	} {
		if groups, paired := filled(c.seeds...).of("nginx/x", "s"); len(groups) != c.groups || paired != c.paired {
			t.Errorf("%s: %d groups, paired %v", name, len(groups), paired)
		}
	}
}

func TestWhatWasPlantedIsFound(t *testing.T) {
	b := filled(1, 1, 1, 1)
	if got := b.draw(5, "nginx/x", []string{"s"}, func(*compare.Run) {}); got.words[compare.NoDifference] != 5 || got.blocks != 15 {
		t.Errorf("with itself: %+v", got)
	}
	if got := b.draw(5, "nginx/x", []string{"s"}, func(r *compare.Run) { r.Failed += 5 }); got.words[compare.Worse] != 5 {
		t.Errorf("5 more: %+v", got)
	}
}

// What is absent is run seed by seed, and of a seed each cell before any of them again.
func TestWhatTheBankLacks(t *testing.T) {
	cells, err := bankCells()
	if err != nil {
		t.Fatal(err)
	}
	if len(cells) != 24 {
		t.Fatalf("%d cells, want 6 configs in 4 scenarios", len(cells))
	}
	b := &bank{}
	all := b.absent(cells, 6)
	if len(all) != 6*24 || all[23].seed != 1 || all[24].Subject.ID() != all[0].Subject.ID() || all[6*24-1].seed != 2 {
		t.Errorf("%d runs, the last with seed %d", len(all), all[len(all)-1].seed)
	}
	for i, want := range all[:50] {
		m := recording.Manifest{Scenario: want.Scenario.Name, Subject: want.Subject.Recorded(), Began: time.Unix(int64(i), 0)}
		m.Plan.Seed = want.seed
		if !b.put(m, judge.Verdict{Result: judge.Pass}) || b.put(m, judge.Verdict{Result: judge.Pass}) {
			t.Fatal("want a run to be put once")
		}
		m.Began = m.Began.Add(time.Hour)
		if b.put(m, judge.Verdict{Result: judge.Unproven}) {
			t.Fatal("a run that proved nothing was put")
		}
	}
	left := b.absent(cells, 6)
	if !slices.EqualFunc(left, all[50:], func(x, y wanted) bool {
		return x.seed == y.seed && x.Scenario.Name == y.Scenario.Name && x.Subject.ID() == y.Subject.ID()
	}) {
		t.Errorf("%d left of %d, want those after the 50 that were run", len(left), len(all))
	}
	if left = b.absent(cells, 3); len(left) != 22 {
		t.Errorf("%d left of the first seed, want 22", len(left))
	}
}

// A comparison has one block of each seed before it has two of any.
func TestBlocksAreOfOneSeedEach(t *testing.T) {
	groups, _ := filled(1, 1, 1, 2, 2, 2, 3, 3, 3).of("nginx/x", "s")
	next := blocks(groups, rand.New(rand.NewPCG(1, 1)))
	for range 2 {
		seen := map[uint64]bool{}
		for range 3 {
			seen[next().A.Seed] = true
		}
		if len(seen) != 3 {
			t.Errorf("seeds %v, want three", seen)
		}
	}
}
