package claims

import "fmt"

// Change is a claim whose verdict differs between two files of results.
type Change struct{ ID, Was, Is string }

func (c Change) String() string { return fmt.Sprintf("%s: %s, was: %s", c.ID, c.Is, c.Was) }

// Contradicts says whether both are verdicts of runs.
func (c Change) Contradicts() bool { return c.Was != NotTried && c.Is != NotTried }

// Changes are the claims whose verdicts differ, in their order.
func Changes(all []Claim, before, after Results) ([]Change, error) {
	var changes []Change
	for _, c := range all {
		was, err := c.Decide(before)
		if err != nil {
			return nil, err
		}
		is, err := c.Decide(after)
		if err != nil {
			return nil, err
		}
		if was.Word != is.Word {
			changes = append(changes, Change{c.ID, was.Word, is.Word})
		}
	}
	return changes, nil
}
