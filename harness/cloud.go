package harness

import (
	"fmt"
	"slices"

	"github.com/proxychaos/proxychaos/fakealb/cloud"
	"github.com/proxychaos/proxychaos/harness/fault"
	"github.com/proxychaos/proxychaos/harness/meant"
	"github.com/proxychaos/proxychaos/harness/world"
)

// OnCloud is the scenario with the load balancers of another cloud: with as many addresses
// as these have, and with a summary that says what a change of them means. It refuses a
// scenario that is about something that they lack.
func (s Scenario) OnCloud(name cloud.Name) (Scenario, error) {
	c, ok := cloud.Named(name)
	switch {
	case !ok:
		return s, fmt.Errorf("CLOUD=%s: there is no such cloud%s", name, meant.Hint(name, cloud.Names()))
	case c.Name == cloud.AWS:
		return s, nil
	case s.World.Front != nil:
		return s, fmt.Errorf("CLOUD=%s: %s has a load balancer in front of the proxy, which is one of AWS: give CLOUD=aws, or another scenario", name, s.Name)
	case c.Addresses == 1 && s.partly():
		return s, fmt.Errorf("CLOUD=%s: %s is about a part of a load balancer's addresses, and the %s has one: give CLOUD=aws, or another scenario", name, s.Name, c.Title)
	}
	s.World.Cloud = string(c.Name)
	s.World.Balancers = slices.Clone(s.World.Balancers)
	if c.Addresses > 0 {
		for i := range s.World.Balancers {
			b := &s.World.Balancers[i]
			b.Nodes, b.Spare, b.SpareIPv6 = min(b.Nodes, c.Addresses), min(b.Spare, c.Addresses), min(b.SpareIPv6, c.Addresses)
		}
	}
	own := c.WithoutTargets()
	answers := fmt.Sprintf("without targets it answers %d", own.Status)
	if c.Server != "" {
		answers += " from " + c.Server
	}
	s.Summary += fmt.Sprintf(" Here the %s is in the ALB's place: %s. %s", c.Title, answers, c.Moves)
	return s, nil
}

// partly says whether a step is about some of the nodes of a load balancer.
func (s Scenario) partly() bool {
	whole := []world.Pick{world.Named, world.Left, world.Spare, world.Struck}
	return slices.ContainsFunc(s.Timeline, func(step Step) bool {
		return slices.ContainsFunc(step.Do, func(f fault.Fault) bool {
			p, ok := f.(fault.Picker)
			return ok && !slices.Contains(whole, p.Picks())
		})
	})
}
