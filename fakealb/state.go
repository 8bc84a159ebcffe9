package fakealb

import (
	"fmt"
	"maps"
	"net/http"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/proxychaos/proxychaos/harness/control"
)

// change runs one of the functions below, which all need mu to be held.
func (s *Server) change(f func() (Applied, error)) (Applied, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return f()
}

// putLoadBalancer makes lb, or changes it. Requests that have begun keep the old
// settings to their end.
func (s *Server) putLoadBalancer(lb LoadBalancer) (Applied, error) {
	lb, err := s.checked(lb)
	if err != nil {
		return Applied{}, err
	}
	a := begin()
	old, known := s.balancers[lb.Name]
	if known && old.Type != lb.Type {
		return Applied{}, badField("type", "got %q for %q, which is of type %q: delete it first", lb.Type, lb.Name, old.Type)
	}
	if known && reflect.DeepEqual(old, lb) {
		return a.end(false), nil
	}
	s.balancers[lb.Name] = lb
	for _, n := range s.nodes {
		if n.view().lb.Name == lb.Name {
			s.setBalancer(n, lb)
			if err := s.openPorts(n); err != nil {
				return Applied{}, err
			}
		}
	}
	return s.note(a.end(true), "put-load-balancer", lb.summary(), lb.Name), nil
}

// checked returns lb with its defaults filled in and its certificates made, or what
// is wrong with it. It needs no lock, since keys may take seconds to make.
func (s *Server) checked(lb LoadBalancer) (LoadBalancer, error) {
	lb, err := lb.check()
	if err != nil {
		return lb, err
	}
	if lb, err = lb.checkListeners(s.config); err != nil {
		return lb, err
	}
	return lb, s.prepare(lb)
}

func (s *Server) deleteLoadBalancer(name string) (Applied, error) {
	a := begin()
	if _, ok := s.balancers[name]; !ok {
		return Applied{}, control.Errorf(http.StatusNotFound, CodeUnknownLoadBalancer, "name", "got load balancer %q, want one of %s", name, s.balancerNames())
	}
	for addr, n := range s.nodes {
		if n.view().lb.Name == name {
			return Applied{}, control.Errorf(http.StatusConflict, CodeInUse, "name", "load balancer %q still has the node %s: delete its nodes first", name, addr)
		}
	}
	delete(s.balancers, name)
	delete(s.leftOut, name)
	return s.note(a.end(true), "delete-load-balancer", "", name), nil
}

// putNode brings an address up, or moves it to another load balancer or zone.
func (s *Server) putNode(want Node) (Applied, error) {
	if err := want.check(s.config.Network); err != nil {
		return Applied{}, err
	}
	a := begin()
	lb, ok := s.balancers[want.LoadBalancer]
	if !ok {
		return Applied{}, control.Errorf(http.StatusNotFound, CodeUnknownLoadBalancer, "load_balancer",
			"got load balancer %q, want one of %s: put it first", want.LoadBalancer, s.balancerNames())
	}
	if err := s.checkZone(want, lb); err != nil {
		return Applied{}, err
	}
	detail := fmt.Sprintf("load_balancer=%s zone=%s", want.LoadBalancer, want.Zone)
	if n := s.nodes[want.Addr]; n != nil {
		v := n.view()
		if v.lb.Name == want.LoadBalancer && v.zone == want.Zone && v.lag == want.ControlPlaneLag && v.route == want.JVMRoute {
			return a.end(false), nil
		}
		v.zone, v.lag, v.route = want.Zone, want.ControlPlaneLag, want.JVMRoute
		n.setView(v)
		s.setBalancer(n, lb)
		if err := s.openPorts(n); err != nil {
			return Applied{}, err
		}
		return s.note(a.end(true), "put-node", detail, want.Addr.String()), nil
	}
	n := s.newNode(want.Addr, view{lb: &LoadBalancer{}, zone: want.Zone, lag: want.ControlPlaneLag, route: want.JVMRoute, fault: noFault})
	s.setBalancer(n, lb)
	if err := s.startNode(n); err != nil {
		s.setBalancer(n, LoadBalancer{})
		return Applied{}, err
	}
	s.nodes[want.Addr] = n
	s.healthChanged()
	if err := s.openPorts(n); err != nil {
		return Applied{}, err
	}
	a = a.end(true)
	s.faults.put(FaultNone, a.RequestedAt, want.Addr)
	if err := s.watch(nil, []netip.Addr{want.Addr}); err != nil {
		return Applied{}, err
	}
	return s.note(a, "put-node", detail, want.Addr.String()), nil
}

// deleteNode takes an address away. Peers of its connections are not told.
func (s *Server) deleteNode(addr netip.Addr) (Applied, error) {
	a := begin()
	n := s.nodes[addr]
	if n == nil {
		return Applied{}, s.unknownNode("addr", addr)
	}
	if err := s.watch([]netip.Addr{addr}, nil); err != nil {
		return Applied{}, err
	}
	s.label(addr, FaultSetting{Kind: removed}, a.RequestedAt)
	if err := s.network.Remove(addr); err != nil {
		return Applied{}, networkError(err)
	}
	delete(s.nodes, addr)
	s.healthChanged()
	n.flows.Close()
	go n.view().pools.close()
	return s.note(a.end(true), "delete-node", "", addr.String()), nil
}

// reset goes back to the configuration: no faults, its load balancers and nodes,
// empty records, empty history.
func (s *Server) reset() (Applied, error) {
	a := begin()
	for addr := range s.nodes {
		if _, err := s.deleteNode(addr); err != nil {
			return Applied{}, err
		}
	}
	clear(s.balancers)
	clear(s.leftOut)
	s.setDefaultNames("")
	if err := s.restore(); err != nil {
		return Applied{}, err
	}
	s.history = nil
	s.historyEpoch++
	s.announce()
	s.attempts.Reset()
	s.connections.Reset()
	s.packets.Reset()
	s.checks.reset()
	return a.end(true), nil
}

// begin starts the clock of a change, end stops it.
func begin() Applied { return Applied{RequestedAt: time.Now()} }

func (a Applied) end(changed bool) Applied {
	a.InForceAt, a.Changed = time.Now(), changed
	return a
}

// note appends to the history.
func (s *Server) note(a Applied, action, detail string, subject ...string) Applied {
	s.history = append(s.history, Event{
		Number: len(s.history) + 1, Applied: a, Action: action, Subject: subject, Detail: detail,
		SinceStart: s.since(a.InForceAt),
	})
	s.announce()
	return a
}

// announce wakes those who follow the history.
func (s *Server) announce() {
	close(s.grown)
	s.grown = make(chan struct{})
}

func (s *Server) watch(add, remove []netip.Addr) error {
	if s.capture == nil {
		return nil
	}
	if err := s.capture.Watch(add, remove); err != nil {
		return networkError(err)
	}
	return nil
}

func (s *Server) unknownNode(field string, addr netip.Addr) error {
	return control.Errorf(http.StatusNotFound, CodeUnknownNode, field, "got node %s, want one of %s", addr,
		strings.Join(addrStrings(slices.SortedFunc(maps.Keys(s.nodes), netip.Addr.Compare)), ", "))
}

func (s *Server) balancerNames() string {
	if len(s.balancers) == 0 {
		return "(there is none)"
	}
	return strings.Join(slices.Sorted(maps.Keys(s.balancers)), ", ")
}

func networkError(err error) error {
	return control.Errorf(http.StatusInternalServerError, CodeNetwork, "", "%v", err)
}

func addrStrings(addrs []netip.Addr) []string {
	out := make([]string, len(addrs))
	for i, a := range addrs {
		out[i] = a.String()
	}
	return out
}
