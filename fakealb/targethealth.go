package fakealb

import (
	"maps"
	"net/http"
	"net/netip"
	"slices"

	"github.com/proxychaos/proxychaos/fakealb/targets"
	"github.com/proxychaos/proxychaos/harness/control"
)

// NodeTargetHealth is the health of targets as one node sees it. Each node checks
// for itself, so that nodes may differ (3.2 D).
type NodeTargetHealth struct {
	Node   netip.Addr          `json:"node"`
	Zone   string              `json:"zone"`
	Groups []GroupTargetHealth `json:"groups"` // by name
}

// GroupTargetHealth is the health of one target group.
type GroupTargetHealth struct {
	Name       string `json:"name"`       // the load balancer's for its unnamed group
	Registered int    `json:"registered"` // targets that the node may use
	Healthy    int    `json:"healthy"`
	// FailOpen says that too few are healthy, so that requests go to all (3.3.2 D).
	FailOpen bool             `json:"fail_open"`
	Targets  []targets.Health `json:"targets"`
}

// balancer returns a load balancer by its name. mu is held.
func (s *Server) balancer(name string) (LoadBalancer, error) {
	lb, ok := s.balancers[name]
	if !ok {
		return lb, control.Errorf(http.StatusNotFound, CodeUnknownLoadBalancer, "name", "got load balancer %q, want one of %s", name, s.balancerNames())
	}
	return lb, nil
}

func (s *Server) getTargetHealth(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	lb, err := s.balancer(r.PathValue("name"))
	list := []NodeTargetHealth{}
	for _, addr := range slices.SortedFunc(maps.Keys(s.nodes), netip.Addr.Compare) {
		v := s.nodes[addr].view()
		if err != nil || v.lb.Name != lb.Name {
			continue
		}
		list = append(list, NodeTargetHealth{Node: addr, Zone: v.zone, Groups: v.groupHealth()})
	}
	s.mu.Unlock()
	answer(w, list, err)
}

// groupHealth is the health of the node's target groups.
func (v view) groupHealth() []GroupTargetHealth {
	out := []GroupTargetHealth{}
	for _, name := range slices.Sorted(maps.Keys(v.pools)) {
		status := v.pools[name].Status()
		out = append(out, GroupTargetHealth{
			Name: v.lb.groupName(name), Registered: status.Registered, Healthy: status.Healthy,
			FailOpen: status.Registered > 0 && !status.Routing, Targets: v.pools[name].Health(),
		})
	}
	return out
}
