package fault

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/proxychaos/proxychaos/harness/meant"
)

// words are the faults by the word that stands in their JSON. A new fault is
// registered here.
var words = map[string]reflect.Type{
	"change-dns":    reflect.TypeFor[ChangeDNS](),
	"switch-alias":  reflect.TypeFor[SwitchAlias](),
	"strike-nodes":  reflect.TypeFor[StrikeNodes](),
	"lose-targets":  reflect.TypeFor[LoseTargets](),
	"fail-targets":  reflect.TypeFor[FailTargets](),
	"bring-back":    reflect.TypeFor[BringBack](),
	"fail-dns":      reflect.TypeFor[FailDNS](),
	"heal-dns":      reflect.TypeFor[HealDNS](),
	"restart-proxy": reflect.TypeFor[RestartProxy](),
	"reload-proxy":  reflect.TypeFor[ReloadProxy](),
	"forget-idle":   reflect.TypeFor[ForgetIdle](),
	"deregister":    reflect.TypeFor[Deregister](),
	"stop-proxy":    reflect.TypeFor[StopProxy](),
	"register":      reflect.TypeFor[Register](),
	"start-proxy":   reflect.TypeFor[StartProxy](),
}

// Words lists the faults that can be read from JSON.
func Words() []string { return slices.Sorted(maps.Keys(words)) }

// Encode writes a fault as JSON: its fields, and its word as "fault".
func Encode(f Fault) (json.RawMessage, error) {
	for word, t := range words {
		if t != reflect.TypeOf(f) {
			continue
		}
		fields, err := json.Marshal(f)
		if err != nil {
			return nil, fmt.Errorf("write the fault %s: %w", word, err)
		}
		head := fmt.Sprintf(`{"fault":%q`, word)
		if string(fields) != "{}" {
			head += ","
		}
		return append([]byte(head), bytes.TrimPrefix(fields, []byte("{"))...), nil
	}
	return nil, fmt.Errorf("a fault of type %T cannot be stored: register it in harness/fault/registry.go", f)
}

// Decode reads what Encode writes. Unknown fields are errors, and so is a fault
// whose fields are wrong.
func Decode(text []byte) (Fault, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(text, &fields); err != nil {
		return nil, fmt.Errorf("read a fault: %w", err)
	}
	var word string
	if err := json.Unmarshal(fields["fault"], &word); err != nil {
		return nil, fmt.Errorf("read a fault: got no \"fault\" in %s, want one of %s", text, strings.Join(Words(), ", "))
	}
	t, ok := words[word]
	if !ok {
		return nil, fmt.Errorf("read a fault: there is no fault %q%s", word, meant.Hint(word, Words()))
	}
	delete(fields, "fault")
	rest, err := json.Marshal(fields)
	if err != nil {
		return nil, fmt.Errorf("read the fault %s: %w", word, err)
	}
	made := reflect.New(t)
	decoder := json.NewDecoder(bytes.NewReader(rest))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(made.Interface()); err != nil {
		return nil, fmt.Errorf("read the fault %s: %w", word, err)
	}
	f, ok := made.Elem().Interface().(Fault)
	if !ok {
		return nil, fmt.Errorf("read the fault %s: %s is registered and is no fault", word, t)
	}
	return f, Check(f)
}

// Check says what is wrong with the fields of a fault; nil if nothing is.
func Check(f Fault) error {
	if c, ok := f.(Checker); ok {
		if err := c.Check(); err != nil {
			return fmt.Errorf("%s: %w", f.Name(), err)
		}
	}
	return nil
}
