package judge

import (
	"cmp"
	"slices"
)

// findings gives the causes, the most telling first, and then what was seen besides.
func (c *brief) findings(v *Verdict) []Finding {
	findings := append(c.notStarted(v), c.died(v)...)
	findings = append(findings, c.each(c.staleAnswers, v)...)
	findings = append(findings, c.each(c.openedNone, v)...)
	findings = append(findings, c.each(c.resolvedOnce, v)...)
	findings = append(findings, c.each(c.pooledOld, v)...)
	findings = append(findings, c.heldDownAfterwards()...)
	findings = append(findings, c.each(c.usedStruck, v)...)
	findings = append(findings, c.livedWithoutDNS(v)...)
	findings = append(findings, c.lostQueries(v)...)
	findings = append(findings, c.lostClients(v)...)
	findings = append(findings, c.opensConnections(v)...)
	findings = append(findings, c.slowAnswers(v)...)
	findings = append(findings, c.reloadCuts(v)...)
	findings = append(findings, c.cutShort(v)...)
	findings = append(findings, c.brokenSockets(v)...)
	findings = append(findings, c.foundShares(v)...)
	findings = append(findings, c.lostSessions(v)...)
	findings = append(findings, c.movedSessions(v)...)
	findings = append(findings, c.targetFlap(v)...)
	findings = append(findings, c.keepAliveRace(v)...)
	findings = append(findings, c.flowForgotten(v)...)
	findings = append(findings, c.stoppedInHand(v)...)
	findings = append(findings, c.healed(v)...)
	findings = append(findings, c.each(c.followed, v)...)
	findings = append(findings, c.keepAliveHeld(v)...)
	findings = append(findings, c.lostPosts(v)...)
	findings = append(findings, c.answeredByProxy(v)...)
	findings = append(findings, c.refusedByProxy(v)...)
	findings = append(findings, c.answeredByFront(v)...)
	if v.Result == Fail { // what met nothing is no cause, and the first one is taken for it
		slices.SortStableFunc(findings, func(a, b Finding) int { return cmp.Compare(min(len(b.Evidence), 1), min(len(a.Evidence), 1)) })
	}
	findings = append(c.lastResort(v, findings), findings...)
	findings = append(findings, c.resentRequests(v)...)
	findings = append(findings, c.connectionPerRequest(v)...)
	return append(findings, c.logEvidence(v)...)
}

// causes are the findings that say why requests failed.
var causes = []string{ResolvedOnce, PooledOld, StruckNodes, DNSOutage, PostTwice, TargetFlap, KeepAliveRace, FlowForgotten, StoppedInHand, HeldDown, LostSessions, NotStarted, ProxyDied, StaleAnswers, OpensConnections, SlowAnswers, CutByReload, CutShort}

// lastResort explains a run that failed and that nothing else explains. A failed run
// has a cause: one without is a defect of these rules.
func (c *brief) lastResort(v *Verdict, found []Finding) []Finding {
	budget := c.Manifest.Plan.Budget
	explained := budget.Query && v.QueriesLost > 0 || v.ClientsLost > 0 || budget.Sessions && v.SessionsMoved > 0 || budget.Sockets && v.Sockets.denied() > 0 || len(c.unevenShares(v)) > 0 || slices.ContainsFunc(found, func(f Finding) bool {
		return slices.Contains(causes, f.Code) && len(f.Evidence) > 0
	})
	if v.Result != Fail || explained {
		return nil
	}
	weak := slices.ContainsFunc(found, func(f Finding) bool {
		return slices.Contains([]string{AnsweredByProxy, RefusedByProxy, AnsweredByFront}, f.Code)
	})
	because := slices.Concat(c.each(c.leftLate, v), c.heldDown(v), c.startedLate())
	if len(because) == 0 {
		because = c.lostWithNode()
	}
	if len(because) == 0 {
		because = c.waitedInVain()
	}
	if len(because) > 0 || weak {
		return because
	}
	return []Finding{{
		Code: Unexplained, Text: "no cause was found: this is a defect of proxychaos; please report it with the folder of the run",
		Evidence: c.quote(c.lastFailure()),
	}}
}

// each looks at every upstream by itself, and says of which one a finding is. The one with
// the largest loss comes first.
func (c *brief) each(find func(*upstream, *Verdict) []Finding, v *Verdict) []Finding {
	var findings []Finding
	for _, u := range slices.SortedStableFunc(slices.Values(c.upstreams), func(a, b *upstream) int { return cmp.Compare(c.wasted(b), c.wasted(a)) }) {
		for _, f := range find(u, v) {
			f.Upstream, f.Text = u.name, u.called(f.Text)
			findings = append(findings, f)
		}
	}
	return findings
}

// wasted is how many requests and connection attempts the proxy sent to nodes of an upstream
// that did not serve then.
func (c *brief) wasted(u *upstream) int {
	n := 0
	for _, h := range u.hits {
		if serves, _ := c.ledger.Serves(h.node, h.at); !serves {
			n++
		}
	}
	for _, r := range u.connects {
		if serves, _ := c.ledger.Serves(c.target(r), c.time(r)); !serves {
			n++
		}
	}
	return n
}
