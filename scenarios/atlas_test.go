package scenarios_test

import (
	"bytes"
	"errors"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/kind"
	"github.com/proxychaos/proxychaos/harness/run"
	"github.com/proxychaos/proxychaos/reports"
	"github.com/proxychaos/proxychaos/reports/atlas"
	"github.com/proxychaos/proxychaos/scenarios"
)

// The subjects of a kind, on all of its releases or on some; each where any release of it is run.
func TestOnReleases(t *testing.T) {
	g := NewWithT(t)
	k, err := kind.Of(kind.Nginx)
	g.Expect(err).NotTo(HaveOccurred())
	nginx := request(t, map[string]string{"PROXY": "nginx"}).Subjects
	all, err := scenarios.OnReleases(nginx, "")
	g.Expect(err).NotTo(HaveOccurred())
	ids, names := map[string]harness.Subject{}, map[string]bool{}
	for _, s := range all {
		ids[s.ID()] = s
		names[s.Name] = true
	}
	g.Expect(ids).To(And(HaveLen(len(all)), HaveLen(len(names)*len(k.Releases))), "each once")
	g.Expect(ids["nginx/static@oldoldstable"].Scenarios).To(ConsistOf(ids["nginx/static"].Scenarios))
	for _, s := range nginx {
		g.Expect(ids[s.ID()].Scenarios).To(ContainElements(s.Scenarios), s.ID())
	}
	for _, two := range []string{"oldstable,testing", " oldstable, testing ", "oldstable,testing,oldstable"} {
		some, err := scenarios.OnReleases(nginx, two)
		g.Expect(err).NotTo(HaveOccurred(), two)
		g.Expect(some).To(HaveLen(2*len(names)), two)
	}

	for _, wrong := range []string{"oldstabel", "stable,", "stable,none"} {
		_, err = scenarios.OnReleases(nginx, wrong)
		g.Expect(err).To(MatchError(ContainSubstring("RELEASE="+wrong+": there is no release")), wrong)
	}
	_, err = scenarios.OnReleases(request(t, map[string]string{"PROXY": "goproxy"}).Subjects, "")
	g.Expect(err).To(MatchError(ContainSubstring("PROXY=goproxy: it has no releases")))
	t.Setenv("NGINX_IMAGE", "ours:1")
	_, err = scenarios.OnReleases(nginx, "")
	g.Expect(err).To(MatchError(ContainSubstring("NGINX_IMAGE=ours:1: it stands in for every release")))
}

// A stored night has an atlas, without an engine: a config that one version refuses, a verdict
// of which one run on each side says little, and a release that was not available.
func TestAtlasOfAStoredNight(t *testing.T) {
	g := NewWithT(t)
	asked := request(t, map[string]string{"PROXY": "nginx"})
	dir := t.TempDir()
	store(t, dir, asked, night(t, dir, asked, func(r *run.Result) {
		r.Manifest.Image.Version = map[string]string{harness.Stable: "1.26.3", "testing": "1.30.6"}[scenarios.ReleaseOf(r.Manifest.Subject)]
		switch r.Manifest.Scenario + " " + r.Manifest.Subject.ID {
		case "alb-ip-rotate nginx/variable":
			r.Verdict.Result, r.Verdict.Failed, r.Verdict.ByKind = "fail", 800, map[string]int{"502": 800}
		case "alias-switch nginx/variable":
			r.Err = &run.ConfigError{Path: "nginx.conf", Words: "unknown directive"}
		case "zone-flap nginx/static":
			r.Err = errors.New("the engine is gone")
		}
	}))
	cells, err := scenarios.Stored(dir)
	g.Expect(err).NotTo(HaveOccurred())
	runs := scenarios.AtlasRuns(cells)
	g.Expect(runs).To(HaveLen(len(cells)))
	a := atlas.New(runs)
	g.Expect(a.Proxy).To(Equal("nginx"))
	g.Expect(a.Versions).To(HaveLen(2))
	var said []string
	for _, c := range a.Changes {
		if c.Config == "nginx/variable" && (c.Aspect == atlas.Verdict || c.Aspect == atlas.Start) {
			said = append(said, c.String())
		}
	}
	g.Expect(said).To(Equal([]string{
		"nginx/variable in alb-ip-rotate: broke (failed requests 800) became held",
		"nginx/variable in alias-switch: refused became held",
	}))
	g.Expect(a.Place(atlas.Key{Config: "nginx/static", Scenario: "zone-flap", Version: "1.26.3"})).To(
		HaveField("State", atlas.Unproven))
	g.Expect(a.Unsure()).To(ContainElement(atlas.Key{Config: "nginx/variable", Scenario: "alb-ip-rotate", Version: "1.26.3"}))
	var page bytes.Buffer
	g.Expect(reports.HTML(&page, reports.AtlasPage(a, cells))).To(Succeed())
	g.Expect(page.String()).To(And(ContainSubstring("refused became held, in alias-switch"), ContainSubstring("What seems to have changed")))
}
