package scenarios

import (
	"fmt"
	"regexp"
	"strconv"

	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/run"
)

// Shard is one of several parts of the cells of a run: every Of-th, from the Nth on. So each
// part has some of every scenario, and one cell more than another at most. None if Of is 0.
type Shard struct{ Nth, Of int }

// mostShards is how many parts a run can have.
const mostShards = 64

var shardPattern = regexp.MustCompile(`^(\d{1,3})/(\d{1,3})$`)

func parseShard(text string) (Shard, error) {
	if text == "" {
		return Shard{}, nil
	}
	m := shardPattern.FindStringSubmatch(text)
	if m == nil {
		return Shard{}, wrongShard(text)
	}
	nth, _ := strconv.Atoi(m[1]) // digits
	of, _ := strconv.Atoi(m[2])
	if nth < 1 || nth > of || of > mostShards {
		return Shard{}, wrongShard(text)
	}
	return Shard{nth, of}, nil
}

func wrongShard(text string) error {
	return fmt.Errorf("SHARD=%s: want one of several parts, from 1/2 to %d/%d, such as 2/8", text, mostShards, mostShards)
}

// Cells are those of one scenario that this run has.
func (r Request) Cells(s harness.Scenario) []run.Cell {
	cells := r.suited(s)
	if r.Shard.Of == 0 {
		return cells
	}
	at := 0 // of the scenario's first cell among those of all
	for _, before := range r.Scenarios {
		if before.Name == s.Name {
			break
		}
		at += len(r.suited(before))
	}
	var some []run.Cell
	for i, cell := range cells {
		if (at+i)%r.Shard.Of == r.Shard.Nth-1 {
			some = append(some, cell)
		}
	}
	return some
}
