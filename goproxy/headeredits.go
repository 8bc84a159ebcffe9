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

// apply makes the changes to h, a header of r or of its response.
func (e *headerEdits) apply(h *http1.Header, r *request) {
	for _, name := range e.remove {
		h.Del(name)
	}
	for _, v := range e.set {
		h.Del(v.name)
		v.addTo(h, r)
	}
	for _, v := range e.add {
		v.addTo(h, r)
	}
}

func (v headerValue) addTo(h *http1.Header, r *request) {
	if value := v.value.expand(r); value != "" {
		h.Add(v.name, value)
	}
}
