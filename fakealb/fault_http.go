package fakealb

import (
	"errors"
	"net/http"
	"time"

	"github.com/proxychaos/proxychaos/fakealb/cloud"
	"github.com/proxychaos/proxychaos/fakealb/netfault"
	"github.com/proxychaos/proxychaos/fakealb/record"
)

// maxAwaitSent bounds the wait until the client's kernel has what comes before a
// reset: the reset would discard what is still on its way.
const maxAwaitSent = 200 * time.Millisecond

// errCut is why a response was not written to its end.
var errCut = errors.New("cut off by a fault")

// cut is where and how a response is cut off.
type cut struct {
	midBody bool // after the head and half of the body; otherwise before anything
	reset   bool // with RST; otherwise with FIN
	// race is FIN and then RST, and no target gets the request: what a client sees
	// whose request met the FIN of the idle timeout on its way.
	race bool
}

func always(c cut) func(int) *cut { return func(int) *cut { return &c } }

// afterFirst spares the first request of a connection.
func afterFirst(c cut) func(int) *cut {
	return func(n int) *cut {
		if n == 1 {
			return nil
		}
		return &c
	}
}

// holdFINs has the node's pools do what its fault says.
func (n *node) holdFINs() {
	v := n.view()
	for _, p := range v.pools {
		p.HoldFINs(faultSpecs[v.fault.Kind].holdFINs)
	}
}

func errorAnswer(v view) response { return v.lb.refused(v.fault.Status) }

func lingerAnswer(v view) response {
	return v.lb.own(cloud.NoTarget, http.StatusServiceUnavailable)
}

func strangerAnswer(view) response {
	return response{
		status: http.StatusOK, reason: "OK", contentType: "text/html", foreign: true,
		trail: []field{{"Server", "nginx"}},
		body:  []byte("<html><body>This is the site of another tenant.</body></html>\n"),
	}
}

// part returns what of a whole response is sent before the cut.
func (k *cut) part(head, body []byte) []byte {
	if !k.midBody {
		return nil
	}
	return append(head, body[:len(body)/2]...)
}

// end ends the connection as the cut says.
func (k *cut) end(c *clientConn) {
	if k.race {
		_ = c.Conn.(netfault.Resetter).CloseWrite()
		c.endedBy(record.ClosedByFault, howFIN)
		c.reset()
		return
	}
	if k.reset {
		if k.midBody {
			c.Conn.(netfault.Resetter).AwaitSent(maxAwaitSent)
		}
		c.reset()
		return
	}
	c.endedBy(record.ClosedByFault, howFIN)
}
