package scenarios

import (
	"fmt"

	"github.com/proxychaos/proxychaos/reports"
	"github.com/proxychaos/proxychaos/reports/baseline"
)

// BuiltIn is what BASELINE says for the baseline of this build.
const BuiltIn = "built-in"

func readBaseline(said string) (*baseline.Baseline, error) {
	var b baseline.Baseline
	var err error
	switch said {
	case "":
		return nil, nil //nolint:nilnil // a run need not be compared with any
	case BuiltIn:
		b, err = baseline.Parse(reports.BuiltIn)
	default:
		b, err = baseline.Read(said)
	}
	if err != nil {
		return nil, fmt.Errorf("BASELINE=%s: %w", said, err)
	}
	return &b, nil
}

// Suite is what is to be said of the cells of a run together.
func (r Request) Suite(cells []reports.Cell) reports.Suite {
	s := reports.Suite{Cells: cells}
	if ran := reports.Count(cells).Run; ran < r.Floor {
		s.TooFew = fmt.Errorf("%d cells ran: fewer than FLOOR=%d are red", ran, r.Floor)
	}
	if r.Baseline != nil {
		difference := r.Baseline.Check(reports.Ran(cells), r.place())
		s.Against = &difference
	}
	return s
}

// place says of a cell of an earlier night where it stands in this run. Of a subject without
// a name it says where the scenario does.
func (r Request) place() func(scenario, subject string) baseline.Place {
	type cell struct{ scenario, subject string }
	at, subjects := map[cell]baseline.Place{}, Subjects()
	for _, s := range All {
		at[cell{s.Name, ""}] = baseline.NotAsked
		for _, subject := range subjects {
			if s.Suits(subject) {
				at[cell{s.Name, subject.ID()}] = baseline.NotAsked
			}
		}
	}
	for _, s := range r.Scenarios {
		for _, c := range r.Cells(s) {
			at[cell{s.Name, c.Subject.ID()}] = baseline.Asked
		}
	}
	return func(scenario, subject string) baseline.Place {
		if place, known := at[cell{scenario, subject}]; known {
			return place
		}
		return baseline.Nowhere
	}
}
