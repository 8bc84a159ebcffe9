package reports

import (
	"encoding/xml"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/proxychaos/proxychaos/harness/recording"
)

// The elements of a JUnit report as Jenkins, GitLab and the GitHub actions
// read it. There is no one standard; these are the parts that all share. Times
// are seconds.
type (
	junitReport struct {
		XMLName  xml.Name `xml:"testsuites"`
		Name     string   `xml:"name,attr"`
		Tests    int      `xml:"tests,attr"`
		Failures int      `xml:"failures,attr"`
		Errors   int      `xml:"errors,attr"`
		Skipped  int      `xml:"skipped,attr"`
		Time     string   `xml:"time,attr"`
		Suites   []junitSuite
	}
	junitSuite struct {
		XMLName    xml.Name        `xml:"testsuite"`
		Name       string          `xml:"name,attr"`
		Tests      int             `xml:"tests,attr"`
		Failures   int             `xml:"failures,attr"`
		Errors     int             `xml:"errors,attr"`
		Skipped    int             `xml:"skipped,attr"`
		Time       string          `xml:"time,attr"`
		Timestamp  string          `xml:"timestamp,attr,omitempty"`
		Properties []junitProperty `xml:"properties>property"`
		Cases      []junitCase
	}
	junitCase struct {
		XMLName    xml.Name        `xml:"testcase"`
		Name       string          `xml:"name,attr"`
		Class      string          `xml:"classname,attr"`
		Time       string          `xml:"time,attr"`
		Properties []junitProperty `xml:"properties>property,omitempty"`
		Skipped    *junitMessage   `xml:"skipped"`
		Failure    *junitMessage   `xml:"failure"`
		Error      *junitMessage   `xml:"error"`
		Out        string          `xml:"system-out,omitempty"`
	}
	junitProperty struct {
		Name  string `xml:"name,attr"`
		Value string `xml:"value,attr"`
	}
	junitMessage struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr,omitempty"`
		Text    string `xml:",chardata"`
	}
)

// JUnit writes one test suite a scenario and one test case a cell. A cell that
// is not as expected is a failure, an unproven one an error, one that was not
// run is skipped with its reason. The time of a suite is its wall clock: cells
// run in parallel.
func JUnit(w io.Writer, cells []Cell) error {
	report := junitReport{Name: "proxychaos", Time: secondsOf(wallClock(cells))}
	for _, name := range scenarios(cells) {
		suite := newJUnitSuite(name, ofScenario(cells, name))
		report.Tests += suite.Tests
		report.Failures += suite.Failures
		report.Errors += suite.Errors
		report.Skipped += suite.Skipped
		report.Suites = append(report.Suites, suite)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	encoder := xml.NewEncoder(w)
	encoder.Indent("", "  ")
	if err := encoder.Encode(report); err != nil {
		return fmt.Errorf("write the JUnit report: %w", err)
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func newJUnitSuite(name string, cells []Cell) junitSuite {
	suite := junitSuite{Name: name, Tests: len(cells), Time: secondsOf(wallClock(cells))}
	for _, c := range cells {
		test := newJUnitCase(c)
		switch {
		case test.Skipped != nil:
			suite.Skipped++
		case test.Error != nil:
			suite.Errors++
		case test.Failure != nil:
			suite.Failures++
		}
		if !c.Manifest.Began.IsZero() && suite.Timestamp == "" {
			suite.Timestamp = c.Manifest.Began.UTC().Format("2006-01-02T15:04:05")
			suite.Properties = suiteProperties(c.Manifest)
		}
		suite.Cases = append(suite.Cases, test)
	}
	return suite
}

func suiteProperties(m recording.Manifest) []junitProperty {
	return []junitProperty{
		{"proxychaos.commit", commit(m.Tool)},
		{"go.version", m.Tool.Go},
		{"testbed", m.Testbed},
		{"machine", machine(m.Host)},
	}
}

func newJUnitCase(c Cell) junitCase {
	m := c.Manifest
	test := junitCase{Name: m.Subject.ID, Class: m.Scenario, Time: secondsOf(elapsed(m))}
	state := c.State()
	if state == NotRun {
		test.Skipped = &junitMessage{Message: c.NotRun}
		return test
	}
	test.Properties = []junitProperty{
		{"seed", strconv.FormatUint(m.Plan.Seed, 10)},
		{"proxy.version", m.Image.Version},
		{"image", m.Image.Ref},
		{"image.digest", m.Image.Digest},
		{"config.sha256", m.Config.SHA256},
		{"recording", c.Dir},
	}
	lines := append(c.Reasons(), c.findingLines()...)
	if m.Replay != "" {
		lines = append(lines, "run it again: "+m.Replay)
	}
	message := &junitMessage{Message: c.Phrase(), Type: string(state), Text: strings.Join(lines, "\n")}
	if reasons := c.Reasons(); len(reasons) > 0 {
		message.Message += ": " + reasons[0]
	}
	switch state {
	case Unexpected:
		test.Failure = message
	case Unproven:
		test.Error = message
	case Expected, NotRun:
		test.Out = strings.Join(append([]string{c.Phrase() + ": " + failedInWords(c)}, c.findingLines()...), "\n")
	}
	return test
}

func (c Cell) findingLines() []string {
	var lines []string
	for _, f := range c.Verdict.Findings {
		lines = append(lines, f.Code+": "+f.Text)
	}
	return lines
}

func secondsOf(d time.Duration) string {
	return strconv.FormatFloat(d.Seconds(), 'f', 3, 64)
}
