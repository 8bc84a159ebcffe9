package fakedns

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/proxychaos/proxychaos/harness/control"
)

// Durations are seconds on the wire, under names that end in _seconds, so that a
// shell script can write them without knowing Go.

type plainName Name

type nameJSON struct {
	*plainName
	TTLSeconds         *float64 `json:"ttl_seconds,omitempty"`
	PropagationSeconds *float64 `json:"propagation_seconds,omitempty"`
	InterleaveSeconds  *float64 `json:"interleave_seconds,omitempty"`
}

// MarshalJSON writes durations as "ttl_seconds", "propagation_seconds" and "interleave_seconds".
func (n Name) MarshalJSON() ([]byte, error) {
	plain := plainName(n)
	wire := nameJSON{
		plainName: &plain, PropagationSeconds: asSeconds(n.Propagation), InterleaveSeconds: asSeconds(n.Interleave),
	}
	if !n.isAlias() {
		ttl := n.TTL.Seconds()
		wire.TTLSeconds = &ttl
	}
	return json.Marshal(wire)
}

// UnmarshalJSON reads what MarshalJSON writes. Unknown fields are errors, and so is
// a missing ttl_seconds (a TTL of 0 must be meant), except with alias.
func (n *Name) UnmarshalJSON(b []byte) error {
	var plain plainName
	wire := nameJSON{plainName: &plain}
	if err := strictDecode(bytes.NewReader(b), &wire); err != nil {
		return blame(b, err, func() any { return &nameJSON{plainName: &plainName{}} })
	}
	if wire.TTLSeconds == nil && !(*Name)(&plain).isAlias() {
		return invalid("ttl_seconds", "missing, want whole seconds (an ELB name has 60)")
	}
	*n = Name(plain)
	return readSeconds(
		seconds{"ttl_seconds", wire.TTLSeconds, &n.TTL},
		seconds{"propagation_seconds", wire.PropagationSeconds, &n.Propagation},
		seconds{"interleave_seconds", wire.InterleaveSeconds, &n.Interleave},
	)
}

type plainFault Fault

type faultJSON struct {
	*plainFault
	DelaySeconds *float64 `json:"delay_seconds,omitempty"`
	AfterSeconds *float64 `json:"after_seconds,omitempty"`
	ForSeconds   *float64 `json:"for_seconds,omitempty"`
	TTLSeconds   *float64 `json:"ttl_seconds,omitempty"`
}

// MarshalJSON writes durations as "delay_seconds", "after_seconds", "for_seconds" and "ttl_seconds".
func (f Fault) MarshalJSON() ([]byte, error) {
	plain := plainFault(f)
	return json.Marshal(faultJSON{
		plainFault:   &plain,
		DelaySeconds: asSeconds(f.Delay), AfterSeconds: asSeconds(f.After),
		ForSeconds: asSeconds(f.For), TTLSeconds: asSeconds(f.TTL),
	})
}

// UnmarshalJSON reads what MarshalJSON writes; unknown fields are errors.
func (f *Fault) UnmarshalJSON(b []byte) error {
	wire := faultJSON{plainFault: &plainFault{}}
	if err := strictDecode(bytes.NewReader(b), &wire); err != nil {
		return blame(b, err, func() any { return &faultJSON{plainFault: &plainFault{}} })
	}
	*f = Fault(*wire.plainFault)
	return readSeconds(
		seconds{"delay_seconds", wire.DelaySeconds, &f.Delay},
		seconds{"after_seconds", wire.AfterSeconds, &f.After},
		seconds{"for_seconds", wire.ForSeconds, &f.For},
		seconds{"ttl_seconds", wire.TTLSeconds, &f.TTL},
	)
}

type plainQuery Query

type queryJSON struct {
	*plainQuery
	TTLSeconds float64 `json:"ttl_seconds"`
}

// MarshalJSON writes TTL as "ttl_seconds".
func (q Query) MarshalJSON() ([]byte, error) {
	plain := plainQuery(q)
	return json.Marshal(queryJSON{plainQuery: &plain, TTLSeconds: q.TTL.Seconds()})
}

// UnmarshalJSON reads what MarshalJSON writes. Unknown fields are ignored, so that
// an old reader can read a newer recording.
func (q *Query) UnmarshalJSON(b []byte) error {
	wire := queryJSON{plainQuery: &plainQuery{}}
	if err := json.Unmarshal(b, &wire); err != nil {
		return err
	}
	*q = Query(*wire.plainQuery)
	q.TTL = time.Duration(wire.TTLSeconds * float64(time.Second))
	return nil
}

// asSeconds leaves a zero duration out.
func asSeconds(d time.Duration) *float64 {
	if d == 0 {
		return nil
	}
	s := d.Seconds()
	return &s
}

// seconds is a field of a JSON object and where its value goes.
type seconds struct {
	field string
	value *float64
	to    *time.Duration
}

// readSeconds rejects what time.Duration cannot hold; ranges are checked elsewhere.
func readSeconds(list ...seconds) error {
	for _, s := range list {
		if s.value == nil {
			continue
		}
		if !(math.Abs(*s.value) <= math.MaxInt64/float64(time.Second)/2) { // NaN is neither
			return invalid(s.field, "got %g, want less than 146 years", *s.value)
		}
		*s.to = time.Duration(math.Round(*s.value * float64(time.Second)))
	}
	return nil
}

// strictDecode is [control.Decode], with the path of a wrong field as the JSON has it:
// encoding/json puts the embedded Go type before it.
func strictDecode(r io.Reader, v any) error {
	err := control.Decode(r, v)
	var typed *Error
	if errors.As(err, &typed) {
		for _, embedded := range []string{"plainName.", "plainFault."} {
			typed.Field = strings.TrimPrefix(typed.Field, embedded)
		}
	}
	return err
}

// blame finds the field for an error that does not name one, as those of netip do
// not: it reads each field alone and takes the first that cannot be read.
func blame(object []byte, err error, fresh func() any) *Error {
	typed := control.DecodeError(err)
	var fields map[string]json.RawMessage
	if typed.Field != "" || json.Unmarshal(object, &fields) != nil {
		return typed
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		alone, _ := json.Marshal(map[string]json.RawMessage{name: fields[name]})
		if err := strictDecode(bytes.NewReader(alone), fresh()); err != nil {
			return within(name, typed)
		}
	}
	return typed
}

func indexed(field string, i int) string { return fmt.Sprintf("%s[%d]", field, i) }
