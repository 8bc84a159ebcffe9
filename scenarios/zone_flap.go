package scenarios

import (
	"slices"

	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/fault"
	"github.com/proxychaos/proxychaos/harness/world"
)

// ZoneFlap is us-east-1 on 2025-10-20: health checks that failed and passed in turn took
// a zone's nodes out of DNS and put them back. The zone is in no answer while its nodes
// are silent, and serves again before the answer has it.
var ZoneFlap = harness.Scenario{
	Name:     "zone-flap",
	Summary:  "Three times the addresses of one of two zones leave DNS, go silent after a grace, serve again, and come back into DNS.",
	World:    four,
	Timeline: slices.Concat(flap, flap, flap),
}

// flap takes the zone of the first two nodes out and puts it back.
var flap = []harness.Step{
	harness.After("2 ttl", fault.ChangeDNS{To: world.Numbers(3, 4)}),
	harness.After("grace", fault.StrikeNodes{Kind: fakealb.FaultSilence, Nodes: world.Left}),
	harness.After("5s", fault.BringBack{Nodes: world.Struck}),
	harness.After("1s", fault.ChangeDNS{To: world.Numbers(1, 2, 3, 4)}),
}
