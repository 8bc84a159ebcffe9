package fakedns

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// table is the set of names at one moment. It is never changed: a change makes a new one.
type table struct {
	entries map[string]*entry
	// implied are the names that come with a name that has zones. A name of the same
	// spelling that was set goes before them.
	implied map[string]*entry
	// wild are the entries of wildcards by what stands behind "*."; "" is [Wildcard] itself.
	wild map[string]*entry
	// above holds the ancestors of every name: they exist without records (RFC 8020),
	// so that they are NODATA and not NXDOMAIN.
	above map[string]struct{}
}

func newTable() *table { return &table{} }

// with returns a table in which these names are set or replaced, and the time from
// which all of that is seen; zero if at once.
func (t *table) with(names []Name, now time.Time) (*table, time.Time, *Error) {
	next := t.clone(now)
	var from time.Time
	for _, n := range names {
		e := newEntry(n, t.entries[n.Name], now)
		next.entries[n.Name] = e
		if e.from.After(from) {
			from = e.from
		}
		next.imply(n, t, now)
	}
	err := next.complete()
	return next, from, err
}

// without returns a table that lacks a name from some time on, and that time; zero if at once.
func (t *table) without(name string, propagation time.Duration, now time.Time) (*table, time.Time, *Error) {
	next := t.clone(now)
	gone := newEntry(Name{Name: name, Propagation: propagation}, t.entries[name], now)
	gone.gone = true
	next.entries[name] = gone
	next.imply(Name{Name: name}, t, now)
	if propagation == 0 {
		delete(next.entries, name)
	}
	err := next.complete()
	return next, gone.from, err
}

// clone copies what a change writes to, and leaves out what has been deleted for good.
func (t *table) clone(now time.Time) *table {
	next := &table{entries: make(map[string]*entry, len(t.entries)+1), implied: map[string]*entry{}}
	for _, copied := range []struct{ from, to map[string]*entry }{{t.entries, next.entries}, {t.implied, next.implied}} {
		for key, e := range copied.from {
			if !e.gone || now.Before(e.settled) {
				copied.to[key] = e
			}
		}
	}
	return next
}

// imply sets the names that come with n, and deletes those that came with what it replaces.
func (t *table) imply(n Name, before *table, now time.Time) {
	kept := map[string]bool{}
	for _, i := range n.implied() {
		e := newEntry(i, before.implied[i.Name], now)
		e.owner = n.Name
		t.implied[i.Name], kept[i.Name] = e, true
	}
	for key, e := range before.implied {
		if e.owner != n.Name || kept[key] {
			continue
		}
		delete(t.implied, key)
		if n.Propagation > 0 {
			gone := newEntry(Name{Name: key, Propagation: n.Propagation}, e, now)
			gone.gone, gone.owner = true, n.Name
			t.implied[key] = gone
		}
	}
}

// set returns the entry of a name that is set and not on its way to be deleted; nil if there is none.
func (t *table) set(name string) *entry {
	if e := t.entries[name]; e != nil && !e.gone {
		return e
	}
	return nil
}

// complete fills in what follows from the entries, and refuses chains without an end.
func (t *table) complete() *Error {
	t.above, t.wild = map[string]struct{}{}, map[string]*entry{}
	for _, entries := range []map[string]*entry{t.entries, t.implied} {
		for key := range entries {
			for _, rest, ok := strings.Cut(key, "."); ok && rest != ""; _, rest, ok = strings.Cut(rest, ".") {
				t.above[rest] = struct{}{}
			}
		}
	}
	for key, e := range t.entries {
		if first, rest, _ := strings.Cut(key, "."); first == Wildcard {
			t.wild[rest] = e
		}
	}
	c := chains{t, map[*entry]bool{}}
	for _, key := range slices.Sorted(maps.Keys(t.entries)) {
		if err := c.follow(key, key); err != nil {
			return err
		}
	}
	return nil
}

// chains looks for aliases, CNAMEs and failovers that lead back to themselves.
type chains struct {
	*table
	passed map[*entry]bool // false while what it leads to is still being followed
}

func (c *chains) follow(start, name string) *Error {
	e := c.best(name)
	if e == nil {
		return nil
	}
	if ended, ok := c.passed[e]; ended {
		return nil
	} else if ok {
		return invalid("names", "%q leads back to %q through alias, cname or failover, want a chain that ends", start, e.Name.Name)
	}
	c.passed[e] = false
	for _, target := range append([]string{e.Alias, e.CNAME, e.Failover}, e.Aliases...) {
		if target == "" {
			continue
		}
		if err := c.follow(start, target); err != nil {
			return err
		}
	}
	c.passed[e] = true
	return nil
}

// candidates are the entries that may answer for a name, the best first, nil where
// there is none: its own, the wildcard below its closest ancestor that exists
// (RFC 4592), the wildcard of all.
func (t *table) candidates(name string) (c [4]*entry) {
	c[0], c[1], c[3] = t.entries[name], t.implied[name], t.wild[""]
	if _, above := t.above[name]; above || len(t.wild) == 0 {
		return c // an ancestor of a name exists itself, so no wildcard beside it answers for it
	}
	for _, rest, ok := strings.Cut(name, "."); ok && rest != ""; _, rest, ok = strings.Cut(rest, ".") {
		if c[2] = t.wild[rest]; c[2] != nil {
			break
		}
		if _, above := t.above[rest]; above || t.entries[rest] != nil || t.implied[rest] != nil {
			break
		}
	}
	return c
}

// best is the first of the candidates, nil if there is none.
func (t *table) best(name string) *entry {
	for _, e := range t.candidates(name) {
		if e != nil {
			return e
		}
	}
	return nil
}

func (t *table) names() []Name {
	names := make([]Name, 0, len(t.entries))
	for _, key := range slices.Sorted(maps.Keys(t.entries)) {
		if e := t.set(key); e != nil {
			names = append(names, e.Name)
		}
	}
	return names
}
