package incidents

import (
	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
	"github.com/proxychaos/proxychaos/scenarios"
)

// kubelet: all requests share one HTTP/2 connection, and it leads to an address that is gone.
var kubelet = Incident{
	Name: "kubelet-2017",
	Told: "Kubernetes' kubelets sent all their requests over one HTTP/2 connection to an ELB. When the ELB got other addresses, all of them waited on " +
		"that connection until TCP gave it up, after 15 minutes: \"Client.Timeout exceeded while awaiting headers\". Their nodes were taken for dead, and emptied.",
	Sources: []string{
		"https://github.com/kubernetes/kubernetes/pull/52176",
		"https://github.com/kubernetes/kubernetes/issues/48638",
		"https://github.com/kubernetes-retired/kube-aws/issues/598",
	},
	Acts: []Act{{
		Scenario: scenarios.ALBIPRotate,
		Broke:    []string{"caddy/h2c@testing"},
		As:       judge.Expectation{Verdict: judge.Fail, Outcomes: []string{recording.Timeout}, Findings: []string{judge.PooledOld}},
		Held:     []string{"caddy/h2c-dynamic@testing"},
	}},
}
