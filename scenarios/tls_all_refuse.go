package scenarios

import (
	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/fault"
	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
	"github.com/proxychaos/proxychaos/harness/world"
)

// TLSAllRefuse is a listener whose certificate is swapped for a wrong one and back. What
// fails meanwhile nobody can save; what fails afterwards is the proxy's own doing.
var TLSAllRefuse = harness.Scenario{
	Name:    "tls-all-refuse",
	Summary: "All nodes answer a ClientHello with a fatal alert for 5 s, then all serve again; the name keeps them.",
	World:   four,
	Timeline: []harness.Step{
		harness.Do(fault.StrikeNodes{Kind: fakealb.FaultTLSAlert, Nodes: world.Named}),
		harness.After("5s", fault.BringBack{Nodes: world.Struck}),
	},
}

var tlsAllRefuse = expectations{
	"nginx/tls":      passes(judge.StruckNodes),
	"apache/tls":     passes(judge.StruckNodes),
	"nginx/tls-once": fails(status(recording.BadGateway), judge.HeldDown),
}
