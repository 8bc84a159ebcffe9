package proxies

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/config"
	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/kind"
	"github.com/proxychaos/proxychaos/harness/recording"
	"github.com/proxychaos/proxychaos/scenarios"
)

// subject is one of the catalogue, with its files and what became of it.
type subject struct {
	harness.Subject
	files  []kind.File
	runs   []Run  // with these files
	notRun string // why it was not run
}

// subjectsOf are those of a kind, in the order of the catalogue.
func subjectsOf(name kind.Name, f Facts) ([]subject, error) {
	var all []subject
	for _, s := range scenarios.Subjects() {
		if s.Kind != name {
			continue
		}
		c, err := config.Read(s.Kind, s.Files, s.Config, s.Env)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.ID(), err)
		}
		one := subject{Subject: s, files: c.Files, runs: f.Of(s, recording.Sum(c.Config))}
		for _, n := range f.NotRun {
			if n.Subject == s.ID() {
				one.notRun = n.Why
			}
		}
		all = append(all, one)
	}
	return all, nil
}

// follows says whether the subject is there to show how a proxy follows a name, and not for
// one question alone.
func (s subject) follows() bool {
	return len(s.Scenarios) > 1 && slices.Contains(s.Scenarios, scenarios.ALBIPRotate.Name)
}

// version is the one that it ran on; empty if it did not.
func (s subject) version() string {
	for _, r := range s.runs {
		if r.Version != "" {
			return r.Version
		}
	}
	return ""
}

// in are the runs of one scenario.
func (s subject) in(scenario string) []Run {
	var runs []Run
	for _, r := range s.runs {
		if r.Scenario == scenario {
			runs = append(runs, r)
		}
	}
	return runs
}

// costs is the run that says what the config costs: of the name that moves if there is one,
// else the first that proved something.
func (s subject) costs() (Run, bool) {
	for _, r := range append(s.in(scenarios.ALBIPRotate.Name), s.runs...) {
		if r.Result != judge.Unproven {
			return r, true
		}
	}
	return Run{}, false
}

// tally is how many scenarios proved something of a subject, and how many of them it held.
type tally struct{ held, ran int }

func (t tally) broke() int { return t.ran - t.held }

func (t tally) String() string {
	if t.ran == 0 {
		return ""
	}
	return fmt.Sprintf("%d of %d", t.held, t.ran)
}

// tally counts scenarios with a label; all if it is empty. One with several runs is held if
// all of them are.
func (s subject) tally(label string) tally { return s.tallyOf(s.proved(), label) }

func (s subject) tallyOf(names []string, label string) tally {
	var t tally
	for _, name := range names {
		if label != "" && about(name) != label {
			continue
		}
		t.ran++
		if worst(s.in(name)).Held() {
			t.held++
		}
	}
	return t
}

// proved are the scenarios in which the subject passed or failed.
func (s subject) proved() []string {
	var names []string
	for _, name := range s.Scenarios {
		if runs := s.in(name); len(runs) > 0 && worst(runs).Result != judge.Unproven {
			names = append(names, name)
		}
	}
	return names
}

// about is what a scenario is about: its first label beside its name.
func about(name string) string {
	s, err := scenarios.Named(name)
	if err != nil {
		return ""
	}
	return scenarios.Labels(s)[1]
}

// failed counts the failed requests of some scenarios.
func (s subject) failed(names []string) int {
	n := 0
	for _, name := range names {
		n += worst(s.in(name)).Failed
	}
	return n
}

// better orders subjects by the scenarios that all of them ran, the best first: it breaks least
// when the name moves, then least of all, then loses the fewest requests, then asks DNS least.
func better(names []string) func(a, b subject) int {
	queries := func(s subject) float64 { r, _ := s.costs(); return r.Queries }
	return func(a, b subject) int {
		return cmp.Or(
			cmp.Compare(a.tallyOf(names, scenarios.AboutAddresses).broke(), b.tallyOf(names, scenarios.AboutAddresses).broke()),
			cmp.Compare(a.tallyOf(names, "").broke(), b.tallyOf(names, "").broke()),
			cmp.Compare(a.failed(names), b.failed(names)),
			cmp.Compare(queries(a), queries(b)),
		)
	}
}

// common are the scenarios that proved something of all subjects.
func common(of []subject) []string {
	names := of[0].proved()
	for _, s := range of[1:] {
		others := s.proved()
		names = slices.DeleteFunc(names, func(name string) bool { return !slices.Contains(others, name) })
	}
	return names
}

// best are the subjects to use, one for each version of the proxy, the newest first. If none
// was run it is the last that is said to hold.
func best(of []subject) []subject {
	var said []subject
	ran := map[string][]subject{}
	for _, s := range of {
		if !s.follows() || s.Role == harness.Pitfall {
			continue
		}
		said = append(said, s)
		if len(s.proved()) > 0 {
			ran[s.version()] = append(ran[s.version()], s)
		}
	}
	if len(ran) == 0 {
		return said[max(0, len(said)-1):]
	}
	var chosen []subject
	for _, version := range slices.SortedFunc(maps.Keys(ran), func(a, b string) int { return kind.CompareVersions(b, a) }) {
		chosen = append(chosen, slices.MinFunc(ran[version], better(common(ran[version]))))
	}
	return chosen
}

// pitfall is the subject that the best one is compared with: the first that is said to break,
// ran on the same version, and broke.
func pitfall(of []subject, best subject) (subject, bool) {
	i := slices.IndexFunc(of, func(s subject) bool {
		return s.Role == harness.Pitfall && s.follows() && s.Release == best.Release && s.tally("").broke() > 0
	})
	if i < 0 {
		return subject{}, false
	}
	return of[i], true
}

// matters are the lines of a config that another has not: what to write to get from the one
// to the other.
func matters(of, other subject) []string {
	there := map[string]bool{"": true, "}": true}
	for _, file := range other.files {
		for line := range strings.Lines(string(file.Content)) {
			there[strings.TrimSpace(line)] = true
		}
	}
	var lines []string
	for _, file := range of.files {
		for line := range strings.Lines(string(file.Content)) {
			if !there[strings.TrimSpace(line)] {
				lines = append(lines, strings.TrimRight(line, "\n"))
			}
		}
	}
	return lines
}

// Link is where the page finds the config.
func (s subject) Link() string { return fmt.Sprintf("[`%s`](../scenarios/%s)", s.Name, s.Config) }
