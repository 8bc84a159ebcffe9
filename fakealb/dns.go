package fakealb

import (
	"fmt"
	"maps"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/proxychaos/proxychaos/fakealb/targets"
)

// DNS is which nodes of a load balancer belong in the answers for its name. What
// publishes them is up to the caller: fakealb knows no DNS server.
type DNS struct {
	// Addresses are those that belong in DNS: of the nodes that are healthy there
	// and whose zone is not shifted away from, or of all if there are none (1.15 D).
	Addresses []netip.Addr `json:"addresses"`
	FailOpen  bool         `json:"fail_open"` // no node is healthy, so all are there
	// EvaluateTargetHealth is whether an alias record that evaluates target health
	// takes the load balancer for healthy (1.17 D).
	EvaluateTargetHealth bool      `json:"evaluate_target_health"`
	Nodes                []DNSNode `json:"nodes"` // by address
}

// DNSNode is one node's part in DNS.
type DNSNode struct {
	Addr    netip.Addr `json:"addr"`
	Zone    string     `json:"zone"`
	InDNS   bool       `json:"in_dns"`
	Healthy bool       `json:"healthy"` // its target groups meet their thresholds
	Reason  string     `json:"reason"`  // in words
}

// groupHealth is what one node knows of a group, for DNS.
type groupHealth struct {
	name string
	targets.Status
}

// dns says which nodes of a load balancer belong in DNS. mu is held.
func (s *Server) dns(lb LoadBalancer) DNS {
	d := DNS{Addresses: []netip.Addr{}, Nodes: []DNSNode{}}
	seen := map[string][]targets.Status{} // of each group, as the nodes see it
	addrs := slices.SortedFunc(maps.Keys(s.nodes), netip.Addr.Compare)
	for _, addr := range addrs {
		n := s.nodes[addr]
		v := n.view()
		if v.lb.Name != lb.Name {
			continue
		}
		health := v.health()
		for _, g := range health {
			seen[g.name] = append(seen[g.name], g.Status)
		}
		node := DNSNode{Addr: addr, Zone: v.zone}
		node.Healthy, node.Reason = lb.nodeHealth(health)
		node.InDNS = node.Healthy
		if lb.ZonalShift != "" && v.zone == lb.ZonalShift {
			node.InDNS, node.Reason = false, "zonal shift away from zone "+v.zone
		}
		d.Nodes = append(d.Nodes, node)
	}
	d.FailOpen = len(d.Nodes) > 0 && !slices.ContainsFunc(d.Nodes, func(n DNSNode) bool { return n.InDNS })
	for i := range d.Nodes {
		n := &d.Nodes[i]
		if d.FailOpen {
			n.InDNS, n.Reason = true, n.Reason+"; but so it is in every zone"
		}
		if n.InDNS {
			d.Addresses = append(d.Addresses, n.Addr)
		}
	}
	d.EvaluateTargetHealth = lb.targetHealth(seen)
	return d
}

// health is what the node knows of the groups that requests can get to.
func (v view) health() []groupHealth {
	var out []groupHealth
	for _, name := range slices.Sorted(maps.Keys(v.pools)) {
		if v.lb.uses(name) {
			out = append(out, groupHealth{v.lb.groupName(name), v.pools[name].Status()})
		}
	}
	if v.lb.usesBuiltIn() {
		n := v.lb.Targets
		out = append(out, groupHealth{v.lb.Name, targets.Status{Registered: n, Healthy: n, DNS: n > 0, Routing: n > 0}})
	}
	return out
}

// nodeHealth says whether a node is healthy in DNS: with an application load
// balancer one healthy group is enough, with a network one each has to be
// (1.15 D).
func (lb LoadBalancer) nodeHealth(groups []groupHealth) (bool, string) {
	var good, bad []string
	for _, g := range groups {
		text := fmt.Sprintf("%s: %d of %d targets healthy", g.name, g.Healthy, g.Registered)
		if g.DNS {
			good = append(good, text)
		} else {
			bad = append(bad, text)
		}
	}
	switch {
	case len(bad) == 0, lb.Type != TypeNetwork && len(good) > 0:
		return true, strings.Join(append([]string{"healthy"}, good...), ", ")
	}
	return false, strings.Join(append([]string{"too few healthy targets"}, bad...), ", ")
}

// targetHealth is what an alias with Evaluate target health makes of the groups,
// each as its nodes see it; one that meets its threshold there will do (1.17 D).
func (lb LoadBalancer) targetHealth(seen map[string][]targets.Status) bool {
	healthy, unhealthy, empty := 0, 0, 0
	for _, views := range seen {
		switch {
		case !slices.ContainsFunc(views, func(s targets.Status) bool { return s.Registered > 0 }):
			empty++
		case slices.ContainsFunc(views, func(s targets.Status) bool { return s.DNS }):
			healthy++
		default:
			unhealthy++
		}
	}
	if lb.Type == TypeNetwork {
		return healthy > 0 || unhealthy+empty == 0
	}
	return unhealthy == 0 && (healthy > 0 || empty == 0)
}

// healthChanged has the DNS of all load balancers looked at again, by watchDNS.
// It never waits, so that any lock may be held.
func (s *Server) healthChanged() {
	select {
	case s.healthNews <- struct{}{}:
	default: // it will be looked at
	}
}

// watchDNS notes in the history when other nodes are left out of a load balancer's
// DNS than before.
func (s *Server) watchDNS() {
	for {
		select {
		case <-s.done:
			return
		case <-s.healthNews:
		}
		s.mu.Lock()
		for _, name := range slices.Sorted(maps.Keys(s.balancers)) {
			s.noteDNS(s.balancers[name])
		}
		s.mu.Unlock()
	}
}

// noteDNS is watchDNS for one load balancer. mu is held.
func (s *Server) noteDNS(lb LoadBalancer) {
	d := s.dns(lb)
	var out []string
	for _, n := range d.Nodes {
		if !n.InDNS {
			out = append(out, fmt.Sprintf("%s (zone %q): %s", n.Addr, n.Zone, n.Reason))
		}
	}
	left := leftOut(d)
	if left == s.leftOut[lb.Name] {
		return
	}
	s.leftOut[lb.Name] = left
	detail := "load_balancer=" + lb.Name + " left_out=" + strings.Join(out, "; ")
	s.note(begin().end(true), "change-dns", detail, addrStrings(d.Addresses)...)
}

// leftOut names the nodes that are not in DNS.
func leftOut(d DNS) string {
	var out []string
	for _, n := range d.Nodes {
		if !n.InDNS {
			out = append(out, n.Addr.String())
		}
	}
	return strings.Join(out, " ")
}

func (s *Server) getDNS(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	lb, err := s.balancer(r.PathValue("name"))
	var d DNS
	if err == nil {
		d = s.dns(lb)
	}
	s.mu.Unlock()
	answer(w, d, err)
}
