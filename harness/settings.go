package harness

import (
	"fmt"
	"strconv"
	"time"
)

// Settings are the numbers that a user can set for a run.
type Settings struct {
	// Clock is how time runs; it decides the defaults of the others.
	Clock Clock
	// TTL of the DNS answers, whole seconds. An ELB record has 60 s
	// (aws-facts 1.1); 1 s on the scaled clock is the time scale of 1:60.
	TTL time.Duration
	// Grace is how long the old nodes serve after the name has moved. It must
	// exceed TTL plus the subject's own refresh; for a config of the user's the run
	// lengthens it if it does not.
	Grace time.Duration
	// Outage is how long a fault lasts in the scenarios that end it: DNS that fails,
	// a node that is away.
	Outage time.Duration
	// Posts is how many of 100 requests are POSTs, 0 to 100.
	Posts int
	// Rate is requests per second and cell, open loop; SettingsFrom takes 10 to 5000.
	Rate int
	// Peak is how many requests at once have filled the proxy's pools of connections
	// before the load, 1 to 1,000.
	Peak int
	// Seed draws the phase of the first fault and the order of DNS answers.
	Seed uint64
	// MaxFailed is how many requests a config of the user's may lose in a cell, besides
	// those that the scenario allows; 0 or more.
	MaxFailed int
	// RecoverWithin is how long after each loss its requests may fail. Zero means what
	// the scenario allows.
	RecoverWithin time.Duration
	// Watch is how long a config that this one is compared with may keep an address: the load
	// then goes on for as long as that of the other, also if this one keeps none. No variable
	// sets it.
	Watch time.Duration
}

// DefaultSettings are those of `make scenario` with no variable set.
func DefaultSettings() Settings { return Scaled.Defaults() }

// SettingsFrom reads CLOCK, TTL, GRACE, OUTAGE, POSTS, RATE, PEAK, SEED, MAX_FAILED and RECOVER_WITHIN through lookup.
// Durations are Go durations ("5s") or seconds ("5"), as people write GRACE=15.
func SettingsFrom(lookup func(string) (string, bool)) (Settings, error) {
	word, _ := lookup("CLOCK")
	clock, err := parseClock(word)
	s := clock.Defaults()
	if err != nil {
		return s, err
	}
	if text, ok := lookup("TTL"); ok && text != "" {
		if s.TTL, err = seconds("TTL", text, time.Second, 5*time.Minute); err != nil {
			return s, err
		}
		if s.TTL%time.Second != 0 {
			return s, fmt.Errorf("TTL=%s: DNS has whole seconds only; give 1s or 2s", text)
		}
	}
	if text, ok := lookup("GRACE"); ok && text != "" {
		if s.Grace, err = seconds("GRACE", text, time.Second, 30*time.Minute); err != nil {
			return s, err
		}
	}
	if text, ok := lookup("OUTAGE"); ok && text != "" {
		if s.Outage, err = seconds("OUTAGE", text, time.Second, 30*time.Minute); err != nil {
			return s, err
		}
	}
	if text, ok := lookup("POSTS"); ok && text != "" {
		if s.Posts, err = strconv.Atoi(text); err != nil || s.Posts < 0 || s.Posts > 100 {
			return s, fmt.Errorf("POSTS=%s: want how many of 100 requests are POSTs, 0 to 100", text)
		}
	}
	if text, ok := lookup("RATE"); ok && text != "" {
		if s.Rate, err = strconv.Atoi(text); err != nil || s.Rate < 10 || s.Rate > 5000 {
			return s, fmt.Errorf("RATE=%s: want requests per second, a whole number from 10 to 5000", text)
		}
	}
	if text, ok := lookup("PEAK"); ok && text != "" {
		if s.Peak, err = strconv.Atoi(text); err != nil || s.Peak < 1 || s.Peak > 1000 {
			return s, fmt.Errorf("PEAK=%s: want how many requests at once fill the proxy's pools, 1 to 1000", text)
		}
	}
	if text, ok := lookup("SEED"); ok && text != "" {
		if s.Seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			return s, fmt.Errorf("SEED=%s: want a whole number, 0 or more", text)
		}
	}
	if text, ok := lookup("MAX_FAILED"); ok && text != "" {
		if s.MaxFailed, err = strconv.Atoi(text); err != nil || s.MaxFailed < 0 {
			return s, fmt.Errorf("MAX_FAILED=%s: want how many requests may fail, a whole number, 0 or more", text)
		}
	}
	if text, ok := lookup("RECOVER_WITHIN"); ok && text != "" {
		if s.RecoverWithin, err = seconds("RECOVER_WITHIN", text, time.Millisecond, 10*time.Minute); err != nil {
			return s, err
		}
	}
	return s, nil
}

func seconds(name, text string, least, most time.Duration) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err != nil {
		d, err = time.ParseDuration(text + "s")
	}
	if err != nil || d < least || d > most {
		return 0, fmt.Errorf("%s=%s: want a time from %v to %v, such as 5s", name, text, least, most)
	}
	return d, nil
}
