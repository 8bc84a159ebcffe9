package main

import (
	"path/filepath"
	"reflect"
	"testing"

	"github.com/proxychaos/proxychaos/harness/judge"
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
