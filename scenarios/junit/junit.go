// Package junit writes the JUnit file of a run, with Ginkgo's own reporter. It is apart
// from package scenarios so that who imports the catalogue does not link that.
package junit

import (
	"time"

	"github.com/onsi/ginkgo/v2/reporters"
	"github.com/onsi/ginkgo/v2/types"

	"github.com/proxychaos/proxychaos/harness/recording"
	"github.com/proxychaos/proxychaos/reports"
	"github.com/proxychaos/proxychaos/scenarios"
)

// File is the JUnit file of a report of Ginkgo's. Wrong is what is wrong with the run as
// a whole, such as too few cells; nil if nothing is.
func File(report types.Report, wrong error) scenarios.File {
	return scenarios.File{Name: "junit.xml", Write: func(path string) error {
		if wrong != nil {
			report.SpecReports = append(report.SpecReports[:len(report.SpecReports):len(report.SpecReports)], types.SpecReport{
				LeafNodeType: types.NodeTypeReportAfterSuite, LeafNodeText: "reports",
				State: types.SpecStateFailed, Failure: types.Failure{Message: wrong.Error()},
			})
			report.SuiteSucceeded = false
		}
		if err := reporters.GenerateJUnitReport(report, path); err != nil {
			return err
		}
		return conform(path)
	}}
}

// Of is the report that Ginkgo would make of these cells: the same names, so that both
// have one history.
func Of(cells []reports.Cell, began time.Time) types.Report {
	report := types.Report{
		SuiteDescription: "proxychaos scenarios", SuiteSucceeded: !reports.Count(cells).Red(),
		StartTime: began, EndTime: time.Now(), RunTime: time.Since(began),
	}
	for _, c := range cells {
		report.SpecReports = append(report.SpecReports, spec(c))
	}
	return report
}

func spec(c reports.Cell) types.SpecReport {
	m := c.Manifest
	s := types.SpecReport{
		ContainerHierarchyTexts: []string{m.World.Titled(m.Scenario)}, LeafNodeText: m.Subject.ID, LeafNodeType: types.NodeTypeIt,
		State: types.SpecStatePassed, StartTime: m.Began, EndTime: m.Ended,
	}
	if !m.Ended.IsZero() { // it was run
		s.RunTime = m.Ended.Sub(m.Began)
	}
	s.ContainerHierarchyLabels, s.LeafNodeLabels = labels(m)
	switch c.State() {
	case reports.NotRun:
		s.State, s.Failure.Message = types.SpecStateSkipped, c.NotRun
	case reports.Unexpected, reports.Unproven:
		s.State, s.Failure.Message = types.SpecStateFailed, scenarios.Complaint(c)
	case reports.Expected:
	}
	return s
}

// labels are those that the suite gives to the container of a scenario and to the spec of
// a subject; none to a config of one's own.
func labels(m recording.Manifest) (container [][]string, leaf []string) {
	if s, err := scenarios.Named(m.Scenario); err == nil {
		container = [][]string{scenarios.Labels(s)}
	}
	for _, s := range scenarios.Subjects() {
		if s.ID() == m.Subject.ID {
			leaf = scenarios.SubjectLabels(s)
		}
	}
	return container, leaf
}
