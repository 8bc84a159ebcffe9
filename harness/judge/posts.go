package judge

import (
	"fmt"
	"net/http"
	"slices"

	"github.com/proxychaos/proxychaos/harness/recording"
)

// countPosts looks for the two things that matter of a POST besides its
// answer: that it reached no more than one node, and whether one that failed
// could have been saved.
func (c *brief) countPosts(v *Verdict) {
	twice, lost := c.posts()
	v.PostsTwice, v.Unavoidable = len(twice), len(lost)
}

// posts gives the POSTs that reached nodes more than once, each with the rows
// that show it, and those that were lost with a node: sent to one that a fault
// struck before it answered, and to no other. A proxy that sends one to a node which its
// name had long left has lost it itself.
func (c *brief) posts() (twice [][]row, lost []row) {
	sent := c.sentPosts()
	usual := c.usualShapes(sent)
	for i, request := range c.Requests {
		if request.Method != http.MethodPost {
			continue
		}
		hits := sent[request.Seq]
		switch {
		case c.replayed(hits, usual):
			twice = append(twice, rowsOf(hits, nil))
		case len(hits) <= 1 && failed(request) && !c.withoutNode(request) && (c.diedWith(request, hits) || len(hits) == 0 && c.reset(request)):
			lost = append(lost, row{recording.RequestsFile, i})
		}
	}
	return twice, lost
}

// sentPosts are the POSTs that reached nodes and may have been carried out there, by the
// number of the client's request.
func (c *brief) sentPosts() map[uint64][]hit {
	sent := map[uint64][]hit{}
	for _, h := range c.hits.inTime {
		noTarget := h.row.file == recording.AttemptsFile && c.Attempts[h.row.index].NoTarget
		if s := c.shape(h); !noTarget && (s.method == http.MethodPost || !s.known()) {
			sent[h.seq] = append(sent[h.seq], h)
		}
	}
	return sent
}

// usualShapes are the requests that the config itself makes of one POST, as POSTs that were
// served before the first fault show them. A copy of the same shape is not among them.
func (c *brief) usualShapes(sent map[uint64][]hit) shapes {
	var usual shapes
	for request := range c.inOrder() {
		if request.Method != http.MethodPost || failed(request) || !endedBefore(request, c.first.Asked) {
			continue
		}
		if set := c.shapesOf(sent[request.Seq]); !usual.have(set) {
			usual = append(usual, set)
		}
	}
	return usual
}

func (c *brief) shapesOf(hits []hit) map[shape]bool {
	set := map[shape]bool{}
	for _, h := range hits {
		set[c.shape(h)] = true
	}
	return set
}

// replayed says whether one POST was sent more than once: twice in the same shape, or to
// a second place that the config does not send every POST to.
func (c *brief) replayed(hits []hit, usual shapes) bool {
	if len(hits) < 2 {
		return false
	}
	set := c.shapesOf(hits)
	for s := range set {
		if !s.known() {
			return true
		}
	}
	return len(set) < len(hits) || !usual.have(set)
}

// diedWith says whether a node died that had the request and had not answered it, before
// the client had an answer.
func (c *brief) diedWith(request recording.Request, hits []hit) bool {
	for _, h := range hits {
		if c.answered(h) || c.stale(h.node, h.at) {
			continue
		}
		if _, died := c.ledger.Died(h.node, h.at, max(h.at, request.Sent+request.Latency)); died {
			return true
		}
	}
	return false
}

// reset says whether a request was under way while nodes that refuse TLS ended
// their connections: no node had read it, and what lay in its socket shows no
// number, being encrypted.
func (c *brief) reset(request recording.Request) bool {
	return c.ledger.BeganToRefuseTLS(request.Sent, request.Sent+request.Latency)
}

// countWithoutNode counts the failed requests that no proxy could have saved.
func (c *brief) countWithoutNode(v *Verdict) {
	for request := range c.inOrder() {
		if failed(request) && c.withoutNode(request) {
			v.WithoutNode++
		}
	}
}

// withoutNode says whether no name in use had a node that served, from when the request was
// sent to when it failed, or was back too late: an answer takes as long as before the first
// fault, so that a node that is back later than that before the failure could not have given
// one (tls-all-refuse: the proxy failed 0.2 ms after the nodes were back). So it is if all nodes were lost while it was under way, and all had
// served as it was sent. And so it is if a proxy that was restarted could know none.
func (c *brief) withoutNode(request recording.Request) bool {
	failed := request.Sent + request.Latency
	ended := max(request.Sent, failed-c.answer)
	return c.unknowing(request) || len(c.upstreams) > 0 && (c.noneServed(request.Sent, ended) || slices.ContainsFunc(c.Steps, func(s recording.Step) bool {
		return s.Asked > request.Sent && s.Asked <= failed && c.allServed(request.Sent) && c.noneServed(s.Asked, max(s.Asked, ended))
	}))
}

func (c *brief) noneServed(first, last recording.Seconds) bool {
	return !slices.ContainsFunc(c.upstreams, func(u *upstream) bool { return c.ledger.Available(u.number, first, last) })
}

func (c *brief) allServed(t recording.Seconds) bool {
	return !slices.ContainsFunc(c.upstreams, func(u *upstream) bool { return !c.ledger.AllServe(u.number, t) })
}

func (c *brief) lostPosts(*Verdict) []Finding {
	var findings []Finding
	twice, lost := c.posts()
	if len(twice) > 0 {
		var rows []row
		for _, of := range twice {
			rows = append(rows, of...)
		}
		findings = append(findings, Finding{Code: PostTwice, Text: posts(len(twice)) + " reached nodes more than once", Evidence: c.quote(rows...)})
	}
	if len(lost) > 0 {
		findings = append(findings, Finding{
			Code: PostLost, Text: fmt.Sprintf("%s had been sent to a node that died before its answer had left it, and to no other: the proxy did not send it again, because it could then be carried out twice", posts(len(lost))),
			Evidence: c.quote(lost...),
		})
	}
	return findings
}

func posts(n int) string { return count(n, "POST", "POSTs") }
