package fakealb

import (
	"net/http"
	"slices"

	"github.com/proxychaos/proxychaos/fakealb/targets"
	"github.com/proxychaos/proxychaos/harness/control"
)

func (s *Server) getTargetGroups(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	lb, err := s.balancer(r.PathValue("name"))
	s.mu.Unlock()
	answer(w, orEmpty(lb.TargetGroups), err)
}

func (s *Server) handlePutTargetGroup(w http.ResponseWriter, r *http.Request) {
	var g targets.Group
	if err := decode(w, r, &g); err != nil {
		answer(w, nil, err)
		return
	}
	if g.Name != "" && g.Name != r.PathValue("group") {
		answer(w, nil, badField("name", "got %q in the body and %q in the path, want the same, or none in the body", g.Name, r.PathValue("group")))
		return
	}
	g.Name = r.PathValue("group")
	s.changeGroups(w, r, func(groups []targets.Group) ([]targets.Group, error) {
		checked, field, err := g.Check()
		if err != nil {
			return nil, badField(field, "%v", err)
		}
		if i := slices.IndexFunc(groups, func(o targets.Group) bool { return o.Name == g.Name }); i >= 0 {
			groups[i] = checked
			return groups, nil
		}
		return append(groups, checked), nil
	})
}

func (s *Server) handleDeleteTargetGroup(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("group")
	s.changeGroup(w, r, func(lb LoadBalancer, groups []targets.Group, i int) ([]targets.Group, error) {
		if lb.uses(name) {
			return nil, control.Errorf(http.StatusConflict, CodeInUse, "group", "target group %q is one that rules of %q forward to: change these first", name, lb.Name)
		}
		return slices.Delete(groups, i, i+1), nil
	})
}

// handleRegisterTarget registers a target, or changes its zone or what a built-in
// one does.
func (s *Server) handleRegisterTarget(w http.ResponseWriter, r *http.Request) {
	var t targets.Target
	if err := decode(w, r, &t); err != nil {
		answer(w, nil, err)
		return
	}
	s.changeGroup(w, r, func(_ LoadBalancer, groups []targets.Group, i int) ([]targets.Group, error) {
		g := groups[i]
		g.Targets = slices.Clone(g.Targets)
		if n := slices.IndexFunc(g.Targets, func(o targets.Target) bool { return o.ID() == t.ID() }); n >= 0 {
			g.Targets[n] = t
		} else {
			g.Targets = append(g.Targets, t)
		}
		var field string
		var err error
		if groups[i], field, err = g.Check(); err != nil {
			return nil, badField(field, "%v", err)
		}
		return groups, nil
	})
}

// handleDeregisterTarget takes a target out, which is then drained.
func (s *Server) handleDeregisterTarget(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("target")
	s.changeGroup(w, r, func(_ LoadBalancer, groups []targets.Group, i int) ([]targets.Group, error) {
		n := slices.IndexFunc(groups[i].Targets, func(o targets.Target) bool { return o.ID() == id })
		if n < 0 {
			return nil, control.Errorf(http.StatusNotFound, CodeUnknownTarget, "target", "got %q, want a target of the group %q", id, groups[i].Name)
		}
		groups[i].Targets = slices.Delete(slices.Clone(groups[i].Targets), n, n+1)
		return groups, nil
	})
}

// changeGroup changes the group that the path names.
func (s *Server) changeGroup(w http.ResponseWriter, r *http.Request, change func(lb LoadBalancer, groups []targets.Group, i int) ([]targets.Group, error)) {
	name := r.PathValue("group")
	s.answerChange(w, func() (Applied, error) {
		lb, err := s.balancer(r.PathValue("name"))
		if err != nil {
			return Applied{}, err
		}
		groups := slices.Clone(lb.TargetGroups)
		i := slices.IndexFunc(groups, func(o targets.Group) bool { return o.Name == name })
		if i < 0 {
			return Applied{}, control.Errorf(http.StatusNotFound, CodeUnknownTargetGroup, "group", "got target group %q, want one of load balancer %q", name, lb.Name)
		}
		return s.applyGroups(lb, func() ([]targets.Group, error) { return change(lb, groups, i) })
	})
}

// changeGroups changes the groups of the load balancer that the path names.
func (s *Server) changeGroups(w http.ResponseWriter, r *http.Request, change func([]targets.Group) ([]targets.Group, error)) {
	s.answerChange(w, func() (Applied, error) {
		lb, err := s.balancer(r.PathValue("name"))
		if err != nil {
			return Applied{}, err
		}
		return s.applyGroups(lb, func() ([]targets.Group, error) { return change(slices.Clone(lb.TargetGroups)) })
	})
}

func (s *Server) applyGroups(lb LoadBalancer, change func() ([]targets.Group, error)) (Applied, error) {
	var err error
	if lb.TargetGroups, err = change(); err != nil {
		return Applied{}, err
	}
	return s.putLoadBalancer(lb)
}
