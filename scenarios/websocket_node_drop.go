package scenarios

import (
	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/fault"
	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
	"github.com/proxychaos/proxychaos/harness/world"
)

// WebSocketNodeDrop is one application server of several that restarts while users have
// WebSockets on it. These are lost. Are their clients given others at once, and does the
// proxy leave the others alone, or pass any on at all (article 004)?
var WebSocketNodeDrop = harness.Scenario{
	Name:    "websocket-node-drop",
	Summary: "Clients hold WebSockets; one of the members of a balancer refuses for 5 s, then it serves again.",
	World:   four,
	Load:    harness.Load{Sockets: 10},
	Timeline: []harness.Step{
		harness.Do(fault.StrikeNodes{Kind: fakealb.FaultRefuse, Nodes: world.Numbers(1)}),
		harness.After("5s", fault.BringBack{Nodes: world.Struck}),
	},
	Budget: harness.Budget{Recovery: true, Sockets: true},
}

var webSocketNodeDrop = expectations{
	"apache/cluster":                   fails(nil, judge.SocketsDenied),
	"apache/websocket-upgrade":         passes(judge.SocketsLost),
	"apache/websocket-tunnel":          passes(judge.SocketsLost),
	"nginx/cluster":                    passes(judge.SocketsLost),
	"nginx/cluster-max-fails":          fails(nil, judge.SocketsDenied),
	"haproxy/cluster@testing":          fails(status(recording.Unavailable), judge.SocketsDenied),
	"haproxy/cluster-timeouts@testing": passes(judge.SocketsLost),
	"goproxy/members":                  passes(judge.SocketsLost),
}
