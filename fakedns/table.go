package fakedns

import (
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// table is the set of names at one moment. It is never changed: a change makes a new one.
type table struct {
	entries map[string]*entry
	// above holds the ancestors of every name: they exist without records (RFC 8020),
	// so that they are NODATA and not NXDOMAIN.
	above map[string]struct{}
}

func newTable() *table { return &table{entries: map[string]*entry{}} }

// with returns a table in which these names are set or replaced, and the time from
// which all of that is seen; zero if at once.
func (t *table) with(names []Name, now time.Time) (*table, time.Time, *Error) {
	next := &table{entries: maps.Clone(t.entries)}
	var from time.Time
	for _, n := range names {
		e := newEntry(n, t.entries[n.Name], now)
		next.entries[n.Name] = e
		if e.from.After(from) {
			from = e.from
		}
	}
	err := next.complete()
	return next, from, err
}

// without returns a table that lacks a name.
func (t *table) without(name string) (*table, *Error) {
	next := &table{entries: maps.Clone(t.entries)}
	delete(next.entries, name)
	err := next.complete()
	return next, err
}

// complete fills in what follows from the entries, and refuses chains without an end.
func (t *table) complete() *Error {
	t.above = map[string]struct{}{}
	for key := range t.entries {
		for _, rest, ok := strings.Cut(key, "."); ok && rest != ""; _, rest, ok = strings.Cut(rest, ".") {
			t.above[rest] = struct{}{}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(t.entries)) {
		if err := t.checkChain(t.entries[key]); err != nil {
			return err
		}
	}
	return nil
}

// checkChain refuses aliases and CNAMEs that lead back to themselves.
func (t *table) checkChain(start *entry) *Error {
	seen := map[*entry]bool{}
	for e := start; e != nil && e.target() != ""; {
		if seen[e] {
			return invalid("names", "%q leads back to %q through alias or cname, want a chain that ends", start.Name.Name, e.Name.Name)
		}
		seen[e] = true
		target := e.target()
		e = nil
		for e = range t.candidates(target) {
			break
		}
	}
	return nil
}

// candidates yields the entries that may answer for a name, the best first: its own,
// the wildcard below its closest ancestor that exists (RFC 4592), the wildcard of all.
func (t *table) candidates(name string) iter.Seq[*entry] {
	return func(yield func(*entry) bool) {
		if e := t.entries[name]; e != nil && !yield(e) {
			return
		}
		for _, rest, ok := strings.Cut(name, "."); ok && rest != ""; _, rest, ok = strings.Cut(rest, ".") {
			if e := t.entries[Wildcard+"."+rest]; e != nil && !yield(e) {
				return
			}
			if _, above := t.above[rest]; above || t.entries[rest] != nil {
				break
			}
		}
		if e := t.entries[Wildcard]; e != nil {
			yield(e)
		}
	}
}

func (t *table) names() []Name {
	names := make([]Name, 0, len(t.entries))
	for _, key := range slices.Sorted(maps.Keys(t.entries)) {
		names = append(names, t.entries[key].Name)
	}
	return names
}

// lookup is one question to one table.
type lookup struct {
	*table
	q    *question
	seed uint64

	records []dns.RR
	rcode   int
	// negative: no record of the type asked for stands at the end of the chain.
	negative bool
	// stale: something in the answer has already been replaced.
	stale bool
}

// maxChain ends a chain that never ends, which only changes that are still on their
// way can form; a resolver gives up in the same way.
const maxChain = 32

// run answers the question, following aliases silently and CNAMEs visibly. owner is
// the name as it was asked, whose spelling the answer keeps.
func (l *lookup) run(owner string) {
	name := l.q.name
	for range maxChain {
		e := l.find(name)
		switch {
		case e == nil:
			if _, above := l.above[name]; !above {
				l.rcode = dns.RcodeNameError
			}
			l.negative = true
			return
		case e.CNAME == "":
			records := e.answer(owner, l.q, l.seed)
			l.records = append(l.records, records...)
			l.negative = len(records) == 0
			return
		}
		target := dns.Fqdn(e.CNAME)
		l.records = append(l.records, &dns.CNAME{Hdr: e.header(owner, dns.TypeCNAME, l.q.received), Target: target})
		if l.q.qtype == dns.TypeCNAME {
			return
		}
		owner, name = target, e.CNAME
	}
	l.records, l.rcode, l.negative = nil, dns.RcodeServerFailure, false
}

// find returns the entry that answers for a name, through its aliases; nil is no such name.
func (l *lookup) find(name string) *entry {
	e := l.see(name)
	if e == nil || e.Alias == "" {
		return e
	}
	for range maxChain {
		if e = l.see(e.Alias); e == nil {
			break
		}
		if e.Alias == "" {
			return e
		}
	}
	return noRecords()
}

// noRecords answers for an alias that leads to nothing: the name exists (aws-facts 5.7).
func noRecords() *entry { return &entry{counters: &counters{}} }

// see returns what this question sees of a name; nil if nothing that can answer for
// it is set, or not yet.
func (l *lookup) see(name string) *entry {
	for e := range l.candidates(name) {
		seen := e.visible(l.q.received, l.seed)
		l.stale = l.stale || seen != e
		if seen != nil {
			return seen
		}
	}
	return nil
}
