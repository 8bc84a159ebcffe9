package main

import (
	"bufio"
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
	"github.com/proxychaos/proxychaos/reports/compare"
)

// bank is the figures of stored runs.
type bank struct{ runs []stored }

// stored is a run with what tells it from all others.
type stored struct {
	Began string `json:"began"`
	compare.Run
}

// readBank reads a bank; one that is not there is empty.
func readBank(path string) (*bank, error) {
	file, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return &bank{}, nil
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	text, err := gzip.NewReader(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	b := &bank{}
	for rows := json.NewDecoder(bufio.NewReader(text)); ; {
		var run stored
		err := rows.Decode(&run)
		if errors.Is(err, io.EOF) {
			return b, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s: run %d: %w", path, len(b.runs)+1, err)
		}
		b.runs = append(b.runs, run)
	}
}

// write writes the bank in an order of its own, so that the same runs make the same file. What
// was there before is kept until all of it is written.
func (b *bank) write(path string) error {
	slices.SortFunc(b.runs, func(x, y stored) int {
		return cmp.Or(cmp.Compare(x.Subject, y.Subject), cmp.Compare(x.Scenario, y.Scenario), cmp.Compare(x.Seed, y.Seed), cmp.Compare(x.Began, y.Began))
	})
	var packed bytes.Buffer
	text := gzip.NewWriter(&packed)
	rows := json.NewEncoder(text)
	for _, run := range b.runs {
		if err := rows.Encode(run); err != nil {
			return err
		}
	}
	if err := text.Close(); err != nil {
		return err
	}
	return recording.Replace(path, packed.Bytes())
}

// put puts a run into the bank, unless nothing was proved or the bank has it.
func (b *bank) put(m recording.Manifest, v judge.Verdict) (added bool) {
	run := stored{m.Began.UTC().Format("2006-01-02T15:04:05.000Z"), compare.NewRun(m, v)}
	known := slices.ContainsFunc(b.runs, func(old stored) bool {
		return old.Began == run.Began && old.Subject == run.Subject && old.Scenario == run.Scenario
	})
	if run.Result == judge.Unproven || known {
		return false
	}
	b.runs = append(b.runs, run)
	return true
}

// of are the runs of a subject in a scenario, by their seed if three or more have the same,
// else all together. paired says which.
func (b *bank) of(subject, scenario string) (groups [][]compare.Run, paired bool) {
	var all []compare.Run
	bySeed := map[uint64][]compare.Run{}
	var seeds []uint64
	for _, run := range b.runs {
		if run.Subject != subject || run.Scenario != scenario {
			continue
		}
		if bySeed[run.Seed] == nil {
			seeds = append(seeds, run.Seed)
		}
		bySeed[run.Seed] = append(bySeed[run.Seed], run.Run)
		all = append(all, run.Run)
	}
	for _, seed := range seeds {
		if len(bySeed[seed]) >= 3 {
			groups = append(groups, bySeed[seed])
		}
	}
	if len(groups) > 0 {
		return groups, true
	}
	if len(all) < 3 {
		return nil, false
	}
	return [][]compare.Run{all}, false
}

// subjects are those of the bank in the order of their names.
func (b *bank) subjects() []string {
	return distinct(b.runs, func(r stored) string { return r.Subject })
}

// scenarios are those of which a subject has enough runs for a block.
func (b *bank) scenarios(subject string) []string {
	var enough []string
	for _, scenario := range distinct(b.runs, func(r stored) string { return r.Scenario }) {
		if groups, _ := b.of(subject, scenario); groups != nil {
			enough = append(enough, scenario)
		}
	}
	return enough
}

func distinct(runs []stored, of func(stored) string) []string {
	var all []string
	for _, run := range runs {
		all = append(all, of(run))
	}
	slices.Sort(all)
	return slices.Compact(all)
}
