// Package corpus holds configurations of many shapes, each with the outcome that is right
// for it: what people have in their repositories and copy from their machines. A case is a
// folder in cases with a case.yaml and what CONFIG= names; docs/corpus.md has its fields.
//
// The suite beside it runs them as `make scenario` would.
package corpus

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/kind"
	"github.com/proxychaos/proxychaos/scenarios"
)

// Case is a configuration, how it is run, and its expected outcome.
type Case struct {
	Name string `yaml:"-"` // of its folder
	Dir  string `yaml:"-"` // its folder

	// Shape says in a line what is special about it.
	Shape string `yaml:"shape"`
	// Group is one of Groups.
	Group string `yaml:"group"`
	// Seen is where such a shape stands in public: an address, or words.
	Seen string `yaml:"seen"`

	Proxy    kind.Name `yaml:"proxy"`
	Release  string    `yaml:"release"`  // empty for stable
	Scenario string    `yaml:"scenario"` // empty for alb-ip-rotate
	// Config is the file or folder, relative to the case's folder.
	Config string `yaml:"config"`
	// Variables are those of make, such as HOST_HEADER. A value that begins with ./ is a
	// file of the case's folder.
	Variables map[string]string `yaml:"variables"`
	// Gate puts it among the few that CI runs for every change.
	Gate bool `yaml:"gate"`

	Expect Expect `yaml:"expect"`
	// Because is why that is right, reasoned out before the first run.
	Because string `yaml:"because"`
}

// Groups are the kinds of configuration.
var Groups = []string{
	"nginx file", "nginx folder", "nginx template",
	"apache fragment", "apache debian tree", "apache rhel tree", "haproxy", "caddy", "another proxy",
}

// CaseFile is the file of a case's folder that says what it is.
const CaseFile = "case.yaml"

// Read reads the cases below a folder, in the order of their names.
func Read(dir string) ([]Case, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("reading the corpus: %w", err)
	}
	var cases []Case
	var errs []error
	for _, entry := range entries {
		c, err := readCase(filepath.Join(dir, entry.Name()))
		cases, errs = append(cases, c), append(errs, err)
	}
	return cases, errors.Join(errs...)
}

func readCase(dir string) (Case, error) {
	c := Case{Name: filepath.Base(dir), Dir: dir, Scenario: scenarios.ALBIPRotate.Name}
	text, err := os.ReadFile(filepath.Join(dir, CaseFile))
	if errors.Is(err, fs.ErrNotExist) {
		return c, fmt.Errorf("%s has no %s: every folder of the corpus is a case", dir, CaseFile)
	}
	if err == nil {
		err = yaml.UnmarshalWithOptions(text, &c, yaml.Strict())
	}
	if err == nil {
		err = c.valid()
	}
	if err != nil {
		return c, fmt.Errorf("%s: %w", filepath.Join(dir, CaseFile), err)
	}
	return c, nil
}

// valid says what is missing or cannot be.
func (c Case) valid() error {
	for field, value := range map[string]string{"shape": c.Shape, "config": c.Config, "because": c.Because, "proxy": string(c.Proxy)} {
		if strings.TrimSpace(value) == "" {
			return fmt.Errorf("%s is empty", field)
		}
	}
	if !slices.Contains(Groups, c.Group) {
		return fmt.Errorf("group %q: want one of %s", c.Group, strings.Join(Groups, ", "))
	}
	if _, err := os.Stat(c.path(c.Config)); err != nil {
		return fmt.Errorf("config: %w", err)
	}
	return c.Expect.valid()
}

// Labels are those of its spec, for a label filter.
func (c Case) Labels() []string {
	labels := []string{c.Name, string(c.Proxy), c.Group}
	if c.Gate {
		labels = append(labels, "gate")
	}
	return slices.Compact(labels)
}

func (c Case) path(name string) string { return filepath.Join(c.Dir, name) }

// common are the variables of make that a case takes from outside.
var common = []string{"KIT", "RUNS", "PARALLEL", "SEED"}

// Request is what `make scenario` would be asked. Its recordings have a folder of their
// own. The error is what make would end with.
func (c Case) Request(lookup func(string) (string, bool)) (scenarios.Request, error) {
	own := map[string]string{"NAME": c.Scenario, "PROXY": string(c.Proxy), "CONFIG": c.path(c.Config), "RELEASE": c.Release}
	for name, value := range c.Variables {
		if file, is := strings.CutPrefix(value, "./"); is {
			value = c.path(file)
		}
		own[name] = value
	}
	r, err := scenarios.FromEnvironment(func(name string) (string, bool) {
		if value, ok := own[name]; ok {
			return value, true
		}
		if slices.Contains(common, name) {
			return lookup(name)
		}
		return "", false
	})
	r.Options.Runs = filepath.Join(cmp.Or(r.Options.Runs, "runs"), "corpus", c.Name)
	return r, err
}

// Expect is what has to come of a case.
type Expect struct {
	// Result is pass, fail or either as in judge.Expectation; unproven; or error: it ends
	// before the load.
	Result string `yaml:"result"`
	// Outcomes, Findings and Log are as in judge.Expectation.
	Outcomes []string `yaml:"outcomes"`
	Findings []string `yaml:"findings"`
	Log      string   `yaml:"log"`
	// Says are words that the error has in it, or the reasons and findings of the verdict,
	// whatever their case.
	Says []string `yaml:"says"`
}

// Error is the Result of a case that ends before the load, with a sentence.
const Error = "error"

func (e Expect) valid() error {
	switch {
	case !slices.Contains([]string{judge.Pass, judge.Fail, judge.Either, judge.Unproven, Error}, e.Result):
		return fmt.Errorf("expect: result %q: want %s, %s, %s, %s or %s", e.Result, judge.Pass, judge.Fail, judge.Either, judge.Unproven, Error)
	case e.Result == judge.Fail && len(e.Findings) == 0:
		return errors.New("expect: a fail has a cause: want findings, and outcomes if requests fail")
	case (e.Result == Error || e.Result == judge.Unproven) && len(e.Says) == 0:
		return fmt.Errorf("expect: %s of any kind proves nothing: want the key words in says", e.Result)
	}
	return nil
}

// String is for the table: "fail 502 timeout resolved-once".
func (e Expect) String() string {
	words := slices.Concat([]string{e.Result}, e.Outcomes, e.Findings)
	for _, word := range e.Says {
		words = append(words, fmt.Sprintf("%q", word))
	}
	return strings.Join(words, " ")
}
