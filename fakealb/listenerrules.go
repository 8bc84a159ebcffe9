package fakealb

import (
	"errors"
	"fmt"
	"slices"

	"github.com/proxychaos/proxychaos/fakealb/rules"
	"github.com/proxychaos/proxychaos/fakealb/targets"
)

// checkRules returns the listener number i with the defaults of its rules filled
// in, or what is wrong with them.
func (lb LoadBalancer) checkRules(i int) (Listener, error) {
	l := lb.Listeners[i]
	field := fmt.Sprintf("listeners[%d].", i)
	var err error
	l.Rules, l.DefaultActions, err = rules.Check(l.Rules, l.DefaultActions)
	var bad *rules.FieldError
	if errors.As(err, &bad) {
		return l, badField(field+bad.Field, "%v", bad.Err)
	}
	if g := lb.TargetGroup; g != nil && len(l.DefaultActions) == 0 && l.Protocol == ProtocolHTTP && g.ProtocolVersion != targets.VersionHTTP1 {
		return l, badField(field+"protocol", "got HTTP before a target group of version %s, want HTTPS (2.2.4 D)", g.ProtocolVersion)
	}
	for n, r := range l.Rules {
		if err := lb.checkAction(l, fmt.Sprintf("%srules[%d].actions[0].", field, n), r.Actions[0]); err != nil {
			return l, err
		}
	}
	for _, a := range l.DefaultActions {
		if err := lb.checkAction(l, field+"default_actions[0].", a); err != nil {
			return l, err
		}
	}
	return l, nil
}

// checkAction looks at what an action has to do with the load balancer.
func (lb LoadBalancer) checkAction(l Listener, at string, a rules.Action) error {
	if a.Type == rules.ToURL && a.Redirect.Protocol == "HTTP" && l.Protocol == ProtocolHTTPS {
		return badField(at+"redirect.protocol", "got HTTP on a listener of HTTPS, which cannot redirect there")
	}
	for n, w := range a.TargetGroups {
		g, ok := lb.group(w.Name)
		name := fmt.Sprintf("%starget_groups[%d].name", at, n)
		switch {
		case !ok:
			return badField(name, "got %q, want the name of one of target_groups", w.Name)
		case g.ProtocolVersion != targets.VersionHTTP1 && l.Protocol != ProtocolHTTPS:
			return badField(name, "got %q of version %s on a listener of %s, want one of HTTPS", w.Name, g.ProtocolVersion, l.Protocol)
		case g.Attributes.Sticky && len(a.TargetGroups) > 1 && g.Attributes.StickyType == targets.StickyAppCookie:
			return badField(name, "got %q with %s among several groups, want another stickiness", w.Name, targets.StickyAppCookie)
		case g.Attributes.Sticky && len(a.TargetGroups) > 1 && !a.Stickiness.Enabled:
			return badField(at+"stickiness.enabled", "want it, since %q of several groups is sticky", w.Name)
		}
	}
	return nil
}

// group returns a target group by its name.
func (lb LoadBalancer) group(name string) (targets.Group, bool) {
	i := slices.IndexFunc(lb.TargetGroups, func(g targets.Group) bool { return g.Name == name })
	if i < 0 {
		return targets.Group{}, false
	}
	return lb.TargetGroups[i], true
}

// usesDefault reports whether requests can get to what the short form says: where
// a port has no default action.
func (lb LoadBalancer) usesDefault() bool {
	return len(lb.Listeners) == 0 || slices.ContainsFunc(lb.Listeners, func(l Listener) bool { return len(l.DefaultActions) == 0 })
}

// usesBuiltIn reports whether requests can get to the load balancer's own targets.
func (lb LoadBalancer) usesBuiltIn() bool { return lb.TargetGroup == nil && lb.usesDefault() }

// uses reports whether requests can get to a group.
func (lb LoadBalancer) uses(name string) bool {
	if name == unnamed {
		return lb.usesDefault()
	}
	forwards := func(a rules.Action) bool {
		return slices.ContainsFunc(a.TargetGroups, func(w rules.WeightedGroup) bool { return w.Name == name })
	}
	return slices.ContainsFunc(lb.Listeners, func(l Listener) bool {
		return slices.ContainsFunc(l.DefaultActions, forwards) ||
			slices.ContainsFunc(l.Rules, func(r rules.Rule) bool { return forwards(r.Actions[0]) })
	})
}

// tables are the rules of the listeners by port.
func (lb LoadBalancer) tables() map[uint16]*rules.Table {
	out := map[uint16]*rules.Table{}
	for _, l := range lb.Listeners {
		if len(l.Rules) > 0 || len(l.DefaultActions) > 0 {
			out[l.Port] = rules.NewTable(l.Rules, l.DefaultActions)
		}
	}
	return out
}
