package fakealb

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/proxychaos/proxychaos/fakealb/policy"
	"github.com/proxychaos/proxychaos/fakealb/targets"
)

// unnamed is the name by which the single group of LoadBalancer.TargetGroup is
// known inside.
const unnamed = ""

// maxGroups is an ALB's quota of target groups.
const maxGroups = 100

// pools are one node's views of the target groups of its load balancer, by name.
type pools map[string]*targets.Pool

func (p pools) close() {
	for _, pool := range p {
		pool.Close()
	}
}

// groups are the target groups of a load balancer by name. The unnamed one is
// called after the load balancer in logs.
func (lb LoadBalancer) groups() map[string]targets.Group {
	out := map[string]targets.Group{}
	if lb.TargetGroup != nil {
		g := *lb.TargetGroup
		g.Name = lb.Name
		out[unnamed] = g
	}
	for _, g := range lb.TargetGroups {
		out[g.Name] = g
	}
	return out
}

// groupName is what logs and metrics call a group.
func (lb LoadBalancer) groupName(name string) string {
	if name == unnamed {
		return lb.Name
	}
	return name
}

// checkGroups returns the load balancer with the defaults of its target groups
// filled in, or what is wrong with them.
func (lb LoadBalancer) checkGroups() (LoadBalancer, error) {
	if lb.TargetGroup != nil {
		if lb.TargetGroup.Name != "" {
			return lb, badField("target_group.name", "got %q, want no name: groups with names are target_groups", lb.TargetGroup.Name)
		}
		group, field, err := lb.TargetGroup.CheckBy(lb.norms())
		if err != nil {
			return lb, badField("target_group."+field, "%v", err)
		}
		lb.TargetGroup = &group
	}
	if len(lb.TargetGroups) > maxGroups {
		return lb, badField("target_groups", "got %d target groups, want at most %d", len(lb.TargetGroups), maxGroups)
	}
	lb.TargetGroups = slices.Clone(lb.TargetGroups)
	for i, g := range lb.TargetGroups {
		at := fmt.Sprintf("target_groups[%d].", i)
		g, field, err := g.CheckBy(lb.norms())
		switch {
		case err != nil:
			return lb, badField(at+field, "%v", err)
		case g.Name == "":
			return lb, badField(at+"name", "got no name, want one by which rules forward to it")
		case slices.ContainsFunc(lb.TargetGroups[:i], func(o targets.Group) bool { return o.Name == g.Name }):
			return lb, badField(at+"name", "got %q twice, want each name once", g.Name)
		}
		lb.TargetGroups[i] = g
	}
	return lb, nil
}

// setBalancer makes the node one of lb, with a pool of its own for each target
// group. Requests that have begun keep the view they have.
func (s *Server) setBalancer(n *node, lb LoadBalancer) {
	v := n.view()
	place := targets.Node{
		Addr: n.addr, LoadBalancer: lb.Name, Zone: v.zone, Port: lb.firstPort(s.config.Ports),
		ShiftedZone: lb.ZonalShift, Idle: lb.responseTimeout(), Kept: lb.targetIdle(), Whole: lb.wholeResponse(), Lag: time.Duration(v.lag), TLS: policy.Backend(lb.policies()),
		Connected: func(change int) { s.connectedToTarget(n, change) },
	}
	next, groups := pools{}, lb.groups()
	for name, g := range groups {
		place.Unused = !lb.uses(name)
		if p := v.pools[name]; p != nil && v.lb.Name == lb.Name {
			p.Update(g, place)
			next[name] = p
		} else {
			next[name] = targets.NewPool(g, place, s.env())
		}
	}
	gone := maps.Clone(v.pools)
	maps.DeleteFunc(gone, func(name string, p *targets.Pool) bool { return next[name] == p })
	v.lb, v.groups, v.pools, v.tables = &lb, groups, next, lb.tables()
	n.setView(v)
	n.holdFINs()
	go gone.close() // waits for health checks that are under way
	s.healthChanged()
}

// targetIDs is what the history says of the targets of a group.
func targetIDs(list []targets.Target) string {
	ids := make([]string, len(list))
	for i, t := range list {
		ids[i] = t.ID()
	}
	return fmt.Sprint(ids)
}

func (s *Server) env() targets.Env {
	return targets.Env{Scale: s.config.TimeScale, HealthLog: s.checks.write, Changed: s.healthChanged}
}
