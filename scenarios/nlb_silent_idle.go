package scenarios

import (
	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/fault"
	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
)

// NLBSilentIdle is the first order of the morning. A Network Load Balancer forgets a connection
// that lay idle for long, by default for 350 s, and tells neither side (aws-facts 4.2): whoever
// uses it next gets an RST. A config's own timers are not scaled, so the idle timeout here is
// the shortest that an NLB accepts.
var NLBSilentIdle = harness.Scenario{
	Name:    "nlb-silent-idle",
	Summary: "A Network Load Balancer in front of the proxy forgets connections that lie idle for 60 s, and tells nobody; no request comes for 70 s.",
	World:   behindNetwork,
	// Within 5 s every client has opened another connection, for which the timeout holds.
	Load:     harness.Load{Quiet: "70s", QuietAfter: "5s", Posts: 50},
	Timeline: []harness.Step{harness.Do(fault.ForgetIdle{Seconds: 60})},
}

var nlbSilentIdle = expectations{
	"apache/keepalive-5":           passes(),
	"apache/keepalive-65":          fails([]string{recording.Connection}, judge.FlowForgotten),
	"nginx/keepalive-15":           passes(),
	"nginx/keepalive-75":           fails([]string{recording.Connection}, judge.FlowForgotten),
	"nginx/so-keepalive":           passes(),
	"haproxy/keepalive-30@testing": passes(),
	"haproxy/keepalive-65@testing": fails([]string{recording.Connection}, judge.FlowForgotten),
	"goproxy/keepalive-75":         passes(),
}
