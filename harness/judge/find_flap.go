package judge

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/proxychaos/proxychaos/harness/recording"
)

// flap is how a load balancer in front lost its targets. Of each link of the chain it has the
// first row that is about a proxy which ran; nil if there was none.
type flap struct {
	handshake *link // a TLS handshake with a proxy that was not completed
	check     *link // a health check that failed
	one, all  *link // a node held a proxy, and all of them, to be down
	open      *link // a request was served although no proxy was healthy
	answer    *link // the load balancer answered a request by itself
	before    int   // answers of the load balancer before check
	proxies   int
	Targets
}

// link is when a link of the chain began, and the row that shows it.
type link struct {
	at  recording.Seconds
	row row
}

func earlier(l *link, at recording.Seconds, r row) *link {
	if l == nil || at < l.at {
		return &link{at, r}
	}
	return l
}

// findFlap looks at the health checks in the order in which they ended. Each node in front goes
// by its own.
func (c *brief) findFlap() flap {
	f := flap{Targets: Targets{Checks: len(c.Checks)}}
	type seen struct {
		node   netip.Addr
		target string
	}
	proxies, down := map[string]bool{}, map[seen]bool{}
	order := make([]int, len(c.Checks))
	for i, k := range c.Checks {
		order[i], proxies[k.Target] = i, true
	}
	f.proxies = len(proxies)
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(c.Checks[a].Done, c.Checks[b].Done) })
	for _, i := range order {
		k, r := c.Checks[i], row{recording.ChecksFile, i}
		ran := c.ran(k.Target, k.At) && c.ran(k.Target, k.Done)
		if !k.Passed {
			f.ChecksFailed++
			if ran {
				f.check = earlier(f.check, k.Done, r)
			}
		}
		if k.TLSFailed {
			f.HandshakesFailed++
			if ran {
				f.handshake = earlier(f.handshake, k.At, r)
			}
		}
		if k.State != recording.Unhealthy {
			if down[seen{k.Node, k.Target}] {
				f.Back++
			}
			delete(down, seen{k.Node, k.Target})
			continue
		}
		if ran && !down[seen{k.Node, k.Target}] {
			f.one = earlier(f.one, k.Done, r)
		}
		down[seen{k.Node, k.Target}] = true
		of := 0
		for s := range down {
			if s.node == k.Node {
				of++
			}
		}
		f.Down = max(f.Down, of)
		if of == f.proxies && f.one != nil {
			f.all = earlier(f.all, k.Done, r)
		}
	}
	c.follow(&f)
	return f
}

// follow adds what became of the requests of clients meanwhile.
func (c *brief) follow(f *flap) {
	for _, request := range c.Requests {
		a, ok := c.inFront(request)
		if !ok {
			continue
		}
		r := c.front[request.Seq]
		if a.TargetTLSFailed {
			f.HandshakesFailed++
			if c.ran(a.Target, a.At) {
				f.handshake = earlier(f.handshake, a.At, r)
			}
		}
		if a.FailedOpen {
			f.FailedOpen++
			if !failed(request) {
				f.Served++
				f.open = earlier(f.open, a.At, r)
			}
		}
		if c.ofFront(request) {
			f.answer = earlier(f.answer, a.Done, r)
			if f.check != nil && a.Done < f.check.at {
				f.before++
			}
		}
	}
}

// countTargets sums up what the load balancer in front made of the proxies.
func (c *brief) countTargets(v *Verdict) {
	if len(c.Checks) > 0 {
		f := c.findFlap()
		v.Targets = &f.Targets
	}
}

// targetFlap: a load balancer in front held proxies to be down that ran. The links of the chain
// are said in the order in which each follows from the one before.
func (c *brief) targetFlap(v *Verdict) []Finding {
	f := c.findFlap()
	if f.one == nil {
		return nil
	}
	var said []string
	var rows []row
	for _, s := range []struct {
		*link
		words string
	}{
		{f.handshake, "TLS handshakes failed"},
		{f.check, "health checks failed"},
		{f.one, "1 of " + count(f.proxies, "proxy", "proxies") + " was marked unhealthy"},
		{f.all, "all of them"},
	} {
		if s.link == nil {
			continue
		}
		said = append(said, fmt.Sprintf("%s from t=%.1f s on", s.words, float64(s.at)))
		if !slices.Contains(rows, s.row) {
			rows = append(rows, s.row)
		}
	}
	text := "targets flapped: " + strings.Join(said, ", ")
	if f.Back > 0 {
		text += ", and " + count(f.Back, "time", "times") + " one was marked healthy again"
	}
	if f.FailedOpen > 0 {
		text += fmt.Sprintf("; while none was healthy, fail-open served %s of %s", comma(f.Served), requests(f.FailedOpen))
	}
	if f.open != nil {
		rows = append(rows, f.open.row)
	}
	if f.answer != nil {
		text += fmt.Sprintf("; the load balancer answered %s by itself, %s of them before the checks failed", requests(v.OfFront), comma(f.before))
		rows = append(rows, f.answer.row)
	}
	return []Finding{{Code: TargetFlap, Text: text, Evidence: c.quote(rows...)}}
}
