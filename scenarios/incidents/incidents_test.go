package incidents_test

import (
	"regexp"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/scenarios/incidents"
)

// Each incident names its sources, and shows what was reported beside what holds.
func TestIncidentsAreWhole(t *testing.T) {
	for _, i := range incidents.All {
		t.Run(i.Name, func(t *testing.T) {
			g := NewWithT(t)
			found, err := incidents.Named(i.Name)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(found.Told).To(Equal(i.Told), "two of one name")
			g.Expect(i.Told).NotTo(BeEmpty())
			g.Expect(i.Sources).NotTo(BeEmpty())
			g.Expect(i.Sources).To(HaveEach(HavePrefix("https://")))
			for _, act := range i.Acts {
				g.Expect(act.Broke).NotTo(BeEmpty())
				g.Expect(act.Held).NotTo(BeEmpty())
				g.Expect(act.As.Verdict).To(Equal(judge.Fail))
				g.Expect(act.As.Outcomes).NotTo(BeEmpty(), "what users saw")
				g.Expect(act.As.Findings).NotTo(BeEmpty(), "why")
				_, err := regexp.Compile(act.As.Log)
				g.Expect(err).NotTo(HaveOccurred())
			}
			cells, err := i.Cells()
			g.Expect(err).NotTo(HaveOccurred())
			for _, c := range cells {
				g.Expect(c.Scenario.Suits(c.Subject)).To(BeTrue(), "%s on %s", c.Scenario.Name, c.Subject.ID())
				g.Expect(c.Subject.Expect).To(HaveLen(1))
				g.Expect(c.Subject.Expect).To(HaveKey(c.Scenario.Name))
			}
		})
	}
	_, err := incidents.Named("slack")
	NewWithT(t).Expect(err).To(MatchError(And(ContainSubstring(`"slack"`), ContainSubstring("govuk-2018, guardian-2024"))))
}

// What it names has to be in the catalogue.
func TestAnIncidentOfNoConfig(t *testing.T) {
	_, err := incidents.Incident{Name: "x", Acts: []incidents.Act{{Broke: []string{"nginx/none"}}}}.Cells()
	NewWithT(t).Expect(err).To(MatchError(And(HavePrefix("incident x: "), ContainSubstring("nginx/none"))))
}
