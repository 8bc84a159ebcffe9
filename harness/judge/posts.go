package judge

import (
	"fmt"
	"net/http"

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
// that show it, and those that were lost with a node: sent to an old one, which
// the fault had struck before it answered, and to no other.
func (c *brief) posts() (twice [][]row, lost []row) {
	sent := map[uint64][]row{}
	for i, a := range c.Attempts {
		if !a.Probe && !c.isOld(a.Node) {
			sent[a.Seq] = append(sent[a.Seq], row{recording.AttemptsFile, i})
		}
	}
	struck := map[uint64]bool{}
	for _, h := range c.oldHits {
		seq, answered := c.sequence(h.row)
		sent[seq] = append(sent[seq], h.row)
		struck[seq] = struck[seq] || !answered
	}
	for i, request := range c.Requests {
		if request.Method != http.MethodPost {
			continue
		}
		rows := sent[request.Seq]
		switch {
		case len(rows) > 1:
			twice = append(twice, rows)
		case failed(request) && (struck[request.Seq] || len(rows) == 0 && c.reset(request)):
			lost = append(lost, row{recording.RequestsFile, i})
		}
	}
	return twice, lost
}

// reset says whether a request was under way while nodes that refuse TLS ended
// their connections: no node had read it, and what lay in its socket shows no
// number, being encrypted.
func (c *brief) reset(request recording.Request) bool {
	step, tls := c.stepProving(recording.ProofTLSRefused)
	return tls && request.Sent < step.InForce && request.Sent+request.Latency >= step.Asked
}

// sequence is the number of the request in a row of attempts or packets, and
// whether its node gave it an answer that could leave the node.
func (c *brief) sequence(r row) (seq uint64, answered bool) {
	if r.file == recording.AttemptsFile {
		a := c.Attempts[r.index]
		return a.Seq, a.Done != 0 && !c.muted(a.Done)
	}
	return c.Packets[r.index].Seq, false
}

// muted says whether what an old node wrote at a time was dropped: a request
// that it had read as it went silent, it answers for nobody.
func (c *brief) muted(at recording.Seconds) bool {
	step, silence := c.stepProving(recording.ProofOldSilent)
	return silence && at >= step.Asked && at < c.whole
}

func (c *brief) lostPosts(*Verdict) []Finding {
	var findings []Finding
	twice, lost := c.posts()
	if len(twice) > 0 {
		var rows []row
		for _, of := range twice {
			rows = append(rows, of...)
		}
		findings = append(findings, Finding{PostTwice, posts(len(twice)) + " reached nodes more than once", c.quote(rows...)})
	}
	if len(lost) > 0 {
		findings = append(findings, Finding{
			PostLost, fmt.Sprintf("%s had been sent to a node that died before its answer had left it, and to no other: not sent again, since that could do it twice", posts(len(lost))),
			c.quote(lost...),
		})
	}
	return findings
}

func posts(n int) string { return count(n, "POST", "POSTs") }
