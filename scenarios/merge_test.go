package scenarios_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/harness/run"
	"github.com/proxychaos/proxychaos/scenarios"
)

// Four shards, one after another, merge into the reports that one run makes: of cells that are
// as expected, that are not, that broke off, and that were not run.
func TestFourShardsMerge(t *testing.T) {
	g := NewWithT(t)
	change := func(r *run.Result) {
		switch r.Manifest.Scenario + " " + r.Manifest.Subject.ID {
		case "alb-ip-rotate nginx/variable":
			r.Verdict.Result, r.Verdict.Failed = "fail", 7
			r.Verdict.Reasons = []string{"7 failed"}
		case "alias-switch nginx/static":
			r.Err = errGone
		case "zone-flap nginx/static@testing":
			r.NotRun = "image not available"
		}
	}
	root := t.TempDir()
	written := func(words map[string]string, dirs ...string) map[string]string {
		asked, runs := request(t, words), filepath.Join(root, "whole")
		cells, killed, err := scenarios.Merge(dirs)
		g.Expect(errors.Join(killed, err)).NotTo(HaveOccurred())
		texts := map[string]string{}
		for _, file := range scenarios.Files(asked.Suite(cells)) {
			path := filepath.Join(t.TempDir(), file.Name)
			g.Expect(file.Write(path)).To(Succeed())
			text, err := os.ReadFile(path)
			g.Expect(err).NotTo(HaveOccurred())
			texts[file.Name] = string(text)
			for _, dir := range dirs {
				texts[file.Name] = strings.ReplaceAll(texts[file.Name], dir, runs)
			}
		}
		return texts
	}
	var dirs []string
	for _, shard := range []string{"1/4", "2/4", "3/4", "4/4"} {
		asked := request(t, map[string]string{"PROXY": "nginx", "SHARD": shard})
		dir := filepath.Join(root, "shard-"+shard[:1])
		store(t, dir, asked, night(t, dir, asked, change))
		dirs = append(dirs, dir)
	}
	all := map[string]string{"PROXY": "nginx", "FLOOR": "500"}
	asked := request(t, all)
	one := filepath.Join(root, "one")
	store(t, one, asked, night(t, one, asked, change))
	merged, whole := written(all, dirs...), written(all, one)
	g.Expect(merged).To(HaveLen(3))
	for name, text := range whole {
		if merged[name] != text { // both are too long to be shown
			t.Errorf("%s of four shards is not that of one run", name)
		}
	}
	g.Expect(whole["report.md"]).To(And(ContainSubstring("1 unexpected, 1 unproven; 1 not run"), ContainSubstring("fewer than FLOOR=500")))

	_, _, err := scenarios.Merge([]string{dirs[0], dirs[1], dirs[0]})
	g.Expect(err).To(MatchError(ContainSubstring("want the parts of one run")))
	g.Expect(os.Remove(filepath.Join(dirs[2], scenarios.ReportJSON))).To(Succeed())
	cells, killed, err := scenarios.Merge(dirs)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(killed).To(MatchError(MatchRegexp(`shard-3: it has no report.json, so its run was killed or is still going on: \d+ cells were recorded until then`)))
	g.Expect(len(cells)).To(BeNumerically(">", 3*len(dirs)), "nothing that was recorded is lost")
}
