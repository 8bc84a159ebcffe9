package judge

import (
	"net/http"
	"slices"

	"github.com/proxychaos/proxychaos/harness/recording"
)

// Outcomes are the requests of a recording, in the order of their file, with outcomes by
// what the client saw and what the nodes recorded. An answer is good if a node gave it for
// this request. The client alone cannot always tell: a page from the proxy's cache has the
// name of the node that once gave it, and a node that belongs to somebody else now does not
// name itself.
func Outcomes(r *recording.Recording) []recording.Request { return newBrief(r).Requests }

// settle gives the requests their outcomes. It needs the hits and the requests as the
// client saw them.
func (c *brief) settle() {
	settled := c.Requests
	for i, request := range c.Requests {
		outcome := c.outcome(request)
		if outcome == request.Outcome {
			continue
		}
		if &settled[0] == &c.Requests[0] { // the recording itself is not changed
			settled = slices.Clone(settled)
		}
		settled[i].Outcome = outcome
	}
	c.Requests = settled
}

func (c *brief) outcome(request recording.Request) string {
	code := request.Code
	switch {
	case failed(request) && request.Outcome != recording.WrongBody && !recording.IsByProxy(request.Outcome):
		return request.Outcome // no answer, or one that says itself that it is none
	case !failed(request) && (code == http.StatusOK || request.Node.IsValid()):
		return request.Outcome // it named this very request, or its node
	case !c.given(request):
		return recording.ByProxy(code)
	case code == http.StatusOK:
		return recording.WrongBody
	}
	return recording.OK
}

// given says whether a node gave the request an answer with this status.
func (c *brief) given(request recording.Request) bool {
	for _, h := range c.hits.of(request.Seq) {
		if c.answered(h) && c.isOwn(h, request) && c.Attempts[h.row.index].Status == request.Code {
			return true
		}
	}
	return false
}

// isOwn says whether a request to a node is the client's own, and not a sub-request: it has
// a shape in which others were answered before the first fault.
func (c *brief) isOwn(h hit, request recording.Request) bool {
	s := c.shape(h)
	if len(c.own) > 0 && s.known() {
		return c.own[s]
	}
	return !s.known() || s.method == method(request)
}

func method(request recording.Request) string {
	if request.Method == "" {
		return http.MethodGet
	}
	return request.Method
}

// findOwn learns the shapes in which the requests of clients reach nodes. A served request
// may have come to several at the node that the client names: the one that was answered
// last is the client's.
func (c *brief) findOwn() map[shape]bool {
	own := map[shape]bool{}
	for _, request := range c.Requests {
		if failed(request) || !request.Node.IsValid() || !endedBefore(request, c.first.Asked) {
			continue
		}
		last := hit{}
		for _, h := range c.hits.of(request.Seq) {
			if c.answered(h) && h.node == request.Node && (!last.node.IsValid() || c.Attempts[h.row.index].Done > c.Attempts[last.row.index].Done) {
				last = h
			}
		}
		if last.node.IsValid() {
			own[c.shape(last)] = true
		}
	}
	return own
}
