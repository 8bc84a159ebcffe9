package scenarios

import (
	"slices"

	"github.com/proxychaos/proxychaos/fakedns"
	"github.com/proxychaos/proxychaos/harness"
)

// telling are the scenarios of thin subjects: one for each question that tells proxies
// apart. A thin subject names them, so that the catalogue can have many kinds of proxy and
// a nightly run still ends before the morning; docs/adding-a-proxy.md says which are thin.
var telling = names(slices.Concat(
	[]harness.Scenario{
		ALBIPRotate,   // does it follow the name, before the old nodes are silent?
		ALBIPRefuse,   // does a refused connection make it ask again?
		ALBNodeSilent, // does it try another address, and remember which one is dead?
	},
	dnsFailing(fakedns.KindNoData),  // does it go on with the address that it had?
	dnsFailing(fakedns.KindSilence), // do its requests wait for DNS?
))

// tellingAndAlias has the scenario of Traefik's own users too.
var tellingAndAlias = append(slices.Clip(telling), AliasSwitch.Name)

// ofAddresses are those of thin subjects that have both addresses of a load balancer written
// down: they ask no DNS, and with half of the nodes silent, first those in use, they have
// none left.
var ofAddresses = names([]harness.Scenario{ALBIPRotate, ALBPartialRotate})

// Those of the subjects with TLS to their backends, of those that are the target of a load
// balancer, and of those that are there for some scenario of few subjects.
var (
	ofTLS    = names(TLSRefused)
	asTarget = names([]harness.Scenario{KeepAliveRace})
	ofFew    = []string{}
	ofHTTP2  = names([]harness.Scenario{ALBIPRotate})
)

func names(of []harness.Scenario) []string {
	all := make([]string, 0, len(of))
	for _, s := range of {
		all = append(all, s.Name)
	}
	return all
}
