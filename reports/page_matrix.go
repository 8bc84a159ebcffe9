package reports

import (
	"fmt"
	"slices"

	"github.com/proxychaos/proxychaos/harness/judge"
)

// matrix is the overview of a page of several scenarios: a row for each
// subject, a column for each scenario.
type matrix struct {
	Scenarios []string
	Rows      []matrixRow
}

type matrixRow struct {
	Subject, Role, Kind string
	Places              []matrixPlace
}

// matrixPlace is one cell; one without a State was not part of the suite.
type matrixPlace struct {
	Scenario string
	Anchor   string // empty if there is no article
	Text     string
	State    State
	Title    string
}

// newMatrix numbers the anchors as newPageView does. A subject that ran a
// scenario several times shows the first run that was not as expected.
func newMatrix(cells []Cell) matrix {
	m := matrix{Scenarios: scenarios(cells)}
	for i, c := range cells {
		subject := c.Manifest.Subject
		at := slices.IndexFunc(m.Rows, func(r matrixRow) bool { return r.Subject == subject.ID })
		if at < 0 {
			at = len(m.Rows)
			m.Rows = append(m.Rows, matrixRow{subject.ID, subject.Role, subject.Kind, make([]matrixPlace, len(m.Scenarios))})
		}
		place := &m.Rows[at].Places[slices.Index(m.Scenarios, c.scenario())]
		if place.State == "" || place.State == Expected {
			*place = newMatrixPlace(c, i)
		}
	}
	return m
}

func newMatrixPlace(c Cell, i int) matrixPlace {
	if c.NotRun != "" {
		return matrixPlace{Scenario: c.scenario(), Text: "not run", State: NotRun, Title: c.NotRun}
	}
	p := matrixPlace{Scenario: c.scenario(), Anchor: anchorOf(i), State: c.State(), Title: c.Phrase()}
	switch c.Verdict.Result {
	case judge.Pass:
		p.Text = "held"
	case judge.Fail:
		p.Text = fmt.Sprintf("broke, %s failed", thousands(c.Verdict.Failed))
	default:
		p.Text = "unproven"
	}
	return p
}

// anchorOf is the id of the article of the i-th cell of a page.
func anchorOf(i int) string { return fmt.Sprintf("c%d", i+1) }
