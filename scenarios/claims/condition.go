package claims

import (
	"fmt"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/vm"
)

// Condition is something that can be true of what was measured, and what is said then.
type Condition struct {
	// If is an expression of github.com/expr-lang/expr. It knows each of the claim's runs by
	// its name, and of a run the fields of Figures.
	If   string `yaml:"if"`
	Says string `yaml:"says"`

	program *vm.Program
}

// compile checks the conditions against the names of the claim's runs and the figures of a
// run, so that a word that is not one is an error before anything is run.
func (c *Claim) compile() error {
	known := map[string]any{}
	for name := range c.Runs {
		known[name] = Figures{}
	}
	for name, condition := range map[string]*Condition{"holds": &c.Holds, "narrower": &c.Narrower} {
		if condition.If == "" {
			continue
		}
		var err error
		if condition.program, err = expr.Compile(condition.If, expr.Env(known), expr.AsBool()); err != nil {
			return fmt.Errorf("%s.if: %w", name, err)
		}
	}
	return nil
}

// met says whether the condition is true of the figures of one version. One that is empty
// is not.
func (c Condition) met(measured map[string]Figures) (bool, error) {
	if c.program == nil {
		return false, nil
	}
	known := map[string]any{}
	for name, f := range measured {
		known[name] = f
	}
	came, err := expr.Run(c.program, known)
	if err != nil {
		return false, err
	}
	is, _ := came.(bool) // AsBool saw to it
	return is, nil
}
