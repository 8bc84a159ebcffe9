package baseline

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/reports/compare"
)

// night is one of made-up cells: a pitfall, two fixes, and the reference, in two scenarios.
// Which night it is moves the figures a little.
func night(nth int) []Ran {
	var all []Ran
	for _, scenario := range []string{"move", "outage"} {
		for _, c := range []struct {
			subject, role, version string
			failed                 int
		}{
			{"nginx/static", "pitfall", "1.26.3", 800 + nth},
			{"nginx/variable", "fix", "1.26.3", 0},
			{"haproxy/template@testing", "fix", "3.2.26", 0},
			{"goproxy/default", "reference", fmt.Sprintf("commit%d", nth), 0},
		} {
			r := Ran{Role: c.role, Digest: "sha256:0123456789abcdef" + c.version, Began: time.Date(2026, 11, nth, 3, 0, 0, 0, time.UTC)}
			r.Run = compare.Run{
				Scenario: scenario, Subject: c.subject, Version: c.version, Commit: "c0ffee", Seed: 1,
				Result: judge.Pass, Sent: 2000, Window: 8, Connections: 1, Queries: 0.5 + 0.01*float64(nth),
			}
			if c.failed > 0 {
				r.Result, r.Failed, r.Never = judge.Fail, c.failed, true
			}
			all = append(all, r)
		}
	}
	return all
}

func made(t *testing.T, nights ...[]Ran) Baseline {
	t.Helper()
	b, err := Make(nights...)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func asked(string, string) Place { return Asked }

// of is a cell of a night.
func of(night []Ran, scenario, subject string) *Ran {
	return &night[slices.IndexFunc(night, func(r Ran) bool { return r.Scenario == scenario && r.Subject == subject })]
}

func texts(d Difference) []string {
	var all []string
	for _, c := range d.Changes {
		all = append(all, fmt.Sprintf("%s: %s", c.Code, c.Text))
	}
	return all
}

// Each thing that can be wrong with a night is said in its own words, and nothing else is.
func TestWhatMakesANightRed(t *testing.T) {
	for _, tc := range []struct {
		name   string
		change func([]Ran) []Ran
		place  func(scenario, subject string) Place
		want   []string
		green  bool
	}{
		{name: "nothing", change: func(n []Ran) []Ran { return n }, green: true},
		{
			name: "a fix made a pitfall",
			change: func(n []Ran) []Ran {
				r := of(n, "move", "nginx/variable")
				r.Role, r.Result, r.Failed = "pitfall", judge.Fail, 600 // the catalogue was made to expect it
				return n
			},
			want: []string{"fix-broke: move nginx/variable no longer holds: it lost 600 of 2000 requests; before, it passed in 3 nights"},
		},
		{
			name: "a pitfall that heals",
			change: func(n []Ran) []Ran {
				r := of(n, "outage", "nginx/static")
				r.Result, r.Failed, r.Never = judge.Pass, 0, false
				return n
			},
			want: []string{"pitfall-heals: outage nginx/static no longer breaks: this pitfall lost no request; before, it failed in 3 nights"},
		},
		{
			name: "a verdict that the catalogue leaves open",
			change: func(n []Ran) []Ran {
				r := of(n, "move", "nginx/variable")
				r.Result, r.Failed, r.Either = judge.Fail, 2, true
				return n
			},
			want:  []string{"left-open: move nginx/variable lost 2 of 2000 requests, and the catalogue expects either verdict; before, it passed in 3 nights"},
			green: true,
		},
		{
			name: "an engine that died half-way",
			change: func(n []Ran) []Ran {
				for _, subject := range []string{"nginx/static", "nginx/variable"} {
					r := of(n, "outage", subject)
					r.Result, r.Failed, r.Why = judge.Unproven, 0, "Cannot connect to the Docker daemon"
				}
				return n
			},
			want: []string{
				"worse: outage nginx/static proved nothing; before, it failed in 3 nights: Cannot connect to the Docker daemon",
				"worse: outage nginx/variable proved nothing; before, it passed in 3 nights: Cannot connect to the Docker daemon",
			},
		},
		{
			name:   "a run that was killed before its last cells",
			change: func(n []Ran) []Ran { return n[:6] },
			want: []string{
				"did-not-run: outage goproxy/default did not run: the run ended before, or lost it",
				"did-not-run: outage haproxy/template@testing did not run: the run ended before, or lost it",
			},
		},
		{
			name:   "a run that was killed early",
			change: func(n []Ran) []Ran { return n[:4] },
			want:   []string{"did-not-run: outage: 4 cells did not run: the run ended before, or lost it"},
		},
		{
			name: "a cell that was not run",
			change: func(n []Ran) []Ran {
				r := of(n, "move", "haproxy/template@testing")
				*r = Ran{Run: compare.Run{Scenario: "move", Subject: r.Subject}, NotRun: "image not available"}
				return n
			},
			want: []string{"did-not-run: move haproxy/template@testing did not run: image not available"},
		},
		{
			name:   "a scenario deleted",
			change: func(n []Ran) []Ran { return n[:4] },
			place: func(scenario, _ string) Place {
				if scenario == "outage" {
					return Nowhere
				}
				return Asked
			},
			want: []string{"gone: outage is no longer in the catalogue: 4 cells were not run; if that is meant, make baseline"},
		},
		{
			name: "a subject deleted",
			change: func(n []Ran) []Ran {
				return slices.DeleteFunc(n, func(r Ran) bool { return r.Subject == "nginx/variable" })
			},
			place: func(_, subject string) Place {
				if subject == "nginx/variable" {
					return Nowhere
				}
				return Asked
			},
			want: []string{
				"gone: move nginx/variable is no longer in the catalogue; if that is meant, make baseline",
				"gone: outage nginx/variable is no longer in the catalogue; if that is meant, make baseline",
			},
		},
		{
			name:   "half of the catalogue was asked for",
			change: func(n []Ran) []Ran { return n[:4] },
			place: func(scenario, _ string) Place {
				if scenario == "outage" {
					return NotAsked
				}
				return Asked
			},
			green: true,
		},
		{
			name: "an image that changed",
			change: func(n []Ran) []Ran {
				for i := range n {
					if strings.HasPrefix(n[i].Subject, "nginx/") {
						n[i].Version, n[i].Digest = "1.30.6", "sha256:other"
					}
				}
				return n
			},
			want: []string{"other-version: nginx is now 1.30.6, and was 1.26.3, in 4 cells: look at what changed, then make baseline"},
		},
		{
			name: "an image of the same version that was built again",
			change: func(n []Ran) []Ran {
				of(n, "move", "haproxy/template@testing").Digest = "sha256:other"
				return n
			},
			want:  []string{"other-image: haproxy testing has another image of the same version, sha256:other instead of sha256:0123456789ab, in 1 cell"},
			green: true,
		},
		{
			name: "a figure out of its band",
			change: func(n []Ran) []Ran {
				of(n, "move", "nginx/static").Failed = 820
				of(n, "move", "nginx/variable").Queries = 9
				return n
			},
			want: []string{
				"out-of-band: move nginx/static failed requests 820 is out of its band, 796 to 808 in 3 nights",
				"out-of-band: move nginx/variable DNS queries per second 9 is out of its band, 0.01 to 1.03 in 3 nights",
			},
		},
		{
			name: "what is better, and what is new",
			change: func(n []Ran) []Ran {
				n[0].Subject = "nginx/brand-new"
				return append(n, night(4)[0])
			},
			want:  []string{"new: move nginx/brand-new is new: no earlier night has it"},
			green: true,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			g := NewWithT(t)
			place := tc.place
			if place == nil {
				place = asked
			}
			d := made(t, night(1), night(2), night(3)).Check(tc.change(night(4)), place)
			g.Expect(texts(d)).To(ConsistOf(tc.want), "%v", texts(d))
			if tc.green {
				g.Expect(d.Error()).NotTo(HaveOccurred())
				return
			}
			for _, want := range tc.want {
				_, says, _ := strings.Cut(want, ": ")
				g.Expect(d.Error()).To(MatchError(ContainSubstring(says)))
			}
		})
	}
}

// One or two nights say nothing of how much a figure wanders.
func TestNoBandOfTwoNights(t *testing.T) {
	g := NewWithT(t)
	wild := night(4)
	of(wild, "move", "nginx/static").Failed = 20
	two := made(t, night(1), night(2)).Check(wild, asked)
	g.Expect(texts(two)).To(BeEmpty())
	g.Expect(two.Banded).To(BeZero())
	three := made(t, night(1), night(2), night(3)).Check(wild, asked)
	g.Expect(texts(three)).To(HaveLen(1))
	g.Expect(three.Banded).To(BeNumerically(">=", 8*len(Measures())-8), "all but POSTs, which none of these runs has")
	g.Expect(texts(Baseline{}.Check(wild, asked))).To(BeEmpty(), "nothing is remembered")
}

// Where a subject both passed and failed before, neither is a change.
func TestAVerdictThatTheDrawDecides(t *testing.T) {
	g := NewWithT(t)
	other := night(2)
	r := of(other, "move", "nginx/static")
	r.Result, r.Failed, r.Never = judge.Pass, 0, false
	b := made(t, night(1), other)
	g.Expect(texts(b.Check(night(3), asked))).To(BeEmpty())
	g.Expect(texts(b.Check(other, asked))).To(BeEmpty())
}

// The file reads back as it was; the same nights make the same file; of many nights the last
// ones are kept; half of a file is refused.
func TestFile(t *testing.T) {
	g := NewWithT(t)
	path := filepath.Join(t.TempDir(), "baseline.json")
	b := made(t, night(1), night(2))
	g.Expect(b.Write(path)).To(Succeed())
	g.Expect(Read(path)).To(Equal(b))
	text, err := os.ReadFile(path)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(strings.Count(string(text), "\n")).To(Equal(2+2+8+1), "a line for each night and each cell")
	g.Expect(made(t, night(1), night(2)).Text()).To(Equal(text))

	var many [][]Ran
	for nth := range MostNights + 3 {
		many = append(many, night(nth+1))
	}
	last := made(t, many...)
	g.Expect(last.Nights).To(HaveLen(MostNights))
	g.Expect(last.Cells[2].Figures["failed requests"]).To(HaveLen(MostNights))
	g.Expect(last.Cells[2].Figures["failed requests"][0]).To(BeEquivalentTo(804))

	for name, bad := range map[string]string{
		"half":            string(text[:len(text)/2]),
		"empty":           "",
		"of another kind": `{"schema": 1, "tally": {}}`,
		"newer":           `{"schema": 2, "nights": [], "cells": []}`,
	} {
		_, err := Parse([]byte(bad))
		g.Expect(err).To(MatchError(ContainSubstring("make baseline")), name)
	}
	_, err = Make(nil, night(1))
	g.Expect(err).To(HaveOccurred(), "a night of no cell")
}

// A full disk leaves the baseline that was there.
func TestAFullDiskLeavesTheBaseline(t *testing.T) {
	if os.Getuid() != 0 {
		t.Fatal("needs root: it mounts a disk")
	}
	g := NewWithT(t)
	dir := t.TempDir()
	g.Expect(syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=16k")).To(Succeed())
	t.Cleanup(func() { _ = syscall.Unmount(dir, 0) })
	path := filepath.Join(dir, "baseline.json")
	before := made(t, night(1))
	g.Expect(before.Write(path)).To(Succeed())
	err := os.WriteFile(filepath.Join(dir, "ballast"), make([]byte, 64<<10), 0o600)
	g.Expect(err).To(MatchError(syscall.ENOSPC))
	g.Expect(errors.Is(made(t, night(2)).Write(path), syscall.ENOSPC)).To(BeTrue())
	g.Expect(Read(path)).To(Equal(before))
	left, err := filepath.Glob(filepath.Join(dir, ".*"))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(left).To(BeEmpty(), "half of a file is left nowhere")
}

// What is different between two baselines is said in words.
func TestSince(t *testing.T) {
	g := NewWithT(t)
	other := night(2)
	r := of(other, "move", "nginx/static")
	r.Result, r.Failed, r.Never, r.Version = judge.Pass, 0, false, "1.30.6"
	other[4].Subject = "nginx/brand-new"
	b := made(t, other)
	g.Expect(b.Since(made(t, night(1)))).To(ConsistOf(
		"move nginx/static: it passed in 1 night; before, it failed in 1 night",
		"move nginx/static: failed requests 0, and was 801",
		"move nginx/static: recovery 0 s, and was 8 s",
		"outage nginx/brand-new: new: it failed in 1 night",
		"outage nginx/static: gone; before, it failed in 1 night",
		"goproxy is now commit2, and was commit1, in 2 cells",
		"nginx is now 1.30.6, and was 1.26.3, in 1 cell",
	))
	g.Expect(b.Since(b)).To(BeEmpty())
}
