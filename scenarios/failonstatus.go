package scenarios

import (
	"net/http"

	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/fault"
	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/world"
)

// FailOnStatus is an application server that is up and broken: it answers, so a balancer that
// looks only at connections keeps using it (article 004, failonstatus).
var FailOnStatus = harness.Scenario{
	Name:    "failonstatus",
	Summary: "One of the members of a balancer answers every request with 500 for 5 s, then it serves again.",
	World:   four,
	Timeline: []harness.Step{
		harness.Do(fault.StrikeNodes{Kind: fakealb.FaultError, Status: http.StatusInternalServerError, Nodes: world.Numbers(1)}),
		harness.After("5s", fault.BringBack{Nodes: world.Struck}),
	},
	Budget: harness.Budget{Recovery: true},
}

var failOnStatus = expectations{
	"apache/cluster":              fails(status(internalError), judge.StruckNodes),
	"apache/failonstatus":         passes(judge.StruckNodes),
	"nginx/cluster":               fails(status(internalError), judge.StruckNodes),
	"nginx/cluster-next-upstream": passes(judge.StruckNodes),
}
