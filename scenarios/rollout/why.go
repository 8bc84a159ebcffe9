package rollout

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/proxychaos/proxychaos/reports"
	"github.com/proxychaos/proxychaos/reports/compare"
)

// Why undoes each change by itself and asks answer to compare A with what is then B, at a
// path. word is the answer about A and B themselves.
func Why(ctx context.Context, changed *Changed, word compare.Word, answer func(ctx context.Context, change Change, b string) (compare.Word, error)) (blames []reports.Blame, err error) {
	root, err := os.MkdirTemp("", "proxychaos-why-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(root) }() // it is copies
	for i, change := range changed.Changes {
		into := filepath.Join(root, strconv.Itoa(i))
		if err := os.Mkdir(into, 0o755); err != nil {
			return blames, err
		}
		b, err := changed.Without(i, into)
		if err != nil {
			return blames, fmt.Errorf("take back %s: %w", change, err)
		}
		blame := reports.Blame{Change: change.String(), Part: reports.PartNotKnown}
		blame.Instead, blame.Err = answer(ctx, change, b)
		if ctx.Err() != nil {
			return blames, ctx.Err()
		}
		switch {
		case blame.Err != nil || blame.Instead == compare.CannotTell:
		case blame.Instead == word:
			blame.Part = reports.MattersNot
		default:
			blame.Part = reports.Matters
		}
		blames = append(blames, blame)
	}
	return blames, nil
}
