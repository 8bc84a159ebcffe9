package reports

import (
	"bytes"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/reports/atlas"
	"github.com/proxychaos/proxychaos/reports/compare"
)

// syntheticAtlas is nginx with a config that holds from 1.30.6 on, one that never does, and one
// that 1.26.3 refuses, in made-up recordings.
func syntheticAtlas(t *testing.T) (atlas.Atlas, []Cell) {
	t.Helper()
	root := t.TempDir()
	var runs []atlas.Ran
	var cells []Cell
	for _, version := range []struct{ release, version string }{{"stable", "1.26.3"}, {"testing", "1.30.6"}} {
		for _, b := range catalogue() {
			variable := b.id == "nginx/variable"
			if !variable && b.id != "nginx/static" {
				continue
			}
			b.version = version.version
			if variable && version.release == "stable" {
				b.leaves, b.heals, b.kinds = -1, -1, []string{"502"}
				b.finding = judge.Finding{Code: judge.ResolvedOnce, Text: "resolved once"}
			}
			for seed := range uint64(atlas.EnoughRuns) {
				c := synthesize(t, filepath.Join(root, version.release, strconv.FormatUint(seed, 10)), "alb-ip-rotate", b, 5)
				cells = append(cells, c)
				r := atlas.Ran{Run: compare.NewRun(c.Manifest, c.Verdict), Kind: "nginx", Config: b.id, Role: b.role, Release: version.release, ByKind: c.Verdict.ByKind, Cause: b.finding.Code}
				runs = append(runs, r)
			}
		}
	}
	refused := atlas.Ran{Run: compare.Run{Scenario: "alb-ip-rotate", Version: "1.26.3", Result: judge.Unproven}, Kind: "nginx", Config: "nginx/upstream-resolve", Role: "fix", Release: "stable", Refused: `invalid parameter "resolve"`}
	missing := atlas.Ran{Run: compare.Run{Scenario: "alb-ip-rotate"}, Kind: "nginx", Config: "nginx/static", Release: "oldstable", NotRun: "no registry <answers>"}
	return atlas.New(append(runs, refused, missing)), cells
}

// The page of an atlas has what changed at its top, each config with its scenarios and versions,
// and a run on both sides of a change, whole.
func TestPageOfAnAtlas(t *testing.T) {
	a, cells := syntheticAtlas(t)
	page := AtlasPage(a, cells)
	root, text := pageOf(t, page)
	if got := textOf(find(root, "h1", "", "")[0]); got != "nginx 1.26.3 to 1.30.6" {
		t.Errorf("heading %q", got)
	}
	if got, want := textOf(find(root, "p", "class", "banner expected")[0]), "nginx 1.26.3 to 1.30.6: of 3 behaviours changed 1 between 1.26.3 and 1.30.6"; got != want {
		t.Errorf("banner %q, want %q", got, want)
	}
	articles := find(root, "article", "", "")
	if len(articles) != 2 || !strings.Contains(textOf(articles[0])+textOf(articles[1]), "1.26.3") {
		t.Errorf("%d articles, want one on each side of the change", len(articles))
	}
	changed := find(root, "td", "class", "changed")
	if len(changed) != 1 || !strings.HasPrefix(textOf(changed[0]), "held") {
		t.Errorf("%d places are marked as changed, want the one that holds now", len(changed))
	}
	for _, want := range []string{"no registry &lt;answers&gt;", "broke (failed requests", "became held, in alb-ip-rotate", ">refused<", "invalid parameter"} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for _, not := range []string{"wall clock 0", "cells run"} {
		if strings.Contains(text, not) {
			t.Errorf("the page has %q, which is about the cells that are shown", not)
		}
	}
	ids := map[string]bool{}
	for n := range root.Descendants() {
		ids[attr(n, "id")] = true
	}
	for _, link := range find(root, "a", "", "") {
		if href := attr(link, "href"); !strings.HasPrefix(href, "#") || !ids[href[1:]] {
			t.Errorf("link %s leads nowhere", href)
		}
	}
	var table bytes.Buffer
	must(t, AtlasTable(&table, a))
	for _, want := range []string{"1.26.3 (stable)", "oldstable was not run: no registry", "1.26.3 to 1.30.6, nginx/variable", "became held, in alb-ip-rotate"} {
		if !strings.Contains(table.String(), want) {
			t.Errorf("the table lacks %q:\n%s", want, table.String())
		}
	}
}
