package judge

import (
	"fmt"

	"github.com/proxychaos/proxychaos/harness/recording"
)

// lastWordsBefore is how long before the first request that found no proxy its last line may be.
const lastWordsBefore = recording.Seconds(1)

// death is the end of a proxy that ended by itself.
type death struct {
	proxy int               // its number, from 1
	since recording.Seconds // when the first of the requests was sent that failed for it
	// failed are these requests, by their indexes, in the order in which they were sent.
	failed []int
	rows   []row  // what shows them
	how    string // what it did from then on
}

// findDeaths finds the proxies of which there was no process at the end of the load, and that gave
// no answer from some instant on, and that nobody had ended.
func (c *brief) findDeaths() {
	// An older recording does not say which of several had a request.
	unknown := c.Manifest.World.Proxies() > 1 && len(c.Manifest.Proxies) == 0
	if unknown || len(c.notStarted(nil)) > 0 {
		return
	}
	for n := 1; n <= c.Manifest.World.Proxies(); n++ {
		if !c.gone(n) || !c.ledger.Runs(n, forever) {
			continue
		}
		var d death
		switch front := c.Manifest.World.Front; {
		case front == nil, front.Network && c.Manifest.World.Proxies() == 1:
			d = c.refusedToTheEnd()
		case !front.Network:
			d = c.unansweredToTheEnd(n)
		}
		if d.proxy = n; len(d.failed) > 0 {
			c.deaths = append(c.deaths, d)
		}
	}
	c.ofDead = map[uint64]bool{}
	for _, d := range c.deaths {
		for _, i := range d.failed {
			c.ofDead[c.Requests[i].Seq] = true
		}
	}
}

// refusedToTheEnd are the last requests, if none of them got a connection.
func (c *brief) refusedToTheEnd() death {
	d := death{how: "accepted no connection"}
	for _, i := range c.order {
		if c.Requests[i].Outcome != recording.Connection {
			d.failed, d.rows = nil, nil
			continue
		}
		d.add(c.Requests[i], i, row{recording.RequestsFile, i})
	}
	return d
}

// unansweredToTheEnd are the requests that the load balancer in front gave to a proxy after the
// last that this answered, or that were in its hands then.
func (c *brief) unansweredToTheEnd(proxy int) death {
	d := death{how: "gave the load balancer in front no answer"}
	over := func(a recording.Attempt) recording.Seconds { return max(a.At, a.Done) }
	last := -forever
	for _, r := range c.front {
		if a := c.Attempts[r.index]; a.TargetStatus != 0 && c.mayHaveHad(proxy, a) {
			last = max(last, over(a))
		}
	}
	for _, i := range c.order {
		request := c.Requests[i]
		if a, _ := c.inFront(request); c.ofFront(request) && c.mayHaveHad(proxy, a) && over(a) > last {
			d.add(request, i, c.front[request.Seq])
		}
	}
	return d
}

func (d *death) add(request recording.Request, index int, r row) {
	if len(d.failed) == 0 {
		d.since = request.Sent
	}
	d.failed, d.rows = append(d.failed, index), append(d.rows, r)
}

// gone says whether a proxy had processes at the first fault, and none at the end: one whose
// container has ended leaves no look at the end.
func (c *brief) gone(proxy int) bool {
	had, has := false, false
	for _, s := range c.Snapshots {
		for _, p := range s.Processes {
			mine := p.Proxy == proxy || p.Proxy == 0 // there is only one
			had = had || mine && s.Moment == recording.MomentFault
			has = has || mine && s.Moment == recording.MomentEnd
		}
	}
	return had && !has
}

// died: a proxy ended by itself.
func (c *brief) died(*Verdict) []Finding {
	var findings []Finding
	for _, d := range c.deaths {
		who := "the proxy"
		if c.Manifest.World.Proxies() > 1 {
			who = fmt.Sprintf("proxy %d", d.proxy)
		}
		text := fmt.Sprintf("%s ended, and %s from %s on: %s failed", who, d.how, at(d.since), requests(len(d.failed)))
		words := c.lastWords(d.since - lastWordsBefore)
		if len(words) > 0 {
			text += "; the last line of its log: " + c.ProxyLog[words[len(words)-1].index].Text
		}
		findings = append(findings, Finding{Code: ProxyDied, Text: text, Evidence: c.quote(append(words, d.rows...)...)})
	}
	return findings
}
