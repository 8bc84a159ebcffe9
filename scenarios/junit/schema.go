package junit

import (
	"encoding/xml"
	"os"
	"strconv"

	"github.com/onsi/ginkgo/v2/reporters"
)

// The elements that Ginkgo writes, without what the schema of Jenkins' xUnit plugin
// (junit-10.xsd) does not know: a reader that validates a file with it refuses the whole.
type (
	suites struct {
		XMLName  xml.Name `xml:"testsuites"`
		Tests    int      `xml:"tests,attr"`
		Errors   int      `xml:"errors,attr"`
		Failures int      `xml:"failures,attr"`
		Time     seconds  `xml:"time,attr"`
		Suites   []suite  `xml:"testsuite"`
	}
	suite struct {
		Name       string                    `xml:"name,attr"`
		Package    string                    `xml:"package,attr"`
		Tests      int                       `xml:"tests,attr"`
		Skipped    int                       `xml:"skipped,attr"`
		Errors     int                       `xml:"errors,attr"`
		Failures   int                       `xml:"failures,attr"`
		Time       seconds                   `xml:"time,attr"`
		Timestamp  string                    `xml:"timestamp,attr"`
		Properties reporters.JUnitProperties `xml:"properties"`
		Cases      []testCase                `xml:"testcase"`
	}
	testCase struct {
		Name      string                  `xml:"name,attr"`
		Classname string                  `xml:"classname,attr"`
		Time      seconds                 `xml:"time,attr"`
		Skipped   *reporters.JUnitSkipped `xml:"skipped,omitempty"`
		Error     *reporters.JUnitError   `xml:"error,omitempty"`
		Failure   *reporters.JUnitFailure `xml:"failure,omitempty"`
		SystemOut string                  `xml:"system-out,omitempty"`
		SystemErr string                  `xml:"system-err,omitempty"`
	}
)

// seconds are written with a point, never with an exponent.
type seconds float64

// MarshalXMLAttr implements xml.MarshalerAttr.
func (s seconds) MarshalXMLAttr(name xml.Name) (xml.Attr, error) {
	return xml.Attr{Name: name, Value: strconv.FormatFloat(float64(s), 'f', 3, 64)}, nil
}

// conform writes a file of Ginkgo's again, valid against the schema.
func conform(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var all reporters.JUnitTestSuites
	if err := xml.Unmarshal(text, &all); err != nil {
		return err
	}
	valid := suites{Tests: all.Tests, Errors: all.Errors, Failures: all.Failures, Time: seconds(all.Time)}
	for _, s := range all.TestSuites {
		v := suite{
			Name: s.Name, Package: s.Package, Tests: s.Tests, Skipped: s.Skipped, Errors: s.Errors, Failures: s.Failures,
			Time: seconds(s.Time), Timestamp: s.Timestamp, Properties: s.Properties,
		}
		for _, c := range s.TestCases {
			v.Cases = append(v.Cases, testCase{
				Name: c.Name, Classname: c.Classname, Time: seconds(c.Time), Skipped: c.Skipped, Error: c.Error, Failure: c.Failure,
				SystemOut: c.SystemOut, SystemErr: c.SystemErr,
			})
		}
		valid.Suites = append(valid.Suites, v)
	}
	if text, err = xml.MarshalIndent(valid, "", "  "); err != nil {
		return err
	}
	return os.WriteFile(path, append([]byte(xml.Header), text...), 0o600)
}
