package rollout

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
	"github.com/proxychaos/proxychaos/harness/run"
	"github.com/proxychaos/proxychaos/reports"
	"github.com/proxychaos/proxychaos/reports/compare"
	"github.com/proxychaos/proxychaos/scenarios"
)

// Asked is the question of two requests, each of one subject. lookup has FOR and the sizes:
// MIN_FAILED, MIN_RECOVERY, MIN_P99.
func Asked(a, b scenarios.Request, lookup func(string) (string, bool)) (Question, error) {
	q := Question{
		A: a.Subjects[0], B: b.Subjects[0], Rules: compare.DefaultRules(),
		Seed: a.Options.Settings.Seed, Parallel: a.Options.Parallel, For: 20 * time.Minute,
	}
	for _, s := range a.Scenarios {
		if s.Suits(q.A) && s.Suits(q.B) {
			q.Scenarios = append(q.Scenarios, s)
		}
	}
	if len(q.Scenarios) == 0 {
		return q, errors.New("no scenario suits both A and B: one of them speaks TLS to its backends, the other does not")
	}
	sizes := &q.Rules.Sizes
	for _, v := range []struct {
		name, want string
		set        func(string) error
	}{
		{"FOR", "a time of at least 1m, such as 20m", func(text string) (err error) {
			q.For, err = time.ParseDuration(text)
			return errors.Join(err, within(q.For >= time.Minute))
		}},
		// The sizes have an upper end too: one that no run can reach would call everything
		// no difference.
		{"MIN_FAILED", "a number of requests from 1 to 100000", func(text string) (err error) {
			sizes.Failed, err = strconv.ParseFloat(text, 64)
			return errors.Join(err, within(sizes.Failed >= 1 && sizes.Failed <= 100_000))
		}},
		{"MIN_RECOVERY", "a time from 10ms to 1m, such as 0.3s", func(text string) error {
			d, err := time.ParseDuration(text)
			sizes.Recovery = recording.Of(d)
			return errors.Join(err, within(d >= 10*time.Millisecond && d <= time.Minute))
		}},
		{"MIN_P99", "a share from 1% to 10000%, such as 20%", func(text string) error {
			percent, err := strconv.ParseFloat(strings.TrimSuffix(text, "%"), 64)
			sizes.P99 = percent / 100
			return errors.Join(err, within(percent >= 1 && percent <= 10_000))
		}},
	} {
		if text, ok := lookup(v.name); ok {
			if err := v.set(text); err != nil {
				return q, fmt.Errorf("%s=%s: want %s", v.name, text, v.want)
			}
		}
	}
	return q, nil
}

func within(ok bool) error {
	if !ok {
		return errors.New("too small, or too large")
	}
	return nil
}

// mostWatch bounds Watch: what a config says of the time may be of something else, which only a
// run shows.
const mostWatch = 30 * time.Second

// Watch is how long either subject may keep an address, if that is not the same for both. Both are
// watched for as long: who never recovers loses more the longer one looks.
func (q Question) Watch() time.Duration {
	if q.A.MayKeep() == q.B.MayKeep() {
		return 0
	}
	return min(max(q.A.MayKeep(), q.B.MayKeep()), mostWatch)
}

// Cells are one of each subject in each scenario.
func (q Question) Cells() []run.Cell {
	var cells []run.Cell
	for _, s := range q.Scenarios {
		cells = append(cells, run.Cell{Scenario: s, Subject: q.A}, run.Cell{Scenario: s, Subject: q.B})
	}
	return cells
}

// Names are those of the scenarios.
func (q Question) Names() []string {
	var names []string
	for _, s := range q.Scenarios {
		names = append(names, s.Name)
	}
	return names
}

// Title is what A (0) or B (1) is called: its path, its release if that is not the same for
// both, and whose load balancers it had if those are not AWS's.
func (q Question) Title(side int, path string) string {
	title := path
	if q.A.Kind != q.B.Kind || q.A.Release != q.B.Release {
		subject := []harness.Subject{q.A, q.B}[side]
		title = strings.TrimSpace(fmt.Sprintf("%s on %s %s", path, subject.Kind, subject.Release))
	}
	if of := q.Scenarios[0].World.Cloud; of != "" {
		title += ", CLOUD=" + of
	}
	return title
}

// Words tell the question's runs from those of any other: what is in the files, the
// releases, whose load balancers there are, the numbers of the run, the build.
func (q Question) Words(opt run.Options, commit string) []string {
	words := []string{commit, fmt.Sprintf("%+v", opt.Settings), fmt.Sprintf("%+v", opt.Wanted), q.Scenarios[0].World.Cloud}
	for _, s := range []harness.Subject{q.A, q.B} {
		words = append(words, scenarios.SubjectWords(s)...)
	}
	return words
}

// Decide compares what the journal has.
func (q Question) Decide(journal Journal) compare.Comparison {
	var blocks []compare.Block
	for _, played := range journal.Blocks() {
		blocks = append(blocks, played.Block)
	}
	return compare.Compare(q.Rules, q.Names(), blocks)
}

// Last reads a run of A and of B in each scenario back: of the last block that was proved,
// or of the last. A block whose recordings somebody has removed still counts, but there is
// nothing of it to read.
func Last(journal Journal) (map[string][2]reports.Cell, error) {
	chosen := map[string]Played{}
	for _, p := range journal.Blocks() {
		proved := func(p Played) bool { return p.A.Result != judge.Unproven && p.B.Result != judge.Unproven }
		if before, ok := chosen[p.A.Scenario]; stored(p.Dirs[0]) && stored(p.Dirs[1]) && (!ok || proved(p) || !proved(before)) {
			chosen[p.A.Scenario] = p
		}
	}
	last := map[string][2]reports.Cell{}
	for scenario, p := range chosen {
		var cells [2]reports.Cell
		for i, dir := range p.Dirs[:2] {
			rec, err := recording.Open(dir)
			if err != nil {
				return nil, err
			}
			cells[i] = reports.Cell{Manifest: rec.Manifest, Verdict: judge.Judge(rec), Dir: dir}
		}
		last[scenario] = cells
	}
	return last, nil
}

// stored says whether a folder has a recording.
func stored(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, recording.ManifestFile))
	return dir != "" && err == nil
}

// mostChanges is how many lines of what differs are shown.
const mostChanges = 60

// Changes is what diff says of two files or folders; empty if nothing differs, or if diff
// is not there.
func Changes(ctx context.Context, a, b string) string {
	text, err := exec.CommandContext(ctx, "diff", "-ruN", "--", a, b).Output()
	if info := new(exec.ExitError); err != nil && (!errors.As(err, &info) || info.ExitCode() != 1) {
		return ""
	}
	lines := strings.SplitAfter(string(text), "\n")
	if len(lines) > mostChanges {
		return strings.Join(lines[:mostChanges], "") + fmt.Sprintf("... and %d lines more: diff -ruN %s %s\n", len(lines)-mostChanges, a, b)
	}
	return string(text)
}
