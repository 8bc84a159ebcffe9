package wayin

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/proxychaos/proxychaos/harness/load"
	"github.com/proxychaos/proxychaos/harness/recording"
)

const (
	// atOnce is how many requests use up what a limit lets through at once, such as nginx's
	// burst=20.
	atOnce = 32
	// inTurn is how many follow, at the rate of the load: whether they are refused shows
	// whether the limit is below that.
	inTurn = 10
	// mostBetween is the longest time between two of these; of a load that asks less often, no
	// limits are looked for.
	mostBetween = 100 * time.Millisecond
	// burstTimeout is of one of all these: a limit may also let some wait.
	burstTimeout = time.Second
	// limitsLimit is how long limits are looked for, in all.
	limitsLimit = 4 * time.Second
)

// refusals are the outcomes by which a proxy says that it gets too much.
var refusals = []string{"429", recording.Unavailable}

// free are those of the paths, which all lead to nodes, at which the proxy does not refuse a
// part of the load by itself: such a run proves nothing. After until, none is tried any more.
func (s *Search) free(ctx context.Context, way recording.Way, paths []string, until time.Time) ([]string, error) {
	var free []string
	for _, path := range paths {
		if len(free) == max(maxPaths, len(s.Paths)) {
			break
		}
		way.Paths = []string{path}
		refusal := ""
		if time.Now().Before(until) {
			var err error
			if refusal, err = s.limit(ctx, way); err != nil {
				return nil, err
			}
		}
		if refusal == "" {
			free = append(free, path)
			continue
		}
		s.limited, s.refusal = append(s.limited, path), refusal
	}
	return free, nil
}

// limit is how the proxy refuses requests at the rate of the load; empty if it takes them.
func (s *Search) limit(ctx context.Context, way recording.Way) (refusal string, err error) {
	between := time.Second / time.Duration(max(1, s.Rate))
	if between > mostBetween {
		return "", nil // so seldom asked, a limit is hardly met, and to find out would take long
	}
	if refusal, err = s.refuses(ctx, way, atOnce); refusal == "" || err != nil {
		return "", err
	}
	for range inTurn {
		if err := sleep(ctx, between); err != nil {
			return "", err
		}
		if refusal, err = s.refuses(ctx, way, 1); refusal != "" || err != nil {
			return refusal, err
		}
	}
	return "", nil
}

// refuses is how the proxy refuses one of so many requests at once; empty if it refuses none.
func (s *Search) refuses(ctx context.Context, way recording.Way, requests int) (string, error) {
	came, err := s.Burst(ctx, load.Burst{Way: way, Concurrency: requests, Timeout: recording.Of(burstTimeout)})
	if err != nil {
		return "", err
	}
	for _, refusal := range refusals {
		if came.Outcomes[refusal] > 0 {
			return refusal, nil
		}
	}
	return "", nil
}

func (s *Search) isLimited(path string) bool { return slices.Contains(s.limited, path) }

// limits says at which paths the proxy refuses a part of the load by itself, and what to do.
func (s *Search) limits(way recording.Way) string {
	asked := slices.DeleteFunc(slices.Clone(way.Paths), func(path string) bool { return !s.isLimited(path) })
	switch {
	case len(s.limited) == 0:
		return ""
	case len(asked) > 0:
		where := ""
		if len(asked) < len(way.Paths) {
			where = strings.Join(asked, ", ") + ": "
		}
		return fmt.Sprintf("; %sthe proxy itself limits how many requests it takes there (%s), so that the run may prove nothing: lower RATE=, or take the limit out for this run", where, s.refusal)
	}
	return fmt.Sprintf("; %s: limited by the proxy itself (%s), not asked for (URL_PATH=%s)", strings.Join(s.limited, ", "), s.refusal, JoinPaths(s.limited))
}
