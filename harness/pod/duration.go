package pod

import (
	"time"
)

// Duration is a time.Duration that is written in JSON as Go writes it: "20ms".
type Duration time.Duration

// MarshalText writes the duration as time.Duration.String does.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText reads what time.ParseDuration reads.
func (d *Duration) UnmarshalText(b []byte) error {
	v, err := time.ParseDuration(string(b))
	if err != nil {
		return invalid("", "got %q, want a duration such as \"20ms\"", b)
	}
	*d = Duration(v)
	return nil
}

// Limits of every span that a request can name.
const (
	MaxWait        = time.Minute     // of listeners' wait and of every timeout
	DefaultTimeout = 2 * time.Second // of a probe or canary that names none
)

// sampling returns the span as the interval of a watch, or DefaultInterval if it is
// zero.
func (d Duration) sampling() (time.Duration, error) {
	v := time.Duration(d)
	if v == 0 {
		return DefaultInterval, nil
	}
	if v < time.Millisecond || v > 10*time.Second {
		return 0, invalid("interval", "got %v, want 1ms to 10s", v)
	}
	return v, nil
}

// orDefault returns the span, or DefaultTimeout where it is zero.
func (d Duration) orDefault() (time.Duration, error) {
	v := time.Duration(d)
	if v == 0 {
		return DefaultTimeout, nil
	}
	if v < time.Millisecond || v > MaxWait {
		return 0, invalid("timeout", "got %v, want 1ms to %v", v, MaxWait)
	}
	return v, nil
}
