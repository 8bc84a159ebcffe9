package http1

import "iter"

// Field is one header field. The name is spelled as it was received.
type Field struct{ Name, Value string }

// Header is the fields of a message that go from end to end, in their order.
// Names are compared without regard to case.
type Header []Field

// Get returns the value of the first field of that name, or "".
func (h Header) Get(name string) string {
	for i := range h {
		if EqualFold(h[i].Name, name) {
			return h[i].Value
		}
	}
	return ""
}

// Has reports whether there is a field of that name.
func (h Header) Has(name string) bool {
	for i := range h {
		if EqualFold(h[i].Name, name) {
			return true
		}
	}
	return false
}

// Values goes through the values of all fields of that name.
func (h Header) Values(name string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := range h {
			if EqualFold(h[i].Name, name) && !yield(h[i].Value) {
				return
			}
		}
	}
}

// Add appends a field. One that [ValidField] refuses is left out.
func (h *Header) Add(name, value string) {
	if value = trim(value); ValidField(name, value) {
		*h = append(*h, Field{name, value})
	}
}

// Set puts one field in place of all of that name.
func (h *Header) Set(name, value string) {
	h.Del(name)
	h.Add(name, value)
}

// Del removes all fields of that name.
func (h *Header) Del(name string) { h.remove(name, EqualFold) }

// DelAlike removes all fields whose name is that one to some server (see
// [Alike]).
func (h *Header) DelAlike(name string) { h.remove(name, Alike) }

func (h *Header) remove(name string, same func(a, b string) bool) {
	kept := (*h)[:0]
	for _, f := range *h {
		if !same(f.Name, name) {
			kept = append(kept, f)
		}
	}
	*h = kept
}

// Tokens goes through the elements of a comma-separated list, without the
// empty ones.
func Tokens(list string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for start, i := 0, 0; i <= len(list); i++ {
			if i < len(list) && list[i] != ',' {
				continue
			}
			if token := trim(list[start:i]); token != "" && !yield(token) {
				return
			}
			start = i + 1
		}
	}
}

// maxFields bounds the number of fields in a head or trailer, and that of the
// options of Connection in a head: each option is looked for among the fields.
const maxFields = 256
