package goproxy

import (
	"errors"
	"maps"
	"slices"

	"github.com/proxychaos/proxychaos/goproxy/http1"
)

// headerEdits are the changes of a HeaderChange, ready to be made.
type headerEdits struct {
	remove   []string
	set, add []headerValue
}

type headerValue struct {
	name  string
	value format
}

func newHeaderEdits(c HeaderChange, known map[string]variable) (headerEdits, error) {
	var errs []error
	compile := func(values map[string]string) (all []headerValue) {
		for _, name := range slices.Sorted(maps.Keys(values)) {
			value, err := parseFormat(values[name], known)
			errs = append(errs, err)
			all = append(all, headerValue{name, value})
		}
		return all
	}
	e := headerEdits{remove: c.Remove, set: compile(c.Set), add: compile(c.Add)}
	return e, errors.Join(errs...)
}

// apply makes the changes to h, a header of r or of its response. What is removed
// or set goes under every name that some server takes for it.
func (e *headerEdits) apply(h *http1.Header, r *request) {
	for _, name := range e.remove {
		h.DelAlike(name)
	}
	for _, v := range e.set {
		h.DelAlike(v.name)
		v.addTo(h, r)
	}
	for _, v := range e.add {
		v.addTo(h, r)
	}
}

// trailer is what of a trailer goes on, in a message whose header has the changes:
// what they remove or set must not come back behind the body.
func (e *headerEdits) trailer(t http1.Header) http1.Header {
	var kept http1.Header
	for _, f := range t {
		if http1.MayTrail(f.Name) {
			kept.Add(f.Name, f.Value)
		}
	}
	e.withhold(&kept)
	return kept
}

// withhold takes away what the changes remove or set, where fields come before or
// behind the header that has the changes.
func (e *headerEdits) withhold(h *http1.Header) {
	for _, name := range e.remove {
		h.DelAlike(name)
	}
	for _, v := range e.set {
		h.DelAlike(v.name)
	}
}

// editedBody is a body whose trailer has the changes made.
type editedBody struct {
	bodyReader
	edits *headerEdits
}

// Trailer implements bodyReader.
func (b *editedBody) Trailer() http1.Header { return b.edits.trailer(b.bodyReader.Trailer()) }

func (v headerValue) addTo(h *http1.Header, r *request) {
	if value := v.value.expand(r); value != "" {
		h.Add(v.name, value)
	}
}
