package scenarios

import (
	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
)

// What the subjects came to in runs here; docs/proxies.md names the versions
// and says where this differs from the articles.

// everywhere expects the same in every scenario.
func everywhere(e harness.Expect) map[string]harness.Expect {
	all := map[string]harness.Expect{}
	for _, s := range All {
		all[s.Name] = e
	}
	return all
}

var (
	// keptOld: a process or its pool kept the address. Which of the two shows
	// depends on whether Apache starts a child after the move.
	keptOld = []string{judge.ResolvedOnce, judge.PooledOld}
	hung    = []string{recording.Timeout, recording.Unavailable}
)

// nginxOnce: nginx has the addresses of its start for ever, however they end.
var nginxOnce = map[string]harness.Expect{
	ALBIPRotate.Name: {Verdict: judge.Fail, Outcomes: []string{recording.BadGateway}, Findings: []string{judge.ResolvedOnce}, Log: `no live upstreams`},
	ALBIPRefuse.Name: {Verdict: judge.Fail, Outcomes: []string{recording.BadGateway}, Findings: []string{judge.ResolvedOnce}, Log: `connect\(\) failed \(111`},
	AliasSwitch.Name: {Verdict: judge.Fail, Outcomes: []string{recording.Unavailable}, Findings: []string{judge.ResolvedOnce}},
	ALBIPAbrupt.Name: {Verdict: judge.Fail, Outcomes: []string{recording.BadGateway}, Findings: []string{judge.ResolvedOnce}, Log: `no live upstreams`},
}

// apachePooled: Apache 2.4.59 and later looks the name up again once every
// address it knows has failed. Where the old nodes are silent that is two
// connects late; where they refuse it is in time; where they answer, even with
// 503, it never happens.
var apachePooled = map[string]harness.Expect{
	ALBIPRotate.Name: {Verdict: judge.Fail, Outcomes: hung, Findings: keptOld, Log: `AH00957`},
	ALBIPRefuse.Name: {Verdict: judge.Pass, Findings: keptOld, Log: `AH00957`},
	AliasSwitch.Name: {Verdict: judge.Fail, Outcomes: []string{recording.Unavailable}, Findings: keptOld},
	ALBIPAbrupt.Name: {Verdict: judge.Fail, Outcomes: hung, Log: `AH00957`},
}

// apacheForever is Apache up to 2.4.58, which keeps the address until the child
// ends. It follows from that version's source (proxy_util.c); it was not run
// here, where no registry has the image.
var apacheForever = map[string]harness.Expect{
	ALBIPRotate.Name: {Verdict: judge.Fail, Outcomes: hung, Findings: keptOld, Log: `AH00957`},
	ALBIPRefuse.Name: {Verdict: judge.Fail, Outcomes: []string{recording.Unavailable}, Findings: keptOld, Log: `AH00957`},
	AliasSwitch.Name: {Verdict: judge.Fail, Outcomes: []string{recording.Unavailable}, Findings: keptOld},
	ALBIPAbrupt.Name: {Verdict: judge.Fail, Outcomes: hung, Log: `AH00957`},
}
