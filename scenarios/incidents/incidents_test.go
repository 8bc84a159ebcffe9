package incidents_test

import (
	"cmp"
	"net/netip"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
	"github.com/proxychaos/proxychaos/harness/run"
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
	_, err := incidents.Named("nothing-like-it")
	NewWithT(t).Expect(err).To(MatchError(And(ContainSubstring(`"nothing-like-it"`), ContainSubstring("govuk-2018, traefik-2018"))))
}

// What it names has to be in the catalogue.
func TestAnIncidentOfNoConfig(t *testing.T) {
	_, err := incidents.Incident{Name: "x", Acts: []incidents.Act{{Broke: []string{"nginx/none"}}}}.Cells()
	NewWithT(t).Expect(err).To(MatchError(And(HavePrefix("incident x: "), ContainSubstring("nginx/none"))))
}

// With its faults taken out an incident proves nothing: neither what broke nor what held is
// as it was reported, however good the load was.
func TestWithoutItsFaultsAnIncidentProvesNothing(t *testing.T) {
	for _, i := range incidents.All {
		cells, err := i.Cells()
		NewWithT(t).Expect(err).NotTo(HaveOccurred())
		for _, c := range cells {
			t.Run(i.Name+"/"+c.Scenario.Name+"/"+c.Subject.ID(), func(t *testing.T) {
				g := NewWithT(t)
				r := healthy(t, c)
				for n, step := range c.Scenario.Timeline {
					for _, f := range step.Do {
						at := r.Manifest.Plan.Steps[n].At
						r.Steps = append(r.Steps, recording.Step{
							Number: n + 1, Name: f.Name(), Planned: at, Asked: at, InForce: at,
							Proofs: []recording.Proof{{At: at, Detail: "all is as it was"}},
						})
					}
				}
				v := judge.Judge(r)
				g.Expect(v.Failed).To(BeZero())
				g.Expect(v.Result).To(Equal(judge.Unproven))
				g.Expect(v.Reasons).To(ContainElement(HaveSuffix("did not take hold: all is as it was")))
				g.Expect(c.Subject.Expect[c.Scenario.Name].Check(v)).NotTo(BeEmpty())

				r.Steps = nil // not even tried
				g.Expect(judge.Judge(r).Result).To(Equal(judge.Unproven))
			})
		}
	}
}

// healthy is a recording of a cell in which a node that its name has answers every request,
// and nothing happens.
func healthy(t *testing.T, c run.Cell) *recording.Recording {
	t.Helper()
	topology := c.Scenario.World.Place(func(n int) netip.Addr { return netip.AddrFrom4([4]byte{198, 18, 0, byte(n)}) })
	if c.Scenario.World.IPv6() {
		topology = topology.WithIPv6(func(n int) netip.Addr { return netip.AddrFrom16([16]byte{0x20, 0x01, 0, 2, 15: byte(n)}) })
	}
	plan, err := c.Scenario.PlanOf(c.Subject, harness.DefaultSettings(), topology)
	if err != nil {
		t.Fatal(err)
	}
	r := &recording.Recording{Manifest: recording.Manifest{Schema: recording.Schema, Scenario: c.Scenario.Name, World: topology, Plan: plan}}
	node := topology.Nodes[0].Addr
	r.Connections = []recording.Conn{{Conn: 1, Node: node, Port: 80, Opened: -1, Peer: netip.MustParseAddrPort("198.18.0.2:40001")}}
	r.Snapshots = []recording.Snapshot{
		{At: -1, Moment: recording.MomentWarm, Processes: []recording.Process{{PID: 8, Worker: true, Upstream: 1, Seen: 1}}},
		{At: plan.Steps[0].At, Moment: recording.MomentFault, Processes: []recording.Process{{PID: 8, Worker: true, Upstream: 1, Seen: 1}}},
	}
	quiet := func(at recording.Seconds) bool { return at >= plan.Quiet.From && at < plan.Quiet.From+plan.Quiet.For }
	gap := recording.Seconds(1) / recording.Seconds(plan.Rate)
	for at := recording.Seconds(0); at < plan.Duration; at += gap {
		if quiet(at) {
			continue
		}
		seq := uint64(len(r.Requests) + 1)
		r.Requests = append(r.Requests, recording.Request{Seq: seq, Due: at, Sent: at, Latency: 0.004, Code: 200, Outcome: recording.OK, Node: node})
		r.Attempts = append(r.Attempts, recording.Attempt{Seq: seq, At: at + 0.001, Done: at + 0.002, Node: node, Port: 80, Conn: 1, Method: "GET", Path: "/", Status: 200})
	}
	return r
}

// seen is what a kind of failure is called on the page, if not by its status.
var seen = map[string]string{
	recording.Timeout: "timeout", recording.Connection: "no answer", recording.WrongBody: "a stranger's page",
}

// docs/incidents.md says of each what is here: where it was reported, what is run, what
// breaks, how, with which line of the log, and what holds.
func TestThePageOfIncidents(t *testing.T) {
	page, err := os.ReadFile("../../docs/incidents.md")
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	rows := map[string]string{}
	for row := range strings.Lines(string(page)) {
		if name, rest, ok := strings.Cut(strings.TrimPrefix(row, "| `"), "` | "); ok && rows[name] == "" {
			rows[name] = rest
		}
	}
	for _, i := range incidents.All {
		t.Run(i.Name, func(t *testing.T) {
			g := NewWithT(t)
			g.Expect(rows[i.Name]).To(ContainSubstring(i.Sources[0]))
			for _, act := range i.Acts {
				g.Expect(rows[i.Name]).To(ContainSubstring("`" + act.Scenario.Name + "`"))
				g.Expect(rows[i.Name]).To(ContainSubstring(strings.ReplaceAll(act.As.Log, `\`, "")))
				for _, outcome := range act.As.Outcomes {
					g.Expect(rows[i.Name]).To(ContainSubstring(cmp.Or(seen[outcome], outcome)))
				}
				for _, id := range slices.Concat(act.Broke, act.Held) {
					bare, _, _ := strings.Cut(id, "@")
					g.Expect(rows[i.Name]).To(ContainSubstring("`" + bare + "`"))
				}
			}
		})
	}
}
