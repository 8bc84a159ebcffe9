package main

import (
	"testing"

	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/run"
	"github.com/proxychaos/proxychaos/scenarios"
	"github.com/proxychaos/proxychaos/scenarios/survey"
)

// An atlas with the load balancers of another cloud does not go on from the runs of one with
// AWS's: they are about something else.
func TestAnAtlasOnAnotherCloudIsAnotherOne(t *testing.T) {
	g := NewWithT(t)
	there, err := scenarios.ALBIPRotate.OnCloud("azure")
	g.Expect(err).NotTo(HaveOccurred())
	of := func(s harness.Scenario) []string {
		return atlasOf(t.Context(), run.Options{}, survey.Question{Cells: []run.Cell{{Scenario: s, Subject: scenarios.Subjects()[0]}}})
	}
	g.Expect(of(there)).NotTo(Equal(of(scenarios.ALBIPRotate)))
	g.Expect(of(there)).To(Equal(of(there)))
}
