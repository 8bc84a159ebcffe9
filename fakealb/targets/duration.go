package targets

import "time"

// Duration is a time.Duration whose JSON is a string such as "1.5s".
type Duration time.Duration

// MarshalText returns the form that ParseDuration reads.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText reads a Go duration.
func (d *Duration) UnmarshalText(b []byte) error {
	v, err := time.ParseDuration(string(b))
	*d = Duration(v)
	return err
}
