package rules

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
)

// Request is what conditions look at.
type Request struct {
	Protocol string // HTTP or HTTPS
	Host     string // without a port
	Port     uint16 // of the listener
	Method   string
	Path     string // with its escapes
	Query    string // with its escapes, without ?
	Header   http.Header
	Source   netip.Addr // from which the client connects
}

// Match is the outcome for one request.
type Match struct {
	Priority  int     // of the rule; 0 for the default
	Action    *Action // nil where there is no default action
	Evaluated int     // rules that were looked at, without the default
	// Group is the target group of forward, chosen by weight; empty if every weight
	// is 0.
	Group string
}

// Table are the rules of one listener, for one node.
type Table struct {
	rules    []compiled // by priority
	defaults *outcome   // nil without default actions
}

type compiled struct {
	priority   int
	conditions []func(*Request) bool
	outcome
}

// outcome is an action with the turns of its weighted groups.
type outcome struct {
	action Action
	mu     *sync.Mutex
	credit []int
}

// NewTable makes checked rules ready.
func NewTable(rules []Rule, defaults []Action) *Table {
	t := &Table{}
	for _, r := range rules {
		c := compiled{priority: r.Priority, outcome: newOutcome(r.Actions[0])}
		for _, condition := range r.Conditions {
			c.conditions = append(c.conditions, condition.compile())
		}
		t.rules = append(t.rules, c)
	}
	slices.SortFunc(t.rules, func(a, b compiled) int { return a.priority - b.priority })
	if len(defaults) > 0 {
		o := newOutcome(defaults[0])
		t.defaults = &o
	}
	return t
}

func newOutcome(a Action) outcome {
	return outcome{action: a, mu: &sync.Mutex{}, credit: make([]int, len(a.TargetGroups))}
}

// Match returns what the first rule whose conditions hold does with a request, or
// else the default.
func (t *Table) Match(r *Request) Match {
	for i := range t.rules {
		c := &t.rules[i]
		if !slices.ContainsFunc(c.conditions, func(holds func(*Request) bool) bool { return !holds(r) }) {
			return Match{Priority: c.priority, Action: &c.action, Evaluated: i + 1, Group: c.next()}
		}
	}
	m := Match{Evaluated: len(t.rules)}
	if t.defaults != nil {
		m.Action, m.Group = &t.defaults.action, t.defaults.next()
	}
	return m
}

// next is the target group whose turn it is: evenly spread by weight, where AWS
// draws, so that a test gets what it asked for.
func (o *outcome) next() string {
	groups := o.action.TargetGroups
	if len(groups) == 1 {
		return groups[0].Name
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	best, sum := -1, 0
	for i, g := range groups {
		if g.Weight == 0 {
			continue
		}
		o.credit[i] += g.Weight
		sum += g.Weight
		if best < 0 || o.credit[i] > o.credit[best] {
			best = i
		}
	}
	if best < 0 {
		return ""
	}
	o.credit[best] -= sum
	return groups[best].Name
}

// compile returns the function that says whether the condition holds.
func (c Condition) compile() func(*Request) bool {
	lower := make([]string, len(c.Values))
	for i, v := range c.Values {
		lower[i] = strings.ToLower(v)
	}
	anyOf := func(patterns []string, s string) bool {
		return slices.ContainsFunc(patterns, func(p string) bool { return matches(p, s) })
	}
	switch c.Field {
	case HostHeader:
		return func(r *Request) bool { return anyOf(lower, strings.ToLower(r.Host)) }
	case PathPattern:
		return func(r *Request) bool { return anyOf(c.Values, r.Path) }
	case RequestMethod:
		return func(r *Request) bool { return slices.Contains(c.Values, r.Method) }
	case HTTPHeader:
		return func(r *Request) bool {
			return slices.ContainsFunc(r.Header.Values(c.HeaderName), func(v string) bool { return anyOf(lower, strings.ToLower(v)) })
		}
	case SourceIP:
		var prefixes []netip.Prefix
		for _, v := range c.Values {
			prefixes = append(prefixes, netip.MustParsePrefix(v)) // checked before
		}
		return func(r *Request) bool {
			return slices.ContainsFunc(prefixes, func(p netip.Prefix) bool { return p.Contains(r.Source) })
		}
	}
	return c.inQuery
}

// inQuery reports whether the query string has one of the parameters.
func (c Condition) inQuery(r *Request) bool {
	for pair := range strings.SplitSeq(r.Query, "&") {
		if pair == "" {
			continue
		}
		key, value, _ := strings.Cut(strings.ToLower(pair), "=")
		for _, p := range c.Query {
			if (p.Key == "" || matches(strings.ToLower(p.Key), key)) && matches(strings.ToLower(p.Value), value) {
				return true
			}
		}
	}
	return false
}
