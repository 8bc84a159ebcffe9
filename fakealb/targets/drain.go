package targets

import (
	"slices"
	"time"
)

// drain takes a target out: it gets no new request, and those under way have the
// deregistration delay to finish. It is shown as draining until then, also if
// there are none (3.4.1 D). mu is held.
func (p *Pool) drain(t *target) {
	t.stop()
	t.disconnect()
	t.now = because(Draining, reasonDeregistering)
	p.leaving = append(p.leaving, t)
	t.drained = time.AfterFunc(p.scaled(seconds(*p.group.Attributes.DeregistrationDelaySeconds)), func() {
		p.mu.Lock()
		p.leaving = slices.DeleteFunc(p.leaving, func(o *target) bool { return o == t })
		flowsLive := p.group.Network() && !p.group.Attributes.ConnectionTermination
		p.mu.Unlock()
		if !flowsLive {
			t.end(ErrDeregistered)
		}
		t.disconnect()
	})
}

// undrain forgets a draining target, since one of that name is registered again.
// What is under way with it finishes. mu is held.
func (p *Pool) undrain(id string) {
	p.leaving = slices.DeleteFunc(p.leaving, func(t *target) bool {
		if t.id == id {
			t.drained.Stop()
		}
		return t.id == id
	})
}
