package scenarios

import "github.com/proxychaos/proxychaos/harness/world"

// targets are the built-in targets behind each load balancer.
const targets = 2

// The worlds that several scenarios have.
var (
	// replaced is an ALB with two nodes, one for each zone, and two more that serve
	// already and that its name does not have yet.
	replaced = world.World{Balancers: []world.Balancer{{Name: "backend", Nodes: 2, Spare: 2, Targets: targets}}}
	// inFront is that ALB, and another one of two nodes that clients call.
	inFront = world.World{Front: &world.Front{Nodes: 2}, Balancers: []world.Balancer{{Name: "backend", Nodes: 2, Targets: targets}}}
	// behindNetwork is that ALB, and a Network Load Balancer of two nodes that clients call.
	behindNetwork = world.World{Front: &world.Front{Nodes: 2, Network: true}, Balancers: []world.Balancer{{Name: "backend", Nodes: 2, Targets: targets}}}
	// watchedPair is that ALB, and one in front whose targets are two proxies. It checks their
	// health as often as an ALB can.
	watchedPair = world.World{
		Front:     &world.Front{Nodes: 2, Proxies: 2, Checks: world.Checks{Interval: 5, Timeout: 2, Healthy: 2, Unhealthy: 2}},
		Balancers: []world.Balancer{{Name: "backend", Nodes: 2, Targets: targets}},
	}
	// pair is that ALB, and one in front whose targets are two proxies. Its health checks wait
	// as long as they can: longer than a slow application takes.
	pair = world.World{
		Front:     &world.Front{Nodes: 2, Proxies: 2, Checks: world.Checks{Interval: 5, Timeout: 5, Healthy: 2, Unhealthy: 2}},
		Balancers: []world.Balancer{{Name: "backend", Nodes: 2, Targets: targets}},
	}
	// four is an ALB whose name has four nodes.
	four = world.World{Balancers: []world.Balancer{{Name: "backend", Nodes: 4, Targets: targets}}}
	// fourTomcats is the same with application servers that keep sessions.
	fourTomcats = world.World{Balancers: []world.Balancer{{Name: "backend", Nodes: 4, Targets: targets, JVMRoutes: true}}}
)
