package claims

import (
	"strings"
	"testing"
	"testing/fstest"
	"time"

	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/fault"
	"github.com/proxychaos/proxychaos/harness/world"
	"github.com/proxychaos/proxychaos/scenarios"
)

// retold is a claim with an experiment in which these steps happen.
func retold(steps string) fstest.MapFS {
	text := `
article: "000"
says: a restart is seen
releases: ["2.4.58"]
runs:
  it:
    scenario: alias-switch
    subject: apache/pooled
    timeline:
` + steps + `
holds: {if: it.failed > 0}
`
	return fstest.MapFS{"list/000-x.yaml": {Data: []byte(text)}}
}

func tasksOf(t *testing.T, all []Claim) ([]Task, error) {
	t.Helper()
	runs := t.TempDir()
	return Tasks(all, func(word string) (string, bool) {
		if word == "RUNS" {
			return runs, true
		}
		return "", false
	})
}

// An experiment can say what happens in the world of a scenario. The rest of the scenario
// stays, but for its name, and the claim is what is run again.
func TestAnExperimentCanHaveATimelineOfItsOwn(t *testing.T) {
	g := NewWithT(t)
	all, err := read(retold(`
      - do: [{fault: switch-alias, to: other}]
      - {wait: grace, do: [{fault: lose-targets, nodes: left}, {fault: strike-nodes, kind: slow-response, delay: 250ms, nodes: named}]}
      - {wait: 4s, do: [{fault: restart-proxy}]}`))
	g.Expect(err).NotTo(HaveOccurred())
	tasks, err := tasksOf(t, all)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(tasks).To(HaveLen(1))
	s := tasks[0].cell.Scenario
	g.Expect(s.Timeline).To(Equal([]harness.Step{
		harness.Do(fault.SwitchAlias{To: "other"}),
		harness.After("grace", fault.LoseTargets{Nodes: world.Left}, fault.StrikeNodes{Kind: fakealb.FaultSlowResponse, Delay: fakealb.Duration(250 * time.Millisecond), Nodes: world.Named}),
		harness.After("4s", fault.RestartProxy{}),
	}))
	g.Expect(s.World).To(Equal(scenarios.AliasSwitch.World))
	g.Expect(s.Name).To(Equal("alias-switch-own-timeline"))
	g.Expect(scenarios.AliasSwitch.Timeline).To(HaveLen(2), "the catalogue's stays as it is")
	g.Expect(tasks[0].options.Claim).To(Equal("000-x"))
	g.Expect(all[0].Runs["it"].String()).To(Equal("apache/pooled of the catalogue in the world of alias-switch, where alias moves to another load balancer; " +
		"after the grace old load balancer loses its targets and all nodes answer late; 4s later the proxy is restarted"))
}

// Without one it is the scenario of the catalogue, which anybody can run again.
func TestAnExperimentWithoutATimelineIsTheCataloguesScenario(t *testing.T) {
	g := NewWithT(t)
	tasks, err := tasksOf(t, []Claim{example(t)})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(tasks).NotTo(BeEmpty())
	for _, task := range tasks {
		g.Expect(task.cell.Scenario.Name).To(Equal(task.Scenario))
		g.Expect(task.options.Claim).To(BeEmpty())
	}
}

// What is wrong with a timeline is said before anything is run.
func TestWrongTimelines(t *testing.T) {
	for name, tc := range map[string]struct{ steps, want string }{
		"no such fault":     {"      - do: [{fault: restart-proxi}]", `there is no fault "restart-proxi"`},
		"no such field":     {"      - do: [{fault: switch-alias, too: other}]", "too"},
		"no such word":      {"      - {waits: 4s, do: [{fault: restart-proxy}]}", "waits"},
		"nothing to do":     {"      - do: [{fault: lose-targets, nodes: left}]", "would change nothing"},
		"no time":           {"      - {wait: soon, do: [{fault: restart-proxy}]}", `got the wait "soon"`},
		"a step of nothing": {"      - {wait: 4s}", "got no fault"},
	} {
		t.Run(name, func(t *testing.T) {
			all, err := read(retold(tc.steps))
			if err == nil {
				_, err = tasksOf(t, all)
			}
			NewWithT(t).Expect(err).To(MatchError(ContainSubstring(tc.want)))
			NewWithT(t).Expect(strings.Contains(err.Error(), "000-x")).To(BeTrue(), "it names the claim: %v", err)
		})
	}
}
