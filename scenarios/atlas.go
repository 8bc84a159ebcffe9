package scenarios

import (
	"cmp"
	"slices"
	"strings"

	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
	"github.com/proxychaos/proxychaos/harness/run"
	"github.com/proxychaos/proxychaos/reports"
	"github.com/proxychaos/proxychaos/reports/atlas"
	"github.com/proxychaos/proxychaos/reports/compare"
)

// ConfigOf is a subject's config without its release: nginx/static.
func ConfigOf(s recording.Subject) string { return s.Kind + "/" + s.Name }

// ReleaseOf is the release of a subject.
func ReleaseOf(s recording.Subject) string {
	_, release, _ := strings.Cut(s.ID, "@")
	return cmp.Or(release, harness.Stable)
}

// AtlasRuns are cells as an atlas knows them, in the order of the catalogue: by config, then by
// scenario.
func AtlasRuns(cells []reports.Cell) []atlas.Ran {
	cells = slices.Clone(cells)
	inOrder(cells)
	configs := map[string]int{}
	for i, s := range Subjects() {
		if name := ConfigOf(s.Recorded()); configs[name] == 0 {
			configs[name] = i + 1
		}
	}
	slices.SortStableFunc(cells, func(x, y reports.Cell) int {
		return cmp.Compare(configs[ConfigOf(x.Manifest.Subject)], configs[ConfigOf(y.Manifest.Subject)])
	})
	all := make([]atlas.Ran, 0, len(cells))
	for _, c := range cells {
		all = append(all, atlasRun(c))
	}
	return all
}

func atlasRun(c reports.Cell) atlas.Ran {
	m, v := c.Manifest, c.Verdict
	r := atlas.Ran{
		Run: compare.NewRun(m, v), Kind: m.Subject.Kind, Config: ConfigOf(m.Subject), Role: m.Subject.Role, Release: ReleaseOf(m.Subject),
		ByKind: v.ByKind, NotRun: c.NotRun,
	}
	if v.Result == judge.Fail && len(v.Findings) > 0 {
		r.Cause = v.Findings[0].Code
	}
	if r.Result == judge.Unproven && run.IsRejection(r.Why) {
		r.Refused = r.Why
	}
	return r
}
