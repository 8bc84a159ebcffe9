package junit_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/onsi/ginkgo/v2/reporters"
	"github.com/onsi/ginkgo/v2/types"
	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
	"github.com/proxychaos/proxychaos/reports"
	"github.com/proxychaos/proxychaos/scenarios/junit"
)

// read writes the file of some cells and reads it again.
func read(t *testing.T, cells []reports.Cell, wrong error) reporters.JUnitTestSuite {
	t.Helper()
	g := NewWithT(t)
	path := filepath.Join(t.TempDir(), "junit.xml")
	g.Expect(junit.File(junit.Of(cells, time.Now()), wrong).Write(path)).To(Succeed())
	text, err := os.ReadFile(path)
	g.Expect(err).NotTo(HaveOccurred())
	var all reporters.JUnitTestSuites
	g.Expect(xml.Unmarshal(text, &all)).To(Succeed())
	g.Expect(all.TestSuites).To(HaveLen(1))
	return all.TestSuites[0]
}

func cell(subject string, c reports.Cell) reports.Cell {
	c.Manifest.Scenario, c.Manifest.Subject.ID = "alb-ip-rotate", subject
	return c
}

// Each cell is a test of the name that Ginkgo gives to its spec, with what is wrong with it.
func TestCells(t *testing.T) {
	g := NewWithT(t)
	began := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	suite := read(t, []reports.Cell{
		cell("nginx/variable", reports.Cell{
			Manifest: recording.Manifest{Began: began, Ended: began.Add(20 * time.Second)},
			Verdict:  judge.Verdict{Result: judge.Pass},
		}),
		cell("nginx/static", reports.Cell{
			Manifest: recording.Manifest{Replay: "proxychaos run x"}, Verdict: judge.Verdict{Result: judge.Fail, Reasons: []string{"600 failed"}},
		}),
		cell("apache/pooled", reports.Cell{NotRun: "no image"}),
	}, nil)
	g.Expect([]int{suite.Tests, suite.Failures, suite.Skipped}).To(Equal([]int{3, 1, 1}))
	g.Expect(suite.TestCases[0].Name).To(Equal("[It] alb-ip-rotate nginx/variable [alb-ip-rotate, addresses, nginx, fix, variable, stable]"))
	g.Expect(suite.TestCases[0].Time).To(BeEquivalentTo(20))
	g.Expect(suite.TestCases[1].Failure.Message).To(And(ContainSubstring("600 failed"), ContainSubstring("again: proxychaos run x")))
	g.Expect(suite.TestCases[2].Skipped.Message).To(ContainSubstring("no image"))
}

// A scenario with the load balancers of another cloud is another test.
func TestACellOfAnotherCloud(t *testing.T) {
	on := cell("nginx/variable", reports.Cell{Verdict: judge.Verdict{Result: judge.Pass}})
	on.Manifest.World.Cloud = "azure"
	suite := read(t, []reports.Cell{on}, nil)
	NewWithT(t).Expect(suite.TestCases[0].Name).To(HavePrefix("[It] alb-ip-rotate (azure) nginx/variable "))
}

// What is wrong with the run as a whole is a failure too.
func TestTooFewCells(t *testing.T) {
	g := NewWithT(t)
	suite := read(t, nil, errors.New("0 cells ran"))
	g.Expect(suite.Failures).To(Equal(1))
	g.Expect(suite.TestCases[0].Name).To(Equal("[ReportAfterSuite] reports"))
	g.Expect(suite.TestCases[0].Failure.Message).To(Equal("0 cells ran"))
}

// element is an element of the schema of the xUnit plugin of Jenkins, junit-10.xsd, which is the one
// that is published and kept: what may stand in it, and what has to.
type element struct{ children, attributes, required []string }

var schema = map[string]element{
	"testsuites": {[]string{"testsuite"}, []string{"name", "time", "tests", "failures", "errors"}, nil},
	"testsuite": {
		[]string{"testsuite", "properties", "testcase", "system-out", "system-err"},
		[]string{"name", "tests", "failures", "errors", "group", "time", "skipped", "timestamp", "hostname", "id", "package", "file", "log", "url"},
		[]string{"name", "tests", "failures", "errors"},
	},
	"properties": {[]string{"property"}, nil, nil},
	"property":   {nil, []string{"name", "value"}, []string{"name", "value"}},
	"testcase": {
		[]string{"skipped", "error", "failure", "rerunFailure", "rerunError", "flakyFailure", "flakyError", "system-out", "system-err"},
		[]string{"name", "time", "classname", "group"},
		[]string{"name"},
	},
	"failure":    {nil, []string{"type", "message"}, nil},
	"error":      {nil, []string{"type", "message"}, nil},
	"skipped":    {nil, []string{"type", "message"}, nil},
	"system-out": {}, "system-err": {},
}

// surefireTime is its type of the time of a suite.
var surefireTime = regexp.MustCompile(`^(([0-9]{0,3},)*[0-9]{3}|[0-9]{0,3})*(\.[0-9]*)?$`)

// The file is valid against the schema.
func TestSchema(t *testing.T) {
	g := NewWithT(t)
	path := filepath.Join(t.TempDir(), "junit.xml")
	report := junit.Of([]reports.Cell{
		cell("nginx/variable", reports.Cell{Verdict: judge.Verdict{Result: judge.Pass}}),
		cell("nginx/static", reports.Cell{Verdict: judge.Verdict{Result: judge.Fail, Reasons: []string{"600 failed\x00 \x1b[31m"}}}),
		cell("apache/pooled", reports.Cell{NotRun: "no image"}),
	}, time.Now())
	report.RunTime, report.SpecReports[0].RunTime = 15*time.Microsecond, 3*time.Microsecond // which Go writes as 1.5e-05
	report.SpecReports[0].ReportEntries = types.ReportEntries{{Name: "cell", Value: types.WrapEntryValue("x")}}
	report.SpecReports[0].CapturedStdOutErr = "said"
	g.Expect(junit.File(report, errors.New("2 cells ran\nnginx is now 2")).Write(path)).To(Succeed())
	text, err := os.ReadFile(path)
	g.Expect(err).NotTo(HaveOccurred())
	seen, in := map[string]int{}, []string{""}
	for decoder := xml.NewDecoder(bytes.NewReader(text)); ; {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		g.Expect(err).NotTo(HaveOccurred(), string(text))
		switch x := token.(type) {
		case xml.EndElement:
			in = in[:len(in)-1]
		case xml.StartElement:
			name, parent := x.Name.Local, in[len(in)-1]
			seen[name]++
			in = append(in, name)
			if parent == "" {
				g.Expect(name).To(BeElementOf("testsuites", "testsuite"))
			} else {
				g.Expect(schema[parent].children).To(ContainElement(name), "in "+parent)
			}
			var has []string
			for _, a := range x.Attr {
				has = append(has, a.Name.Local)
				if a.Name.Local == "time" {
					g.Expect(a.Value).To(MatchRegexp(surefireTime.String()), name)
				}
			}
			if len(has) > 0 {
				g.Expect(schema[name].attributes).To(ContainElements(has), "attributes of "+name)
			}
			if required := schema[name].required; len(required) > 0 {
				g.Expect(has).To(ContainElements(required), name)
			}
		}
	}
	g.Expect([]int{seen["testcase"], seen["failure"], seen["skipped"]}).To(Equal([]int{4, 2, 1}))
}
