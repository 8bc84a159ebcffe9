package targets

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/netip"
)

// Target is one registered target of a group: a real server or a built-in one.
// Its JSON is "ip:port" where that says all, and else an object.
type Target struct {
	Addr netip.AddrPort `json:"addr,omitzero"` // of a real server
	// Zone is the availability zone of the target, at most 64 bytes. Empty stands
	// for every zone, as "all" does in AWS.
	Zone string `json:"zone,omitempty"`
	// BuiltIn, if set, answers in place of a server.
	BuiltIn *BuiltIn `json:"built_in,omitempty"`
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
func (t Target) ID() string {
	if t.BuiltIn != nil {
		return t.BuiltIn.Name
	}
	return t.Addr.String()
}

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
	*t = Target{}
	if bytes.HasPrefix(b, []byte{'"'}) {
		return json.Unmarshal(b, &t.Addr)
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode((*plainTarget)(t)); err != nil {
		return fmt.Errorf("a target is \"ip:port\" or an object: %w", err)
	}
	return nil
}

// check returns target number i of a group with its defaults filled in, or the
// field that is wrong, with its dot, and why.
func (t Target) check(i int, version string) (Target, string, error) {
	switch {
	case len(t.Zone) > maxZone:
		return t, ".zone", fmt.Errorf("got a zone of %d bytes, want at most %d", len(t.Zone), maxZone)
	case t.BuiltIn == nil && (!t.Addr.IsValid() || t.Addr.Port() == 0):
		return t, "", fmt.Errorf("got %s, want an address with a port, or a built-in target", t.Addr)
	case t.BuiltIn != nil && t.Addr.IsValid():
		return t, ".addr", fmt.Errorf("got %s with a built-in target, want one of them", t.Addr)
	case t.BuiltIn == nil:
		return t, "", nil
	}
	b, field, err := t.BuiltIn.check(i, version)
	t.BuiltIn = &b
	return t, ".built_in." + field, err
}
