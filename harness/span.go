package harness

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Span is a time of a timeline: a fixed one, or so many times a setting.
//
//	""          0
//	"1.5s"      fixed
//	"grace"     Settings.Grace
//	"0.5 grace" half of it
//	"outage"    Settings.Outage
//	"3 ttl"     three times Settings.TTL
type Span string

// maxTimes is how many times a setting a span may be, maxFixed how long a fixed one.
const (
	maxTimes = 1000
	maxFixed = 30 * 24 * time.Hour
)

// Of is the time with these settings. The error says what a span may be.
func (s Span) Of(set Settings) (time.Duration, error) {
	if s == "" {
		return 0, nil
	}
	times, unit, counted := strings.Cut(string(s), " ")
	if !counted {
		times, unit = "1", string(s)
	}
	n, err := strconv.ParseFloat(times, 64)
	of := map[string]time.Duration{"grace": set.Grace, "outage": set.Outage, "ttl": set.TTL}
	if one, ok := of[unit]; ok && err == nil && n >= 0 && n <= maxTimes {
		return time.Duration(n * float64(one)), nil
	}
	d, err := time.ParseDuration(string(s))
	if err != nil || d < 0 || d > maxFixed {
		return 0, fmt.Errorf("got the wait %q, want a time such as \"1.5s\", or so many times a setting: \"grace\", \"0.5 grace\", \"outage\", \"3 ttl\"; at most %v, or %d times", string(s), maxFixed, maxTimes)
	}
	return d, nil
}

// grace says whether the span follows Settings.Grace.
func (s Span) grace() bool { return s == "grace" || strings.HasSuffix(string(s), " grace") }
