package proxies

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/kind"
	"github.com/proxychaos/proxychaos/harness/recording"
	"github.com/proxychaos/proxychaos/reports"
	"github.com/proxychaos/proxychaos/scenarios"
)

// docs is where the page and the facts are, seen from here.
var docs = filepath.Join("..", "..", "docs")

func stored(t *testing.T) Facts {
	t.Helper()
	f, err := Read(filepath.Join(docs, "proxies.json"))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func written(t *testing.T, f Facts) string {
	t.Helper()
	var page bytes.Buffer
	if err := Page(&page, f); err != nil {
		t.Fatal(err)
	}
	return page.String()
}

// The page in docs is what the stored facts and the catalogue come to: whoever changes a
// config, a summary or the list of subjects has to make it again.
func TestThePageIsMadeOfTheStoredFacts(t *testing.T) {
	g := NewWithT(t)
	there, err := os.ReadFile(filepath.Join(docs, "proxies.md"))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(written(t, stored(t))).To(Equal(string(there)), "docs/proxies.md was edited, or the catalogue was: make proxies makes it again")
}

// Every config of the catalogue is on the page, and each proxy has a line at the top whose
// link leads to a heading.
func TestThePageHasEveryProxyAndConfig(t *testing.T) {
	g := NewWithT(t)
	page := written(t, stored(t))
	of := map[kind.Name]bool{}
	for _, s := range scenarios.Subjects() {
		g.Expect(page).To(ContainSubstring("| [`"+s.Name+"`](../scenarios/"+s.Config+") | "+string(s.Role)), s.ID())
		of[s.Kind] = true
	}
	headings := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(page, -1) {
		headings[strings.ReplaceAll(regexp.MustCompile(`[^a-z0-9 _-]`).ReplaceAllString(strings.ToLower(m[1]), ""), " ", "-")] = true
	}
	links := regexp.MustCompile(`\(#([^)]+)\)`).FindAllStringSubmatch(page, -1)
	g.Expect(len(links)).To(BeNumerically(">=", 2*len(of)))
	for _, m := range links {
		g.Expect(headings).To(HaveKey(m[1]))
	}
	for name := range of {
		g.Expect(page).To(ContainSubstring("| ["+string(name)+"](#"+string(name)), "a line at the top")
	}
}

// Nothing ran on a version that does not take it.
func TestWhatAConfigNeeds(t *testing.T) {
	g := NewWithT(t)
	needed := 0
	for _, s := range scenarios.Subjects() {
		for _, r := range stored(t).Runs {
			if r.Subject == s.ID() && s.Since != "" {
				needed++
				g.Expect(kind.CompareVersions(r.Version, s.Since)).To(BeNumerically(">=", 0), "%s says that it needs %s, and ran on %s", s.ID(), s.Since, r.Version)
			}
		}
	}
	g.Expect(needed).To(BeNumerically(">", 0))
}

// sum is what tells the config of a subject apart.
func sum(t *testing.T, id string) string {
	t.Helper()
	s, err := scenarios.Catalogued(id)
	if err != nil {
		t.Fatal(err)
	}
	of, err := subjectsOf(s.Kind, Facts{})
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range of {
		if one.ID() == id {
			return recording.Sum(kind.Config{Files: one.files})
		}
	}
	t.Fatalf("%s is not there", id)
	return ""
}

// cellOf is a cell that ended with a result.
func cellOf(t *testing.T, scenario, id, version, result string, failed int) reports.Cell {
	t.Helper()
	s, err := scenarios.Catalogued(id)
	if err != nil {
		t.Fatal(err)
	}
	c := reports.Cell{
		Manifest: recording.Manifest{
			Scenario: scenario, Subject: s.Recorded(), Image: recording.Image{Version: version}, Config: recording.Config{SHA256: sum(t, id)},
			Plan: recording.Plan{Rate: 100, Seed: 7, TTL: 1, Duration: 30}, Began: time.Date(2020, 1, 2, 3, 0, 0, 0, time.UTC),
			Tool: recording.Tool{Commit: "0123456789"}, Host: recording.Host{Cores: 2},
		},
		Verdict: judge.Verdict{Result: result, Sent: 1000, Failed: failed, ByKind: map[string]int{recording.Timeout: failed}, DNSBefore: 10, DNSAfter: 20, ConnectionsPerRequest: 0.25},
	}
	if result != judge.Pass {
		c.Verdict.Reasons = []string{"9 of 1,000 requests failed"}
		c.Verdict.Findings = []judge.Finding{
			{Code: judge.LogEvidence, Text: `the proxy's log: no upstream, "no live upstreams": 3 lines, the first at 4.0 s: 2026/11/30 ...`},
			{Code: judge.ResolvedOnce, Upstream: "a.example.com", Text: "a.example.com: resolved once at start: 0 DNS queries after t=0; 9 requests on the retired 198.18.0.9"},
		}
	}
	return c
}

// A night takes the place of what earlier ones showed of the same cells, and of nothing else;
// a night of which nothing is left is gone.
func TestALaterNightReplacesItsCells(t *testing.T) {
	g := NewWithT(t)
	first := []reports.Cell{
		cellOf(t, "alb-ip-rotate", "nginx/static", "1.26.3", judge.Fail, 9),
		cellOf(t, "alb-ip-refuse", "nginx/static", "1.26.3", judge.Pass, 0),
	}
	f := Facts{}.With(first)
	g.Expect(f.Runs).To(HaveLen(2))
	g.Expect(f.Runs[0]).To(Equal(Run{
		Scenario: "alb-ip-rotate", Subject: "nginx/static", Version: "1.26.3", Config: sum(t, "nginx/static"), Result: judge.Fail,
		Sent: 1000, Failed: 9, By: map[string]int{recording.Timeout: 9}, Connections: 0.25, Queries: 60,
		Why: "9 of 1,000 requests failed", Cause: "resolved once at start: 0 DNS queries after t=0", Log: `the proxy's log: no upstream, "no live upstreams": 3 lines`,
	}))
	g.Expect(f.Nights).To(Equal([]Night{{Began: time.Date(2020, 1, 2, 3, 0, 0, 0, time.UTC), Commit: "0123456789", Seed: 7, Clock: recording.ScaledClock, TTL: 1, Rate: 100, Cores: 2}}))

	notRun := reports.Cell{NotRun: "no registry"}
	notRun.Manifest.Scenario, notRun.Manifest.Subject.ID = "alb-ip-rotate", "apache/pooled@2.4.58"
	ofOnesOwn := cellOf(t, "alb-ip-rotate", "nginx/static", "1.26.3", judge.Pass, 0)
	ofOnesOwn.Manifest.Subject.ID = "nginx/own"
	f = f.With([]reports.Cell{cellOf(t, "alb-ip-rotate", "nginx/static", "1.26.4", judge.Fail, 8), notRun, notRun, ofOnesOwn})
	g.Expect(f.Nights).To(HaveLen(2))
	g.Expect(f.Runs).To(HaveLen(2))
	g.Expect([]any{f.Runs[0].Failed, f.Runs[0].Night, f.Runs[1].Night}).To(Equal([]any{8, 1, 0}))
	g.Expect(f.NotRun).To(Equal([]NotRun{{"apache/pooled@2.4.58", "no registry"}}))

	f = f.With([]reports.Cell{cellOf(t, "alb-ip-refuse", "nginx/static", "1.26.4", judge.Pass, 0), cellOf(t, "alb-ip-rotate", "apache/pooled@2.4.58", "2.4.58", judge.Fail, 1)})
	g.Expect(f.Nights).To(HaveLen(2), "of the first nothing is left")
	g.Expect(f.NotRun).To(BeEmpty())

	path := filepath.Join(t.TempDir(), "proxies.json")
	g.Expect(f.Write(path)).To(Succeed())
	again, err := Read(path)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(again).To(Equal(f))
}

// What was run with another config says nothing of the catalogue's.
func TestRunsOfAnotherConfigAreLeftOut(t *testing.T) {
	g := NewWithT(t)
	c := cellOf(t, "alb-ip-rotate", "varnish/probe", "7.7.0", judge.Pass, 0)
	g.Expect(written(t, Facts{}.With([]reports.Cell{c}))).To(ContainSubstring("Ran on 7.7.0."))
	c.Manifest.Config.SHA256 = "another"
	page := written(t, Facts{}.With([]reports.Cell{c}))
	g.Expect(page).NotTo(ContainSubstring("7.7.0"))
	g.Expect(page).To(ContainSubstring("- `addresses`, `probe`: no night has had this config yet"))
}

// The best config is the one that follows the name, before all else; of each version its own.
func TestTheBestConfig(t *testing.T) {
	g := NewWithT(t)
	f := Facts{}.With([]reports.Cell{
		cellOf(t, "alb-ip-rotate", "apache/pooled", "2.4.71", judge.Fail, 400),
		cellOf(t, "alb-ip-rotate", "apache/smax-ttl", "2.4.71", judge.Fail, 1),
		cellOf(t, "dns-nodata", "apache/smax-ttl", "2.4.71", judge.Pass, 0),
		cellOf(t, "dns-silence", "apache/smax-ttl", "2.4.71", judge.Pass, 0),
		cellOf(t, "alb-ip-rotate", "apache/disablereuse", "2.4.71", judge.Pass, 0),
		cellOf(t, "dns-nodata", "apache/disablereuse", "2.4.71", judge.Fail, 900),
		cellOf(t, "dns-silence", "apache/disablereuse", "2.4.71", judge.Fail, 900),
		cellOf(t, "alb-ip-rotate", "apache/addressttl", "2.4.71", judge.Pass, 0),
		cellOf(t, "dns-nodata", "apache/addressttl", "2.4.71", judge.Fail, 900),
		cellOf(t, "dns-silence", "apache/addressttl", "2.4.71", judge.Fail, 800),
		cellOf(t, "keepalive-race", "apache/keepalive-65", "2.4.71", judge.Pass, 0),

		cellOf(t, "alb-ip-rotate", "nginx/static", "1.26.3", judge.Fail, 800),
		cellOf(t, "alb-ip-rotate", "nginx/variable", "1.26.3", judge.Pass, 0),
		cellOf(t, "alb-ip-rotate", "nginx/variable@testing", "1.30.6", judge.Pass, 0),
		cellOf(t, "dns-silence", "nginx/variable@testing", "1.30.6", judge.Fail, 600),
		cellOf(t, "alb-ip-rotate", "nginx/upstream-resolve@testing", "1.30.6", judge.Pass, 0),
		cellOf(t, "dns-silence", "nginx/upstream-resolve@testing", "1.30.6", judge.Pass, 0),
		// The others did not run it.
		cellOf(t, "dns-fault-then-rotate", "nginx/upstream-resolve@testing", "1.30.6", judge.Fail, 800),
		cellOf(t, "alb-ip-refuse", "nginx/upstream-resolve@testing", "1.30.6", judge.Unproven, 9),
	})
	chosen := func(name kind.Name) []string {
		of, err := subjectsOf(name, f)
		g.Expect(err).NotTo(HaveOccurred())
		var ids []string
		for _, s := range best(of) {
			ids = append(ids, s.ID())
		}
		return ids
	}
	g.Expect(chosen(kind.Apache)).To(Equal([]string{"apache/addressttl"}))
	g.Expect(chosen(kind.Nginx)).To(Equal([]string{"nginx/upstream-resolve@testing", "nginx/variable"}))
	g.Expect(chosen(kind.Envoy)).To(Equal([]string{"envoy/outliers"}), "not run")

	of, err := subjectsOf(kind.Apache, f)
	g.Expect(err).NotTo(HaveOccurred())
	p, found := pitfall(of, best(of)[0])
	g.Expect(found).To(BeTrue())
	g.Expect(p.Name).To(Equal("pooled"))
	g.Expect(matters(best(of)[0], p)).To(Equal([]string{"ProxyPass / http://backend.example.com/ addressttl=2 connectiontimeout=1 timeout=2 retry=0"}))
	g.Expect(best(of)[0].tally("").String()).To(Equal("1 of 3"))
	g.Expect(best(of)[0].tally(scenarios.AboutDNS).String()).To(Equal("0 of 2"))
	page := written(t, f)
	g.Expect(page).To(ContainSubstring("| [nginx](#nginx-1306-upstream-resolve) | 1.30.6 | [`upstream-resolve`](#nginx-1306-upstream-resolve) |"))
	g.Expect(page).To(ContainSubstring("\n### nginx 1.26.3: variable\n"))
	g.Expect(page).To(ContainSubstring("\n### envoy: outliers\n"))
	g.Expect(page).To(ContainSubstring("Unproven, so they show nothing: `upstream-resolve@testing` in `alb-ip-refuse`."))
}

// What differs between versions is said either way.
func TestBetweenVersions(t *testing.T) {
	g := NewWithT(t)
	page := written(t, Facts{}.With([]reports.Cell{
		cellOf(t, "alb-ip-rotate", "haproxy/server-template@oldstable", "2.6.12", judge.Fail, 34),
		cellOf(t, "alb-ip-rotate", "haproxy/server-template@testing", "3.2.26", judge.Pass, 0),
		cellOf(t, "dns-silence", "haproxy/server-template@oldstable", "2.6.12", judge.Pass, 0),
		cellOf(t, "dns-silence", "haproxy/server-template@testing", "3.2.26", judge.Fail, 3),
		cellOf(t, "alias-switch", "haproxy/server-template@oldstable", "2.6.12", judge.Fail, 3),
		cellOf(t, "alias-switch", "haproxy/server-template@testing", "3.2.26", judge.Fail, 3),
	}))
	g.Expect(page).To(ContainSubstring("- `server-template` holds on 3.2.26 and not on 2.6.12: `alb-ip-rotate`\n- `server-template` breaks on 3.2.26 and not on 2.6.12: `dns-silence`\n"))
	g.Expect(page).To(ContainSubstring("| `alias-switch` | **3 timeout** | **3 timeout** |\n"))
	g.Expect(page).To(ContainSubstring("| `alb-ip-refuse` | not run | not run |\n"))
	g.Expect(page).To(ContainSubstring("\n### haproxy 2.6.12, 3.2.26: server-template\n"))
	g.Expect(page).To(ContainSubstring("\nOn 3.2.26: connections for each request 0.25, DNS queries a minute 60. It loses requests in `alias-switch` **3 timeout**; `dns-silence` **3 timeout**.\n\nOn 2.6.12: "))
	g.Expect(page).To(ContainSubstring("| [haproxy](#haproxy-2612-3226-server-template) | 2.6.12 | [`server-template`](#haproxy-2612-3226-server-template) |"))
}

// A cell of a table says what was lost, and what broke if no status shows it.
func TestWhatACellSays(t *testing.T) {
	g := NewWithT(t)
	g.Expect(Run{Result: judge.Pass}.String()).To(Equal("0"))
	g.Expect(Run{Result: judge.Unproven, Failed: 3}.String()).To(Equal("unproven"))
	g.Expect(Run{Result: judge.Pass, Failed: 3, By: map[string]int{"502": 1, "timeout": 2}, Recovery: 0.31}.String()).To(Equal("2 timeout, 1 502; 0.3 s"))
	g.Expect(Run{Result: judge.Fail, Failed: 1838, By: map[string]int{"502": 1838}, Never: true, Why: "1,838 of 2,000 requests failed (502 1,838), budget 0"}.String()).To(Equal("**1,838 502; never**"))
	g.Expect(Run{Result: judge.Fail, Why: "1,900 requests reached nodes without their query; 0 of 1,900 requests failed"}.String()).To(Equal("**1,900 requests reached nodes without their query**"))
	g.Expect(worst([]Run{{Result: judge.Pass, Failed: 9}, {Result: judge.Fail, Failed: 2}, {Result: judge.Fail, Failed: 3}, {Result: judge.Unproven}}).Failed).To(Equal(3))
	g.Expect(worst([]Run{{Result: judge.Unproven, Failed: 4}, {Result: judge.Pass}}).Result).To(Equal(judge.Pass), "what proved something counts")
}
