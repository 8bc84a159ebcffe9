package scenarios

import (
	"errors"
	"fmt"
	"time"

	"github.com/proxychaos/proxychaos/reports"
)

// Merge reads the cells of all shards of a run, in the order of the catalogue. Of a shard that
// was killed, those that it had run to their end are among them, and killed says so.
func Merge(dirs []string) (cells []reports.Cell, killed, err error) {
	from := map[string]string{}
	for _, dir := range dirs {
		some, err := Stored(dir)
		if errors.Is(err, ErrNoReport) && len(some) > 0 {
			said := fmt.Errorf("%w: %d cells were recorded until then", err, len(some))
			if killed != nil {
				said = fmt.Errorf("%w; %w", killed, said)
			}
			killed, err = said, nil
		}
		if err != nil {
			return nil, nil, err
		}
		for _, c := range some {
			name := c.Manifest.Scenario + " " + c.Manifest.Subject.ID
			if other, twice := from[name]; twice {
				return nil, nil, fmt.Errorf("%s is in %s and in %s: want the parts of one run", name, other, dir)
			}
			from[name] = dir
		}
		cells = append(cells, some...)
	}
	if _, err := OfOneCloud(cells); err != nil {
		return nil, nil, err
	}
	inOrder(cells)
	return cells, killed, nil
}

// Began is when the first of the cells did.
func Began(cells []reports.Cell) time.Time {
	first := time.Now()
	for _, c := range cells {
		if at := c.Manifest.Began; !at.IsZero() && at.Before(first) {
			first = at
		}
	}
	return first
}
