package reports

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
	"github.com/proxychaos/proxychaos/harness/world"
)

// A page says what happened and nothing that did not: in a failure of DNS no name moves
// and no node ends, in one of TLS no name moves, and a zone that flaps does so each time.
func TestPageSaysWhatHappened(t *testing.T) {
	no, yes := world.Truth(false), world.Truth(true)
	node := oldNodes[0]
	step := func(number int, at recording.Seconds, name string, e world.Effect) recording.Step {
		return recording.Step{Number: number, Name: name, Planned: at - .1, InForce: at, Effects: []world.Effect{e}}
	}
	unmoved := []string{
		"name moves", "nodes end", "go silent", "old nodes", "left by its name", "left for so long", "not in its name so far",
	}
	for name, tc := range map[string]struct {
		steps     []recording.Step
		says, not []string
	}{
		"dns": {
			[]recording.Step{
				step(1, 4, "DNS fails: servfail", world.Effect{Resolves: no, How: "servfail"}),
				step(2, 9, "DNS answers again", world.Effect{Resolves: yes}),
			},
			[]string{"DNS fails: servfail, 4.00 s", "DNS answers again, 9.00 s", "DNS fails: servfail|in force at 4.0 s", "DNS answers again|in force at 9.0 s", "node in its name"},
			append([]string{"does not serve"}, unmoved...),
		},
		"tls": {
			[]recording.Step{step(1, 4, "half of the nodes show an expired certificate", world.Effect{Node: node, Serves: no, How: "tls-expired"})},
			[]string{"half of the nodes show an expired certificate, 4.00 s", "half of the nodes show an expired certificate|in force at 4.0 s", "in its name, and does not serve"},
			unmoved,
		},
		"flap": {
			[]recording.Step{
				step(1, 2, "name has nodes 2", world.Effect{Node: node, Named: no}),
				step(2, 4, "name has nodes 1 and 2", world.Effect{Node: node, Named: yes}),
				step(3, 6, "name has nodes 2", world.Effect{Node: node, Named: no}),
				step(4, 11, "name has nodes 1 and 2", world.Effect{Node: node, Named: yes}),
			},
			[]string{
				"name has nodes 2, 2.00 s", "name has nodes 1 and 2, 4.00 s", "name has nodes 2, 6.00 s", "name has nodes 1 and 2, 11.00 s",
				"name has nodes 2|in force at 2.0 s", "name has nodes 1 and 2|in force at 4.0 s", "name has nodes 2|in force at 6.0 s", "name has nodes 1 and 2|in force at 11.0 s",
				"left for so long that what is sent there is stale", "left by its name",
			},
			[]string{"go silent", "name moves", "does not serve"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := textOfTimeline(t, tc.steps)
			for _, want := range tc.says {
				if !strings.Contains(got, want) {
					t.Errorf("the page does not say %q", want)
				}
			}
			for _, bad := range tc.not {
				if strings.Contains(got, bad) {
					t.Errorf("the page says %q, which did not happen", bad)
				}
			}
		})
	}
}

// textOfTimeline is all that the page says of a cell of a proxy that holds, with those
// steps; a fact is "name|value".
func textOfTimeline(t *testing.T, steps []recording.Step) string {
	t.Helper()
	b := catalogue()[8]
	b.leaves, b.finding = -1, judge.Finding{Code: "x", Text: "x"}
	c := synthesize(t, t.TempDir(), "made-up", b, 1)
	c.Manifest.Plan.Steps = nil
	for i := range steps {
		steps[i].Proofs = []recording.Proof{{OK: true, Detail: "seen"}}
		c.Manifest.Plan.Steps = append(c.Manifest.Plan.Steps, recording.PlannedStep{
			At: steps[i].Planned, Faults: []recording.PlannedFault{{Name: "planned: " + steps[i].Name}},
		})
	}
	c.Manifest.Summary = "what happens"
	must(t, recording.SaveManifest(c.Dir, c.Manifest))
	writeJSONLines(t, filepath.Join(c.Dir, recording.StepsFile), steps)
	writeJSONLines(t, filepath.Join(c.Dir, recording.PacketsFile), []recording.Packet{})
	writeJSONLines(t, filepath.Join(c.Dir, recording.AttemptsFile), []recording.Attempt{{Node: oldNodes[0], At: 3, Status: 200}, {Node: oldNodes[1], At: 5, Status: 200}})
	root, _ := pageOf(t, Page{Cells: []Cell{c}})
	section := find(root, "section", "", "")[0]
	text := textOf(section)
	for _, dt := range find(section, "dt", "", "") {
		text += "\n" + textOf(dt) + "|" + textOf(dt.NextSibling)
	}
	return text
}

// A step that came in no cell is not among the facts, and of cells that differ by the
// phase the first and the latest are named.
func TestFactsOfTheTimelineAreThoseThatCame(t *testing.T) {
	row := func(steps ...recording.Step) cellView {
		r := smallRecording()
		r.Manifest.Plan.Steps = []recording.PlannedStep{{At: 5}, {At: 8}, {At: 11, Faults: []recording.PlannedFault{{Name: "never came"}}}}
		r.Steps = steps
		return cellView{Cell: Cell{Manifest: r.Manifest}, Drawing: Drawing{Proofs: r.Steps}}
	}
	moves := func(at recording.Seconds) recording.Step {
		return recording.Step{Number: 1, Name: "name moves", InForce: at}
	}
	got := timelineFacts([]cellView{
		{}, // not run
		row(moves(5)),
		row(moves(6.5), recording.Step{Number: 2, Name: "old nodes go silent", InForce: 9}),
	})
	want := []fact{{"name moves", "in force at 5.0 s, in the latest cell at 6.5 s of the load"}, {"old nodes go silent", "in force at 9.0 s of the load"}}
	if len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("got %v, want %v", got, want)
	}
}
