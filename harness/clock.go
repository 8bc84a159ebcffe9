package harness

import (
	"fmt"
	"time"

	"github.com/proxychaos/proxychaos/harness/meant"
	"github.com/proxychaos/proxychaos/harness/recording"
)

// Clock is how time runs in a cell.
type Clock string

// The clocks.
const (
	// Scaled is the default: a TTL of 1 s, and a connect that nothing answers ends after
	// 3 s. A run takes half a minute.
	Scaled Clock = recording.ScaledClock
	// Production leaves the kernel's timers, the TTL and a client's patience as they
	// are outside, so that a request fails in the way that users will see. A run takes
	// about five minutes.
	Production Clock = recording.ProductionClock
)

// Timing is every span of a cell that is not a setting. These times do not grow on a
// slow machine; a run that needs longer is unproven.
type Timing struct {
	Healthy       time.Duration // before the first fault; at least this long
	After         time.Duration // after the last fault: two timeouts, and time to see what follows
	ClientTimeout time.Duration // a user's patience
	Phase         time.Duration // the phase is drawn below this, or the subject's refresh if that is longer,
	MaxPhase      time.Duration // but never above this
}

// Timings are those of the clocks, in one place.
var Timings = map[Clock]Timing{
	Scaled: {
		Healthy:       3 * time.Second,
		After:         8 * time.Second, // two connect timeouts of the kernel, scaled to 3 s
		ClientTimeout: 4 * time.Second, // longer than one of them, shorter than two
		Phase:         3 * time.Second,
		MaxPhase:      30 * time.Second,
	},
	Production: {
		Healthy:       3 * time.Second,
		After:         130 * time.Second, // two timeouts of a proxy's own: 60 s by default in nginx and Apache
		ClientTimeout: 10 * time.Second,  // few users wait longer
		Phase:         3 * time.Second,
		MaxPhase:      30 * time.Second,
	},
}

// Defaults are the settings of a run on this clock for which no variable is set.
func (c Clock) Defaults() Settings {
	if c == Production {
		return Settings{Clock: c, TTL: time.Minute, Grace: 90 * time.Second, Outage: 90 * time.Second, Rate: 100, Peak: 64, Seed: 1}
	}
	return Settings{Clock: Scaled, TTL: time.Second, Grace: 8 * time.Second, Outage: 10 * time.Second, Rate: 100, Peak: 64, Seed: 1}
}

func parseClock(text string) (Clock, error) {
	switch c := Clock(text); c {
	case "":
		return Scaled, nil
	case Scaled, Production:
		return c, nil
	}
	return "", fmt.Errorf("CLOCK=%s: there is no such clock%s", text, meant.Hint(Clock(text), []Clock{Scaled, Production}))
}
