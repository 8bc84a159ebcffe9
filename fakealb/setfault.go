package fakealb

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"time"

	"github.com/proxychaos/proxychaos/fakealb/cloud"
	"github.com/proxychaos/proxychaos/fakealb/netfault"
)

// maxGrace bounds FaultSetting.Grace and Delay.
const maxGrace = time.Hour

// Check says what is wrong with the fault, as a PUT would; nil if nothing is.
func (f FaultSetting) Check() error {
	_, err := f.check()
	return err
}

func (f FaultSetting) check() (FaultSetting, error) {
	spec, ok := faultSpecs[f.Kind]
	if f.Share == 0 {
		f.Share = 1
	}
	switch {
	case !ok:
		return f, badField("kind", "got fault %q, want one of %s", f.Kind, FaultKinds())
	case f.Kind == FaultError && !cloud.IsOwn(f.Status):
		return f, badField("status", "got status %d, want one of %d with fault %q", f.Status, cloud.OwnStatuses(), f.Kind)
	case f.Kind != FaultError && f.Status != 0:
		return f, badField("status", "got status %d with fault %q, which has none: leave it out", f.Status, f.Kind)
	case spec.waits() != (f.Delay != 0) || f.Delay < 0 || time.Duration(f.Delay) > maxGrace:
		return f, badField("delay", "got %s with fault %q, want more than 0s and at most %s with %q, %q and %q, none with others",
			time.Duration(f.Delay), f.Kind, maxGrace, FaultSlowAccept, FaultSlowResponse, FaultSlowBody)
	case !(f.Share > 0 && f.Share <= 1):
		return f, badField("share", "got %g, want more than 0 and at most 1", f.Share)
	case f.Share < 1 && (spec.packets != "" || spec.holdFINs || f.Kind == FaultNone):
		return f, badField("share", "got %g with fault %q, which hits everything: leave it out", f.Share, f.Kind)
	case f.Ends && (spec.packets != "" || f.Kind == FaultNone):
		return f, badField("ends", "got ends with fault %q, which says by itself what becomes of connections: leave it out", f.Kind)
	case f.Grace < 0 || time.Duration(f.Grace) > maxGrace:
		return f, badField("grace", "got %s, want 0s to %s", time.Duration(f.Grace), maxGrace)
	}
	return f, nil
}

// plan is a fault that waits for its grace to end, for those of its nodes that
// still point to it.
type plan struct{ timer *time.Timer }

// setFaults puts a fault on nodes as one step, now or after its grace.
func (s *Server) setFaults(nodes []netip.Addr, f FaultSetting) (Applied, error) {
	f, err := f.check()
	if err != nil {
		return Applied{}, err
	}
	for i, addr := range nodes {
		if s.nodes[addr] == nil {
			return Applied{}, s.unknownNode(fmt.Sprintf("nodes[%d]", i), addr)
		}
		if lb := s.nodes[addr].view().lb; lb.Type == TypeNetwork && !faultSpecs[f.Kind].fitsNetwork() {
			return Applied{}, badField("kind", "got %q for %s, a node of the network load balancer %q, which knows of no requests: want a fault of packets or of TLS, or %q",
				f.Kind, addr, lb.Name, FaultSlowAccept)
		}
	}
	nodes = slices.Compact(slices.SortedFunc(slices.Values(nodes), netip.Addr.Compare))
	canceled := false
	for _, addr := range nodes {
		canceled = canceled || s.nodes[addr].planned != nil
		s.nodes[addr].planned = nil
	}
	if f.Grace == 0 {
		a, err := s.strike(nodes, f)
		if err == nil && canceled && !a.Changed {
			return s.note(a.end(true), "set-fault", f.String(), addrStrings(nodes)...), nil
		}
		return a, err
	}
	a := begin().end(true)
	a.InForceAt = a.RequestedAt.Add(time.Duration(f.Grace))
	p := &plan{}
	p.timer = time.AfterFunc(time.Duration(f.Grace), func() { s.endGrace(p, nodes, f) })
	for _, addr := range nodes {
		s.nodes[addr].planned = p
	}
	return s.note(a, "plan-fault", f.String(), addrStrings(nodes)...), nil
}

// endGrace puts the planned fault on those nodes for which it was not replaced.
func (s *Server) endGrace(p *plan, nodes []netip.Addr, f FaultSetting) {
	_, err := s.change(func() (Applied, error) {
		var due []netip.Addr
		for _, addr := range nodes {
			if n := s.nodes[addr]; n != nil && n.planned == p {
				n.planned = nil
				due = append(due, addr)
			}
		}
		f.Grace = 0
		return s.strike(due, f)
	})
	if err != nil {
		s.log.Error("fakealb: a fault did not come after its grace", "fault", f.Kind, "error", err)
	}
}

// strike puts f in force on nodes, which exist.
func (s *Server) strike(nodes []netip.Addr, f FaultSetting) (Applied, error) {
	a := begin()
	packets := map[netip.Addr]netfault.Kind{}
	for _, addr := range nodes {
		if s.nodes[addr].view().fault != f {
			packets[addr] = f.Kind.packetKind()
		}
	}
	if len(packets) == 0 {
		return a.end(false), nil
	}
	changed := slices.SortedFunc(maps.Keys(packets), netip.Addr.Compare)
	if keepsPayload(f.Kind) {
		if err := s.watch(changed, nil); err != nil {
			return Applied{}, err
		}
	}
	// From here on packets count as sent to a faulty node: a few that still got
	// through may be recorded on both sides, none is lost.
	a.RequestedAt = time.Now()
	before := map[netip.Addr]FaultSetting{}
	for _, addr := range changed {
		before[addr] = s.label(addr, f, a.RequestedAt)
	}
	if err := s.network.Set(packets); err != nil {
		for addr, old := range before {
			s.label(addr, old, time.Now())
		}
		return Applied{}, networkError(err)
	}
	if f.Ends {
		if err := s.network.End(changed...); err != nil {
			return Applied{}, networkError(err)
		}
	}
	a = a.end(true)
	if !keepsPayload(f.Kind) {
		if err := s.watch(nil, changed); err != nil {
			return Applied{}, err
		}
	}
	return s.note(a, "set-fault", f.String(), addrStrings(changed)...), nil
}

// label notes that f is on a node from a time on, and returns what was.
func (s *Server) label(addr netip.Addr, f FaultSetting, from time.Time) FaultSetting {
	n := s.nodes[addr]
	v := n.view()
	old := v.fault
	v.fault, v.since = f, from
	n.setView(v)
	n.holdFINs()
	s.faults.put(f.Kind, from, addr)
	return old
}

// String is the kind, with what is not its default.
func (f FaultSetting) String() string {
	text := string(f.Kind)
	if f.Status != 0 {
		text += fmt.Sprintf(" status=%d", f.Status)
	}
	if f.Delay != 0 {
		text += fmt.Sprintf(" delay=%s", time.Duration(f.Delay))
	}
	if f.Share != 0 && f.Share != 1 {
		text += fmt.Sprintf(" share=%g", f.Share)
	}
	if f.Ends {
		text += " ends"
	}
	if f.Grace != 0 {
		text += fmt.Sprintf(" grace=%s", time.Duration(f.Grace))
	}
	return text
}

// hits reports whether f hits the n-th of a row of connections or requests.
func (f FaultSetting) hits(n uint64) bool {
	return uint64(float64(n)*f.Share) > uint64(float64(n-1)*f.Share)
}
