package main

import (
	"math/rand/v2"
	"runtime"

	"golang.org/x/sync/errgroup"

	"github.com/proxychaos/proxychaos/reports/compare"
)

// mostBlocks is how many blocks of a scenario a comparison may take: sixty runs.
const mostBlocks = 20

// drawn is what became of a number of comparisons.
type drawn struct {
	words  map[compare.Word]int
	blocks int // of all comparisons together
}

// draw makes comparisons of a subject with itself in some scenarios, each with runs drawn
// anew. What plant does to B's runs is what there is to find.
func (b *bank) draw(comparisons int, subject string, scenarios []string, plant func(*compare.Run)) drawn {
	groups := map[string][][]compare.Run{}
	for _, scenario := range scenarios {
		groups[scenario], _ = b.of(subject, scenario)
	}
	words, took := make([]compare.Word, comparisons), make([]int, comparisons)
	var all errgroup.Group
	all.SetLimit(runtime.GOMAXPROCS(0))
	for nth := range comparisons {
		all.Go(func() error {
			words[nth], took[nth] = compared(groups, scenarios, plant, rand.New(rand.NewPCG(uint64(nth), 14)))
			return nil
		})
	}
	_ = all.Wait() // none can fail
	d := drawn{words: map[compare.Word]int{}}
	for nth, word := range words {
		d.words[word]++
		d.blocks += took[nth]
	}
	return d
}

// compared makes one comparison, and says after how many blocks there was a word.
func compared(groups map[string][][]compare.Run, scenarios []string, plant func(*compare.Run), from *rand.Rand) (compare.Word, int) {
	next := map[string]func() compare.Block{}
	for _, scenario := range scenarios {
		next[scenario] = blocks(groups[scenario], from)
	}
	return decide(scenarios, func(scenario string) compare.Block {
		block := next[scenario]()
		plant(&block.B)
		return block
	})
}

// decide takes one block after the other until there is a word, or mostBlocks of each
// scenario were taken.
func decide(scenarios []string, next func(scenario string) compare.Block) (compare.Word, int) {
	var blocks []compare.Block
	for {
		c := compare.Compare(compare.DefaultRules(), scenarios, blocks)
		scenario := c.Next(nil)
		if scenario == "" || len(blocks) == mostBlocks*len(scenarios) {
			return c.Word, len(blocks)
		}
		blocks = append(blocks, next(scenario))
	}
}

// blocks draws one block after the other, each of another group until all were drawn: a
// comparison has one block of a seed.
func blocks(groups [][]compare.Run, from *rand.Rand) func() compare.Block {
	var order []int
	return func() compare.Block {
		if len(order) == 0 {
			order = from.Perm(len(groups))
		}
		group := groups[order[0]]
		order = order[1:]
		return three(group, from)
	}
}

// three draws three different runs of a group: which of them is B's is chance.
func three(group []compare.Run, from *rand.Rand) compare.Block {
	order := from.Perm(len(group))
	return compare.Block{A: group[order[0]], B: group[order[1]], Again: group[order[2]]}
}
