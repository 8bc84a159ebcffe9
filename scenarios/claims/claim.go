// Package claims holds what widely read articles claim of proxies and load balancers, each
// as an experiment that a run decides. A claim is one file in list; docs/adding-a-claim.md
// has its fields. The verdict is made of what was measured, and never typed in.
package claims

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/kind"
	"github.com/proxychaos/proxychaos/harness/meant"
	"github.com/proxychaos/proxychaos/scenarios"
)

//go:embed list
var list embed.FS

// Claim is what an article says of a proxy or a load balancer, and how that is decided.
type Claim struct {
	ID      string `yaml:"-"` // of its file: the article, then words
	Article string `yaml:"article"`
	// Says is the claim, in our words.
	Says string `yaml:"says"`
	// Needs says why the claim is not tried. It then has no experiments.
	Needs string `yaml:"needs"`
	// Releases are those on which all experiments are run; the kind's usual one if there
	// are none. Other versions are measured with an image of one's own, such as
	// HTTPD_IMAGE.
	Releases []string `yaml:"releases"`
	// Runs are the experiments, by the names that conditions know them by.
	Runs map[string]Experiment `yaml:"runs"`
	// Beside are experiments that stand beside those and decide nothing, such as the same
	// on the production clock. They are run on the kind's usual release alone.
	Beside map[string]Experiment `yaml:"beside"`

	// Holds is what has to be true of a version for the claim to hold there. If it is
	// not, and Narrower is, the claim is true of less than it says.
	Holds    Condition `yaml:"holds"`
	Narrower Condition `yaml:"narrower"`
	// Otherwise is said if neither is true.
	Otherwise string `yaml:"otherwise"`
}

// Experiment is a scenario on a configuration.
type Experiment struct {
	Scenario string `yaml:"scenario" json:"scenario"` // alb-ip-rotate if it is empty
	// Timeline is what happens in the scenario's world, with its load, in place of its own
	// timeline. It has the form that a run's manifest has.
	Timeline []harness.Step `yaml:"timeline" json:"timeline,omitempty"`
	// Subject is one of the catalogue, without a release. Without it, Proxy and Config are
	// a configuration of the claim's own: the names and contents of its files.
	Subject string            `yaml:"subject" json:"subject,omitempty"`
	Proxy   kind.Name         `yaml:"proxy" json:"proxy,omitempty"`
	Config  map[string]string `yaml:"config" json:"config,omitempty"`
	// Refused says that the claim is about a configuration that does not start, so that a
	// refusal to start is no verdict on the claim.
	Refused bool `yaml:"refused" json:"-"`
	// Variables are those of make, such as URL_PATH.
	Variables map[string]string `yaml:"variables" json:"variables,omitempty"`
}

// All are the claims, in the order of the articles and then of their names.
func All() ([]Claim, error) { return read(list) }

func read(files fs.FS) ([]Claim, error) {
	names, err := fs.Glob(files, "list/*.yaml")
	if err != nil {
		return nil, err
	}
	var all []Claim
	var errs []error
	for _, name := range names {
		c, err := readClaim(files, name)
		if err != nil {
			errs = append(errs, fmt.Errorf("scenarios/claims/%s: %w", name, err))
		}
		all = append(all, c)
	}
	return all, errors.Join(errs...)
}

func readClaim(files fs.FS, name string) (Claim, error) {
	c := Claim{ID: strings.TrimSuffix(path.Base(name), ".yaml")}
	text, err := fs.ReadFile(files, name)
	if err != nil {
		return c, err
	}
	if err := yaml.UnmarshalWithOptions(text, &c, yaml.Strict(), yaml.UseJSONUnmarshaler()); err != nil {
		return c, err
	}
	c.Says, c.Otherwise, c.Needs = oneLine(c.Says), oneLine(c.Otherwise), oneLine(c.Needs)
	c.Holds.Says, c.Narrower.Says = oneLine(c.Holds.Says), oneLine(c.Narrower.Says)
	for _, runs := range []map[string]Experiment{c.Runs, c.Beside} {
		for name, e := range runs {
			if e.Scenario == "" {
				e.Scenario = scenarios.ALBIPRotate.Name
			}
			if e.Subject != "" {
				before, _, _ := strings.Cut(e.Subject, "/")
				e.Proxy = kind.Name(before)
			}
			runs[name] = e
		}
	}
	if err := c.valid(); err != nil {
		return c, err
	}
	return c, c.compile()
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// valid says what is missing or cannot be.
func (c Claim) valid() error {
	switch {
	case !slices.ContainsFunc(Articles, func(a Article) bool { return a.ID == c.Article }):
		return fmt.Errorf("article %q: there is no such article in articles.go", c.Article)
	case !named.MatchString(c.ID) || !strings.HasPrefix(c.ID, c.Article+"-"):
		return fmt.Errorf("the file is called %q: want %s-, then small letters, digits and hyphens", c.ID, c.Article)
	case c.Says == "":
		return errors.New("says is empty: want the claim in a sentence")
	case c.Needs != "" && len(c.Runs)+len(c.Beside) > 0:
		return errors.New("got needs and experiments: a claim that is not tried has none")
	case c.Needs != "":
		return nil
	case len(c.Runs) == 0:
		return errors.New("got no runs: want an experiment, or needs, which says why there is none")
	case c.Holds.If == "":
		return errors.New("holds.if is empty: want the condition under which the claim holds")
	case c.Narrower.If != "" && c.Narrower.Says == "":
		return errors.New("narrower.says is empty: want how much of the claim is true")
	}
	var proxy kind.Name
	for _, runs := range []map[string]Experiment{c.Runs, c.Beside} {
		for _, name := range slices.Sorted(maps.Keys(runs)) {
			e := runs[name]
			if err := e.valid(); err != nil {
				return fmt.Errorf("run %s: %w", name, err)
			}
			if proxy != "" && e.Proxy != proxy {
				return fmt.Errorf("run %s is about %s, another about %s: a claim is about one kind of proxy", name, e.Proxy, proxy)
			}
			proxy = e.Proxy
		}
	}
	return nil
}

var named = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)+$`)

func (e Experiment) valid() error {
	switch {
	case e.Subject != "" && len(e.Config) > 0:
		return errors.New("got a subject and a config: want one of them")
	case e.Subject == "" && (e.Proxy == "" || len(e.Config) == 0):
		return errors.New("got neither a subject of the catalogue nor a proxy with its config")
	}
	return nil
}

// Named is the claim of that ID. The error says which there are.
func Named(all []Claim, id string) (Claim, error) {
	var ids []string
	for _, c := range all {
		if c.ID == id {
			return c, nil
		}
		ids = append(ids, c.ID)
	}
	return Claim{}, fmt.Errorf("there is no claim %q%s", id, meant.Hint(id, ids))
}

// releases are those on which the claim's experiments are run.
func (c Claim) releases() []string {
	if len(c.Releases) > 0 {
		return c.Releases
	}
	return []string{c.usual()}
}
