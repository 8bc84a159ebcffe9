// Package scenarios is the catalogue: what can happen to a proxy (one file a
// scenario), and the configurations that the articles recommend or warn of
// (configs/<kind>/<name>), with what runs here have shown of each.
//
// The Ginkgo suite in scenarios/suite runs them. The data is importable without it.
package scenarios

import (
	"fmt"
	"slices"

	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/meant"
)

// Groups of scenarios whose outcomes follow from one another. DNSFails and TLSRefused are
// two more.
var (
	// moves: the name moves, and what it has left ends sooner or later.
	moves = []harness.Scenario{ALBIPRotate, ALBIPRefuse, AliasSwitch, ALBIPAbrupt, ALBScaleOut, ALBPartialRotate, ZoneFlap}
	// nodesDie: half of the nodes go silent and the name keeps them.
	nodesDie = []harness.Scenario{ALBNodeSilent, ALBNodeBlink}
)

// general are the scenarios of every subject that names no others.
var general = slices.Concat(moves, nodesDie, DNSFails)

// standing are those that a config of one's own is run on if none is named.
var standing = slices.Concat(general, []harness.Scenario{KeepAliveRace}, TLSRefused)

// few are the scenarios that show something of few subjects, each with what runs have shown
// of these, by their IDs.
var few = []struct {
	harness.Scenario
	on expectations
}{
	{ALBReassigned, albReassigned},
	{ALBHalfOpen, albHalfOpen},
	{ALBSlowDrain, albSlowDrain},
	{IPv6Appears, ipv6Appears},
	{StartWithoutDNS, startWithoutDNS},
	{DNSFaultThenRotate, dnsFaultThenRotate},
	{DNSTTLChurn, dnsTTLChurn},
	{DNSSplitView, dnsSplitView},
	{QueryStringKept, queryStringKept},
	{XFFChain, xffChain},
	{UpstreamReuse, upstreamReuse},
	{PostNotReplayed, postNotReplayed},
	{MemberFlap, memberFlap},
	{AllMembersDown, allMembersDown},
	{StickyNodeDrop, stickyNodeDrop},
	{WebSocketNodeDrop, webSocketNodeDrop},
	{Weights, weights},
	{LongRequest, longRequest},
	{SlowStream, slowStream},
	{ProxyReload, proxyReload},
	{NLBSilentIdle, nlbSilentIdle},
	{DeregisterThenKill, deregisterThenKill},
	{DeregisterThenStop, deregisterThenStop},
	{ProxyRollingReplace, proxyRollingReplace},
	{LowRate, lowRate},
	{FailOnStatus, failOnStatus},
	{SlowNode, slowNode},
	{HTTPSBackend, httpsBackend},
	{TLSAllRefuse, tlsAllRefuse},
	{SNIMissing, sniMissing},
	{ALBTLSFlap, albTLSFlap},
}

// All are the scenarios, in the order of the reports.
var All = func() []harness.Scenario {
	all := slices.Clone(standing)
	for _, f := range few {
		all = append(all, f.Scenario)
	}
	return all
}()

// Named returns the scenario of that name, or an error that lists them.
func Named(name string) (harness.Scenario, error) {
	var names []string
	for _, s := range All {
		if s.Name == name {
			return s, nil
		}
		names = append(names, s.Name)
	}
	return harness.Scenario{}, fmt.Errorf("there is no scenario %q%s", name, meant.Hint(name, names))
}
