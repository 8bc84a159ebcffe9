// Package rules is what the listener rules of an Application Load Balancer say:
// which requests a rule is for, and what is done with them. It decides and does
// not act: the caller forwards, redirects or answers.
//
// A [Rule] is as it is configured, a [Table] are the rules of one listener made
// ready to be asked. Limits are those that AWS documents for rules.
package rules

import (
	"fmt"
	"slices"
)

// Rule is a listener rule. Its actions are performed if all its conditions hold.
type Rule struct {
	Priority   int         `json:"priority"`   // 1 to 50000, the lowest first; one rule each
	Conditions []Condition `json:"conditions"` // at least one, with at most 5 values and 5 wildcards in all
	Actions    []Action    `json:"actions"`    // exactly one
}

// Limits of rules.
const (
	maxPriority        = 50000
	maxRules           = 100
	maxValues          = 3 // of one condition
	maxValuesOfRule    = 5
	maxWildcardsOfRule = 5
)

// FieldError is what is wrong with rules, and where.
type FieldError struct {
	Field string // such as "rules[0].conditions[1].values"
	Err   error
}

// Error returns the field and what is wrong with it.
func (e *FieldError) Error() string { return e.Field + ": " + e.Err.Error() }

// Unwrap returns what is wrong.
func (e *FieldError) Unwrap() error { return e.Err }

func wrong(field, format string, args ...any) error {
	return &FieldError{Field: field, Err: fmt.Errorf(format, args...)}
}

// Check returns the rules and default actions of a listener with their defaults
// filled in, or a *FieldError.
func Check(rules []Rule, defaults []Action) ([]Rule, []Action, error) {
	if len(rules) > maxRules {
		return nil, nil, wrong("rules", "got %d rules, want at most %d", len(rules), maxRules)
	}
	rules = slices.Clone(rules)
	for i, r := range rules {
		field := fmt.Sprintf("rules[%d].", i)
		if r.Priority < 1 || r.Priority > maxPriority {
			return nil, nil, wrong(field+"priority", "got %d, want 1 to %d", r.Priority, maxPriority)
		}
		if slices.ContainsFunc(rules[:i], func(o Rule) bool { return o.Priority == r.Priority }) {
			return nil, nil, wrong(field+"priority", "got %d twice, want each priority once", r.Priority)
		}
		if err := checkConditions(field+"conditions", r.Conditions); err != nil {
			return nil, nil, err
		}
		if len(r.Actions) == 0 {
			return nil, nil, wrong(field+"actions", "got no action, want one")
		}
		var err error
		if rules[i].Actions, err = checkActions(field+"actions", r.Actions); err != nil {
			return nil, nil, err
		}
	}
	defaults, err := checkActions("default_actions", defaults)
	return rules, defaults, err
}
