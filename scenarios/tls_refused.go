package scenarios

import (
	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/fault"
	"github.com/proxychaos/proxychaos/harness/world"
)

// TLSRefused are the scenarios in which half of the nodes end their
// connections and from then on refuse TLS: a listener that came back from a
// deploy with the wrong certificate, or that stands but does not answer.
var TLSRefused = []harness.Scenario{
	tlsRefused(fakealb.FaultTLSAlert, "answer a ClientHello with a fatal alert"),
	tlsRefused(fakealb.FaultTLSHang, "never answer a ClientHello"),
	tlsRefused(fakealb.FaultTLSReset, "answer a ClientHello with a reset"),
	tlsRefused(fakealb.FaultTLSWrongName, "show a certificate of another name"),
	tlsRefused(fakealb.FaultTLSExpired, "show a certificate that has expired"),
	tlsRefused(fakealb.FaultTLSSelfSigned, "show a certificate that nobody signed"),
	tlsRefused(fakealb.FaultTLSWrongChain, "send a chain with another intermediate certificate than the one that signed theirs"),
	tlsRefused(fakealb.FaultTLSRootExpired, "show a good certificate whose issuer has expired"),
}

func tlsRefused(kind fakealb.FaultKind, what string) harness.Scenario {
	return harness.Scenario{
		Name:     string(kind),
		Summary:  "Half of the nodes " + what + "; the name keeps them.",
		World:    four,
		Timeline: []harness.Step{harness.Do(fault.StrikeNodes{Kind: kind, Nodes: world.Half})},
	}
}
