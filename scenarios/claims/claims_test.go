package claims

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"testing/fstest"

	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/fault"
)

var update = flag.Bool("update", false, "write docs/claims.md and docs/claims.json")

// docs is where the page and the results are, seen from here.
var docs = filepath.Join("..", "..", "docs")

func every(t *testing.T) []Claim {
	t.Helper()
	all, err := All()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// The list is whole: forty claims at least, some of each article, and no sentence twice.
func TestTheListIsWhole(t *testing.T) {
	g := NewWithT(t)
	all := every(t)
	ids, says, of := map[string]bool{}, map[string]string{}, map[string]int{}
	for _, c := range all {
		g.Expect(ids[c.ID]).To(BeFalse(), "%s stands twice", c.ID)
		g.Expect(says[c.Says]).To(BeEmpty(), "%s says what %s says", c.ID, says[c.Says])
		ids[c.ID], says[c.Says] = true, c.ID
		of[c.Article]++
	}
	for _, a := range Articles {
		g.Expect(of[a.ID]).To(BeNumerically(">=", 1), a.ID)
	}
	g.Expect(len(all) - of["new"]).To(BeNumerically(">=", 40))
}

// Every experiment can be asked for as make would ask for it.
func TestEveryExperimentCanBeRun(t *testing.T) {
	g := NewWithT(t)
	runs := t.TempDir()
	tasks, err := Tasks(every(t), func(word string) (string, bool) {
		if word == "RUNS" {
			return runs, true
		}
		return "", false
	})
	g.Expect(err).NotTo(HaveOccurred())
	for _, task := range tasks {
		g.Expect(task.Subject == "" || task.catalogued() != "").To(BeTrue(), "%s: %s is not in the catalogue", task.Name, task.Subject)
	}
}

// The page in docs is what the stored results come to, and no result is of an experiment
// that no claim has. `go test ./scenarios/claims -update` makes it again, as
// `proxychaos claims --stored --write` does.
func TestThePageIsMadeOfTheStoredResults(t *testing.T) {
	g := NewWithT(t)
	all := every(t)
	stored, err := ReadResults(filepath.Join(docs, "claims.json"))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(stored.Runs).NotTo(BeEmpty())
	if *update {
		stored = stored.Of(all)
		g.Expect(stored.Write(filepath.Join(docs, "claims.json"))).To(Succeed())
		var page bytes.Buffer
		g.Expect(Page(&page, all, stored)).To(Succeed())
		g.Expect(os.WriteFile(filepath.Join(docs, "claims.md"), page.Bytes(), 0o600)).To(Succeed())
	}
	g.Expect(stored.Of(all).Runs).To(HaveLen(len(stored.Runs)), "results of experiments that are no more: make them go with proxychaos claims --stored --write")
	var page bytes.Buffer
	g.Expect(Page(&page, all, stored)).To(Succeed())
	there, err := os.ReadFile(filepath.Join(docs, "claims.md"))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(page.String()).To(Equal(string(there)), "docs/claims.md was edited, or a claim was: proxychaos claims --stored --write makes it again")
}

// What cannot be a claim is refused, with what is wrong.
func TestWhatCannotBeAClaimIsRefused(t *testing.T) {
	const runs = "runs:\n  it: {subject: nginx/static}\n"
	for name, tc := range map[string]struct{ file, text, want string }{
		"another article":      {"005-x", "article: '005'\nsays: x\nneeds: y\n", "no such article"},
		"another name":         {"x-y", "article: '000'\nsays: x\nneeds: y\n", "want 000-"},
		"nothing said":         {"000-x", "article: '000'\nneeds: y\n", "says is empty"},
		"no experiment":        {"000-x", "article: '000'\nsays: x\n", "got no runs"},
		"needs and runs":       {"000-x", "article: '000'\nsays: x\nneeds: y\n" + runs, "needs and experiments"},
		"no condition":         {"000-x", "article: '000'\nsays: x\n" + runs, "holds.if is empty"},
		"a figure that is not": {"000-x", "article: '000'\nsays: x\n" + runs + "holds: {if: it.nothing > 0}\n", "nothing"},
		"a run that is not":    {"000-x", "article: '000'\nsays: x\n" + runs + "holds: {if: other.failed > 0}\n", "other"},
		"no truth":             {"000-x", "article: '000'\nsays: x\n" + runs + "holds: {if: it.failed}\n", "bool"},
		"a word that is not":   {"000-x", "article: '000'\nsays: x\nverdict: holds\n" + runs, "unknown field"},
		"narrower, unsaid":     {"000-x", "article: '000'\nsays: x\n" + runs + "holds: {if: it.failed > 0}\nnarrower: {if: it.failed > 1}\n", "narrower.says"},
		"two kinds of proxy":   {"000-x", "article: '000'\nsays: x\nruns:\n  a: {subject: nginx/static}\n  b: {subject: apache/pooled}\nholds: {if: a.failed > 0}\n", "one kind of proxy"},
		"no config":            {"000-x", "article: '000'\nsays: x\nruns: {it: {proxy: nginx}}\nholds: {if: it.failed > 0}\n", "neither a subject"},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			_, err := read(fstest.MapFS{"list/" + tc.file + ".yaml": {Data: []byte(tc.text)}})
			g.Expect(err).To(MatchError(ContainSubstring(tc.want)))
			g.Expect(err.Error()).To(HavePrefix("scenarios/claims/list/" + tc.file + ".yaml: "))
		})
	}
}

// example is a claim about two runs, with a narrower form.
func example(t *testing.T) Claim {
	t.Helper()
	all, err := read(fstest.MapFS{"list/000-x.yaml": {Data: []byte(`
article: "000"
says: it keeps the address
runs:
  silent: {subject: apache/pooled}
  refused: {subject: apache/pooled, scenario: alb-ip-refuse}
holds: {if: "silent.never && refused.by['503'] > 0", says: it keeps it for ever}
narrower: {if: "silent.failed > 0 && 'pooled-kept-old' in silent.findings", says: it keeps it for a while}
otherwise: it does not keep it
`)}})
	if err != nil {
		t.Fatal(err)
	}
	return all[0]
}

// came are the results of the example on a version.
func came(r Results, c Claim, version string, silent, refused Figures) Results {
	for name, f := range map[string]Figures{"silent": silent, "refused": refused} {
		r = r.With(Stored{Experiment: c.Runs[name].Key(), Version: version, Took: f})
	}
	return r
}

var (
	forEver    = Figures{Result: "fail", Sent: 9, Failed: 4, Never: true}
	with503    = Figures{Result: "fail", Sent: 9, Failed: 4, By: map[string]int{"503": 4}}
	forAWhile  = Figures{Result: "fail", Sent: 9, Failed: 4, Findings: []string{"pooled-kept-old"}}
	nothing    = Figures{Result: "pass", Sent: 9}
	notStarted = Figures{Result: Rejected, Words: "AH00526: Syntax error"}
)

// The verdict is what the conditions say of the figures, either way.
func TestVerdictsAreDecidedByTheFigures(t *testing.T) {
	type version struct {
		number          string
		silent, refused Figures
	}
	for name, tc := range map[string]struct {
		versions []version
		want     string
		says     []string
	}{
		"it holds":               {[]version{{"2.4.58", forEver, with503}}, Holds, []string{"it keeps it for ever"}},
		"half of it":             {[]version{{"2.4.58", forEver, nothing}}, HoldsNot, []string{"it does not keep it"}},
		"less than that":         {[]version{{"2.4.71", forAWhile, nothing}}, Narrower, []string{"it keeps it for a while"}},
		"nothing of it":          {[]version{{"2.4.71", nothing, nothing}}, HoldsNot, []string{"it does not keep it"}},
		"it does not start":      {[]version{{"2.4.71", notStarted, notStarted}}, StartsNot, []string{"it does not keep it"}},
		"up to a version":        {[]version{{"2.4.100", nothing, nothing}, {"2.4.58", forEver, with503}, {"2.4.9", forEver, with503}}, "holds up to version 2.4.58", []string{"2.4.9, 2.4.58: it keeps it for ever", "2.4.100: it does not keep it"}},
		"from a version":         {[]version{{"2.4.58", forAWhile, nothing}, {"2.4.71", forEver, with503}}, "holds from version 2.4.71", []string{"2.4.58: it keeps it for a while", "2.4.71: it keeps it for ever"}},
		"here and there":         {[]version{{"1", forEver, with503}, {"2", nothing, nothing}, {"3", forEver, with503}}, "1: holds; 2: does not hold; 3: holds", []string{"1, 3: it keeps it for ever", "2: it does not keep it"}},
		"differs, and never did": {[]version{{"1", forAWhile, nothing}, {"2", nothing, nothing}}, "1: narrower than said; 2: does not hold", []string{"1: it keeps it for a while", "2: it does not keep it"}},
		"never run":              {nil, NotTried, []string{"not run since its experiment was written or changed: make claims NAME=000-x"}},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			c, r := example(t), Results{}
			for _, v := range tc.versions {
				r = came(r, c, v.number, v.silent, v.refused)
			}
			v, err := c.Decide(r)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(v.Word).To(Equal(tc.want))
			g.Expect(v.Says).To(Equal(tc.says))
		})
	}
}

// A configuration that is not meant to start is no claim that does not start.
func TestARefusalCanBeWhatIsClaimed(t *testing.T) {
	g := NewWithT(t)
	c := example(t)
	r := came(Results{}, c, "2.4.71", notStarted, notStarted)
	for name, e := range c.Runs {
		e.Refused = true
		c.Runs[name] = e
	}
	v, err := c.Decide(r)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(v.Word).To(Equal(HoldsNot))
}

// A version on which one of the experiments was not run is not judged.
func TestHalfOfAnExperimentDecidesNothing(t *testing.T) {
	g := NewWithT(t)
	c := example(t)
	v, err := c.Decide(Results{}.With(Stored{Experiment: c.Runs["silent"].Key(), Version: "2.4.71", Took: forEver}))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(v.Word).To(Equal(NotTried))
}

// A new result takes the place of the old one, and what has changed is told.
func TestChangesAreTold(t *testing.T) {
	g := NewWithT(t)
	c := example(t)
	before := came(Results{}, c, "2.4.71", forEver, with503)
	after := came(before, c, "2.4.71", nothing, nothing)
	g.Expect(after.Runs).To(HaveLen(2))
	changes, err := Changes([]Claim{c}, before, after)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(changes).To(Equal([]Change{{"000-x", Holds, HoldsNot}}))
	g.Expect(changes[0].Contradicts()).To(BeTrue())
	g.Expect(changes[0].String()).To(Equal("000-x: does not hold, was: holds"))

	first, err := Changes([]Claim{c}, Results{}, after)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(first[0].Contradicts()).To(BeFalse(), "it was never tried before")
	none, err := Changes([]Claim{c}, after, after)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(none).To(BeEmpty())
}

// An experiment is another one once its config, its variables or its scenario are.
func TestAChangedExperimentHasNoResults(t *testing.T) {
	g := NewWithT(t)
	e := Experiment{Scenario: "alb-ip-rotate", Proxy: "nginx", Config: map[string]string{"default.conf": "a"}}
	keys := map[string]bool{e.Key(): true}
	for _, change := range []func(*Experiment){
		func(e *Experiment) { e.Config = map[string]string{"default.conf": "b"} },
		func(e *Experiment) { e.Variables = map[string]string{"URL_PATH": "/t"} },
		func(e *Experiment) { e.Scenario = "alb-ip-refuse" },
		func(e *Experiment) { e.Timeline = []harness.Step{harness.Do(fault.RestartProxy{})} },
		func(e *Experiment) { e.Timeline = []harness.Step{harness.After("4s", fault.RestartProxy{})} },
		func(e *Experiment) { e.Proxy = "apache" },
		func(e *Experiment) { e.Config, e.Subject = nil, "nginx/static" },
		func(e *Experiment) { e.Config, e.Subject = nil, "nginx/variable" },
	} {
		other := e
		change(&other)
		g.Expect(keys[other.Key()]).To(BeFalse(), other.String())
		keys[other.Key()] = true
	}
	g.Expect(Experiment{Scenario: "alb-ip-rotate", Proxy: "nginx", Config: map[string]string{"default.conf": "a"}}.Key()).To(Equal(e.Key()))
}

// Results that were written are read back, and those of another schema are refused.
func TestResultsAreStored(t *testing.T) {
	g := NewWithT(t)
	path := filepath.Join(t.TempDir(), "claims.json")
	none, err := ReadResults(path)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(none.Runs).To(BeEmpty())
	c := example(t)
	r := came(none, c, "2.4.71", forAWhile, with503)
	g.Expect(r.Write(path)).To(Succeed())
	back, err := ReadResults(path)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(back).To(Equal(r))
	g.Expect(os.WriteFile(path, []byte(`{"schema": 7}`), 0o600)).To(Succeed())
	_, err = ReadResults(path)
	g.Expect(err).To(MatchError(ContainSubstring("schema 7")))
}

// A configuration of a claim is written as it stands, where the line that runs the cell
// again finds it.
func TestConfigurationsAreWritten(t *testing.T) {
	g := NewWithT(t)
	dir := t.TempDir()
	one := Task{Experiment: Experiment{Config: map[string]string{"default.conf": "server {}\n"}}}
	path, err := one.write(dir)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(path).To(Equal(filepath.Join(dir, "default.conf")))
	text, err := os.ReadFile(path)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(string(text)).To(Equal("server {}\n"))
	two := Task{Experiment: Experiment{Config: map[string]string{"nginx.conf": "a", "conf.d/site.conf": "b"}}}
	path, err = two.write(dir)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(path).To(Equal(dir))
}

// The page of how to add a claim names every field and every figure.
func TestTheGuideNamesEveryFigure(t *testing.T) {
	g := NewWithT(t)
	text, err := os.ReadFile(filepath.Join(docs, "adding-a-claim.md"))
	g.Expect(err).NotTo(HaveOccurred())
	source, err := os.ReadFile("figures.go")
	g.Expect(err).NotTo(HaveOccurred())
	figures := regexp.MustCompile(`expr:"(\w+)"`).FindAllStringSubmatch(string(source), -1)
	g.Expect(len(figures)).To(BeNumerically(">", 10))
	for _, figure := range figures {
		g.Expect(string(text)).To(ContainSubstring("`" + figure[1] + "`"))
	}
}
