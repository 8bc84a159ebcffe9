// Package ownconfig is what a team has in its own repository: a proxy's configuration, and
// a test that it survives what its load balancer does.
package ownconfig

import (
	"testing"

	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos"
	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/scenarios"
)

func TestOurNginxSurvivesARotation(t *testing.T) {
	t.Parallel()
	proxychaos.Run(t, proxychaos.Config("nginx", "./nginx"), scenarios.ALBIPRotate).MustPass()
}

// The configuration that we had before: the test would have caught it.
func TestOurOldNginxDoesNot(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	result := proxychaos.Run(t, proxychaos.Config("nginx", "./once"), scenarios.ALBIPRotate)
	g.Expect(result).To(proxychaos.Break())
	g.Expect(result).To(proxychaos.HaveCause(judge.ResolvedOnce))
	g.Expect(result).To(proxychaos.FailedRequests(BeNumerically(">", 100)))
}
