package targets

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/netip"
)

// Target is one registered target of a group. Its JSON is "ip:port" where that
// says all, and else an object.
type Target struct {
	Addr netip.AddrPort `json:"addr,omitzero"` // of a real server
	// Zone is the availability zone of the target, at most 64 bytes. Empty stands
	// for every zone, as "all" does in AWS.
	Zone string `json:"zone,omitempty"`
}

// At are the targets at these addresses, in every zone.
func At(addrs ...netip.AddrPort) []Target {
	out := make([]Target, len(addrs))
	for i, a := range addrs {
		out[i].Addr = a
	}
	return out
}

// ID names the target within its group.
func (t Target) ID() string { return t.Addr.String() }

// plainTarget is a Target without methods, so with the JSON of its fields.
type plainTarget Target

// MarshalJSON returns "ip:port" or an object.
func (t Target) MarshalJSON() ([]byte, error) {
	if t == (Target{Addr: t.Addr}) {
		return json.Marshal(t.Addr)
	}
	return json.Marshal(plainTarget(t))
}

// UnmarshalJSON reads "ip:port" or an object, which has no other fields than
// those of Target.
func (t *Target) UnmarshalJSON(b []byte) error {
	if bytes.HasPrefix(b, []byte{'"'}) {
		*t = Target{}
		return json.Unmarshal(b, &t.Addr)
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode((*plainTarget)(t)); err != nil {
		return fmt.Errorf("a target is \"ip:port\" or an object: %w", err)
	}
	return nil
}
