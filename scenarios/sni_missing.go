package scenarios

import (
	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/fault"
	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
	"github.com/proxychaos/proxychaos/harness/world"
)

// SNIMissing is a listener whose default certificate is replaced by that of another site.
// Clients that name the host in the handshake (SNI) do not notice. nginx names none unless told
// to.
var SNIMissing = harness.Scenario{
	Name:    "sni-missing",
	Summary: "One of two nodes, and 3 s later the other, ends its connections and shows the certificate of another name to clients that send no SNI.",
	World:   world.World{Balancers: []world.Balancer{{Name: "backend", Nodes: 2, Targets: targets}}},
	Timeline: []harness.Step{
		harness.Do(fault.StrikeNodes{Kind: fakealb.FaultTLSNoSNI, Nodes: world.Numbers(1)}),
		harness.After("3s", fault.StrikeNodes{Kind: fakealb.FaultTLSNoSNI, Nodes: world.Numbers(2)}),
	},
}

var sniMissing = expectations{
	"nginx/tls-without-sni": {Verdict: judge.Fail, Outcomes: status(recording.BadGateway), Findings: []string{judge.StruckNodes}, Log: `does not match "backend.example.com"`},
	"nginx/tls-default":     passes(judge.StruckNodes), // it verifies nothing
	"nginx/tls":             passes(judge.StruckNodes),
	// It names the host. Requests may race with the end of their connections.
	"apache/tls":  {Verdict: judge.Either, Outcomes: status(recording.BadGateway, recording.Unavailable), Most: raced, Findings: []string{judge.StruckNodes}},
	"goproxy/tls": passes(judge.StruckNodes),
}
