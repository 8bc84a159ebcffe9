package scenarios_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"io/fs"
	"maps"
	"net/netip"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/config"
	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/kind"
	"github.com/proxychaos/proxychaos/harness/recording"
	"github.com/proxychaos/proxychaos/harness/world"
	"github.com/proxychaos/proxychaos/reports"
	"github.com/proxychaos/proxychaos/scenarios"
)

// eachExpectation calls f for every subject in every scenario.
func eachExpectation(t *testing.T, f func(t *testing.T, s harness.Scenario, who harness.Subject, e judge.Expectation)) {
	t.Helper()
	for _, s := range scenarios.All {
		for _, who := range scenarios.Subjects() {
			if s.Suits(who) {
				t.Run(s.Name+"/"+who.ID(), func(t *testing.T) { f(t, s, who, who.Expect[s.Name]) })
			}
		}
	}
}

// One file a scenario, of the same name; those that differ in a word only are a
// family with a file.
func TestScenariosAreNamedLikeTheirFiles(t *testing.T) {
	families := map[string]string{"dns-": "dns_fails.go", "tls-": "tls_refused.go"}
	g := NewWithT(t)
	names, alone := map[string]bool{}, 0
	for _, s := range scenarios.All {
		g.Expect(s.Name).To(MatchRegexp(`^[a-z0-9]+(-[a-z0-9]+)*$`))
		g.Expect(names[s.Name]).To(BeFalse(), "%s stands twice", s.Name)
		names[s.Name] = true
		g.Expect(s.Summary).To(And(HaveSuffix("."), Not(ContainSubstring("\n"))))
		text, err := os.ReadFile(strings.ReplaceAll(s.Name, "-", "_") + ".go")
		if file, ok := families[s.Name[:4]]; ok && err != nil {
			_, err := os.Stat(file)
			g.Expect(err).NotTo(HaveOccurred())
			continue
		}
		alone++
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(string(text)).To(MatchRegexp(`Name:\s+"` + s.Name + `"`))
	}
	// No scenario stands in a file and is not in the list.
	declared := regexp.MustCompile(`= harness\.Scenario\{`)
	files, err := filepath.Glob("*.go")
	g.Expect(err).NotTo(HaveOccurred())
	count := 0
	for _, f := range files {
		text, err := os.ReadFile(f)
		g.Expect(err).NotTo(HaveOccurred())
		if !strings.HasSuffix(f, "_test.go") {
			count += len(declared.FindAll(text, -1))
		}
	}
	g.Expect(count).To(Equal(alone))
}

// Each scenario can be planned, and its timeline does what its place in the catalogue
// says: something is taken away, the name moves only if the scenario is about that, and
// what a proxy cannot know it may lose.
func TestScenariosAreSound(t *testing.T) {
	for _, s := range scenarios.All {
		t.Run(s.Name, func(t *testing.T) {
			g := NewWithT(t)
			g.Expect(s.Check()).To(Succeed())
			topology := s.World.Place(address)
			if s.World.IPv6() {
				topology = topology.WithIPv6(func(n int) netip.Addr { return netip.AddrFrom16([16]byte{0x20, 0x01, 0, 2, 15: byte(n)}) })
			}
			plan, err := s.PlanOf(harness.Subject{}, harness.DefaultSettings(), topology)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(plan.Duration.Duration()).To(BeNumerically("<=", 150*time.Second))

			// What nodes in front do to the proxy it can be ready for.
			ahead := func(e world.Effect) bool {
				n, known := topology.Node(e.Node)
				return known && n.Upstream == world.InFront
			}
			state, worse, moved, atOnce, late := topology.Start(), false, false, false, false
			for i, step := range s.Timeline {
				for _, f := range step.Do {
					effects := f.Effects(state)
					g.Expect(effects).NotTo(BeEmpty(), "%s changes nothing", f.Name())
					for _, e := range effects {
						worse = worse || e.Worse()
						late = late || e.How == string(fakealb.FaultSlowResponse) || e.How == string(fakealb.FaultSlowBody)
						moved = moved || e.Named != nil
						atOnce = atOnce || i == 0 && e.Worse() && e.Node.IsValid() && !ahead(e)
					}
					state = state.With(effects...)
				}
			}
			// A proxy that is a target can be lost to its load balancer for want of workers, and
			// a request that takes long to a timeout.
			g.Expect(worse || s.Budget.Within != "" || late && (s.World.Front != nil || s.Load.Patience != "")).To(BeTrue(), "nothing is taken away, not even time")
			labels := scenarios.Labels(s)
			g.Expect(moved).To(Equal(slices.Contains(labels, scenarios.AboutAddresses)))
			g.Expect(s.Budget.Recovery).To(Equal(atOnce && !s.TLS()), "only what a proxy cannot know it may lose")
		})
	}
}

// A scenario can be written down, read back, and is then the same.
func TestScenariosAreData(t *testing.T) {
	for _, s := range scenarios.All {
		t.Run(s.Name, func(t *testing.T) {
			g := NewWithT(t)
			text, err := json.Marshal(s)
			g.Expect(err).NotTo(HaveOccurred())
			var back harness.Scenario
			g.Expect(json.Unmarshal(text, &back)).To(Succeed())
			g.Expect(back).To(Equal(s), "%s", text)
		})
	}
}

func address(n int) netip.Addr { return netip.AddrFrom4([4]byte{198, 18, 0, byte(n)}) }

func TestEveryConfigIsThereAndUsed(t *testing.T) {
	g := NewWithT(t)
	used := map[string]bool{}
	for _, who := range scenarios.Subjects() {
		used[who.Config] = true
		conf, err := config.Read(who.Kind, who.Files, who.Config, kind.Env{})
		g.Expect(err).NotTo(HaveOccurred())
		_, err = conf.Layout()
		g.Expect(err).NotTo(HaveOccurred())
		// A config that names its own period is judged by that.
		if stated := conf.Refresh(); stated != 0 && who.Role != harness.Pitfall {
			g.Expect(who.Refresh).To(Equal(stated), who.ID())
		}
		base := path.Base(who.Config)
		g.Expect(strings.TrimSuffix(base, path.Ext(base))).To(Equal(who.Name), "the file is called like the subject")
	}
	g.Expect(fs.WalkDir(scenarios.Configs, ".", func(file string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			g.Expect(used[file] || used[path.Dir(file)]).To(BeTrue(), "%s is no subject's", file)
		}
		return err
	})).To(Succeed())
}

// What is put beside a config for its sake is put beside none of these: they run as they
// did when the catalogue's outcomes were seen.
func TestCataloguedConfigsRunAsTheyAre(t *testing.T) {
	for _, who := range scenarios.Subjects() {
		t.Run(who.ID(), func(t *testing.T) {
			g := NewWithT(t)
			conf, err := config.Read(who.Kind, who.Files, who.Config, kind.Env{})
			g.Expect(err).NotTo(HaveOccurred())
			l, err := conf.Layout()
			g.Expect(err).NotTo(HaveOccurred())
			whole := who.Kind == kind.Apache && l.Files[0].Own != ""
			if whole { // a certificate and its key are nobody's to publish
				l.Files = slices.DeleteFunc(l.Files, func(f kind.Placed) bool { return f.Spare && strings.HasPrefix(f.Path, "/etc/ssl/") })
			}
			if who.Kind == kind.Nginx { // a whole nginx.conf has the image's default.conf out of its way
				l.Files = slices.DeleteFunc(l.Files, func(f kind.Placed) bool { return f.Own == "" && len(f.Content) == 0 })
			}
			own := l.Files[len(l.Files)-len(conf.Files):]
			for i, f := range conf.Files {
				where := who.Config
				if path.Base(where) != f.Name { // it is a folder
					where = path.Join(where, f.Name)
				}
				content, err := scenarios.Configs.ReadFile(where)
				g.Expect(err).NotTo(HaveOccurred())
				g.Expect(own[i].Content).To(Equal(content))
				g.Expect(own[i].Own).To(Equal(f.Name))
			}
			if who.Kind == kind.Apache && !whole {
				base, err := os.ReadFile("../harness/kind/apache_base.conf")
				g.Expect(err).NotTo(HaveOccurred())
				// ws:// needs a module that the base does not load.
				tunnel := []byte("<IfModule !proxy_wstunnel_module>\nLoadModule proxy_wstunnel_module modules/mod_proxy_wstunnel.so\n</IfModule>\n\n")
				g.Expect(bytes.Replace(l.Files[0].Content, tunnel, nil, 1)).To(Equal(base))
				g.Expect(l.Files).To(HaveLen(2))
			} else {
				g.Expect(l.Files).To(HaveLen(len(conf.Files)))
			}
			if whole || who.Kind == kind.TrafficServer {
				l.Users = nil // an image that has its user is left as it is
			}
			for _, folder := range l.Folders {
				g.Expect(slices.ContainsFunc(own, func(f kind.Placed) bool { return bytes.Contains(f.Content, []byte(folder)) })).To(BeTrue(), "%s is made, and no file names it", folder)
			}
			l.Files, l.Cmd, l.Logs, l.Folders = nil, nil, nil, nil
			g.Expect(l).To(Equal(kind.Layout{}))
		})
	}
}

func TestSubjectsAreWhole(t *testing.T) {
	g := NewWithT(t)
	ids := map[string]bool{}
	for _, who := range scenarios.Subjects() {
		g.Expect(ids[who.ID()]).To(BeFalse(), "%s stands twice", who.ID())
		ids[who.ID()] = true
		g.Expect(kind.Names()).To(ContainElement(who.Kind))
		g.Expect([]harness.Role{harness.Pitfall, harness.Fix, harness.Reference}).To(ContainElement(who.Role))
		g.Expect(who.Summary).NotTo(BeEmpty())
		for _, scenario := range slices.AppendSeq(slices.Clone(who.Scenarios), maps.Keys(who.Expect)) {
			_, err := scenarios.Named(scenario)
			g.Expect(err).NotTo(HaveOccurred(), who.ID())
		}
	}
	for _, wanted := range []string{ // of issue 2
		"apache/pooled", "apache/disablereuse", "apache/smax-ttl", "apache/addressttl", "nginx/static", "nginx/static@testing",
		"nginx/resolver-only", "nginx/variable", "nginx/upstream-resolve@testing", "goproxy/default",
	} {
		g.Expect(ids).To(HaveKey(wanted))
	}
}

var (
	outcomes = []string{recording.BadGateway, recording.Unavailable, recording.GatewayTimeout, recording.Timeout, recording.Connection, recording.WrongBody, "500"}
	findings = []string{judge.ResolvedOnce, judge.PooledOld, judge.HealedItself, judge.ConnectionPerRequest, judge.FollowedDNS, judge.LogEvidence, judge.StruckNodes, judge.DNSOutage, judge.KeepAliveRace, judge.KeepAliveHeld, judge.TargetFlap, judge.HeldDown, judge.PostTwice, judge.PostLost, judge.QueryLost, judge.MovedSessions, judge.LostSessions, judge.NotStarted, judge.StaleAnswers, judge.OpensConnections, judge.SlowAnswers, judge.SocketsDenied, judge.SocketsLost, judge.UnevenShares, judge.CutShort, judge.CutByReload, judge.FlowForgotten, judge.StoppedInHand, judge.ClientLost}
)

func TestEverySubjectHasAnExpectationForEveryScenario(t *testing.T) {
	eachExpectation(t, func(t *testing.T, s harness.Scenario, who harness.Subject, e judge.Expectation) {
		g := NewWithT(t)
		g.Expect([]string{judge.Pass, judge.Fail, judge.Either}).To(ContainElement(e.Verdict))
		for _, o := range e.Outcomes {
			g.Expect(outcomes).To(ContainElement(o))
		}
		for _, f := range e.Findings {
			g.Expect(findings).To(ContainElement(f))
		}
		_, err := regexp.Compile(e.Log)
		g.Expect(err).NotTo(HaveOccurred())
		if e.Verdict != judge.Pass {
			unseen := slices.ContainsFunc(e.Findings, func(f string) bool {
				return slices.Contains([]string{judge.PostTwice, judge.QueryLost, judge.ClientLost, judge.MovedSessions, judge.OpensConnections, judge.SlowAnswers, judge.SocketsDenied, judge.UnevenShares}, f)
			})
			g.Expect(len(e.Outcomes) > 0 || unseen).To(BeTrue(), "how it fails is known, or that no status shows it")
		} else if !s.Budget.Recovery {
			g.Expect(e.Outcomes).To(BeEmpty(), "with a budget of 0 a pass has no failure")
		}
		if who.Role == harness.Reference {
			g.Expect(e.Verdict).To(Equal(judge.Pass))
		}
	})
}

// The harness proves on every run that it can fail: each pitfall breaks in some
// scenario.
func TestEveryPitfallBreaksSomewhere(t *testing.T) {
	g := NewWithT(t)
	for _, who := range scenarios.Subjects() {
		breaks := slices.ContainsFunc(scenarios.All, func(s harness.Scenario) bool { return who.Expect[s.Name].Verdict == judge.Fail })
		if who.Role == harness.Pitfall {
			g.Expect(breaks).To(BeTrue(), who.ID())
		}
	}
}

// as is a verdict that is exactly what is expected: the fail, where either is.
func as(e judge.Expectation) judge.Verdict {
	result := e.Verdict
	if result == judge.Either {
		result = judge.Fail
	}
	v := judge.Verdict{Result: result, Sent: 1000, ByKind: map[string]int{}, Reasons: []string{"as expected"}}
	if len(e.Outcomes) > 0 {
		v.Failed = cmp.Or(e.Most, 10)
		v.ByKind[e.Outcomes[0]] = v.Failed
	}
	if len(e.Findings) > 0 {
		v.Findings = append(v.Findings, judge.Finding{Code: e.Findings[0]})
	}
	if e.Log != "" {
		line := strings.ReplaceAll(e.Log, `\`, "") // the patterns are words, some of their signs escaped
		v.Findings = append(v.Findings, judge.Finding{Code: judge.LogEvidence, Evidence: []string{line}})
	}
	return v
}

func cell(s harness.Scenario, who harness.Subject, v judge.Verdict, e judge.Expectation) reports.Cell {
	return reports.Cell{
		Manifest: recording.Manifest{Scenario: s.Name, Subject: recording.Subject{ID: who.ID(), Role: string(who.Role)}},
		Verdict:  v, Expect: &e,
	}
}

// A pitfall that is declared a fix is red, a fix that is declared a pitfall is,
// and so is a run that proved nothing: for every entry of the catalogue.
func TestTheCatalogueCanBeWrong(t *testing.T) {
	eachExpectation(t, func(t *testing.T, s harness.Scenario, who harness.Subject, e judge.Expectation) {
		g := NewWithT(t)
		g.Expect(cell(s, who, as(e), e).State()).To(Equal(reports.Expected), "what was expected is green")

		declared := judge.Expectation{Verdict: judge.Pass}
		if as(e).Result == judge.Pass {
			declared.Verdict = judge.Fail
		}
		inverted := cell(s, who, as(e), declared)
		g.Expect(inverted.State()).To(Equal(reports.Unexpected))
		g.Expect(inverted.Reasons()).NotTo(BeEmpty(), "the suite fails with these")

		unproven := as(e)
		unproven.Result = judge.Unproven
		g.Expect(cell(s, who, unproven, e).State()).To(Equal(reports.Unproven))
		g.Expect(cell(s, who, unproven, e).Reasons()).NotTo(BeEmpty())

		if e.Most > 0 {
			more := as(e)
			more.Failed++
			g.Expect(cell(s, who, more, e).State()).To(Equal(reports.Unexpected))
		}

		silent := as(e) // the same verdict, for another reason
		silent.Findings, silent.ByKind = nil, map[string]int{"418": 10}
		if len(e.Findings)+len(e.Outcomes) > 0 || e.Log != "" {
			g.Expect(cell(s, who, silent, e).State()).To(Equal(reports.Unexpected))
		}
	})
}
