package judge

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/proxychaos/proxychaos/harness/recording"
)

// logPattern is a line that proxies are known to write when an upstream fails.
type logPattern struct{ text, meaning string }

// logPatterns, the more telling first: a line counts for the first it holds.
// The numbers are those of Apache httpd's log messages (seen in 2.4.71).
var logPatterns = []logPattern{
	{"AH00957", "Apache could not connect to a node"},
	{"AH00959", "Apache took the backend out of use for a while"},
	{"AH00940", "Apache held the backend to be out of use"},
	{"AH01114", "Apache could not connect to the backend"},
	{"AH01102", "Apache got no status line from a node"},
	{"AH00898", "Apache could not read a node's answer"},
	{"AH10481", "Apache closed a connection because the address of the name had changed"},
	{"(110)Connection timed out", "a connection of Apache timed out"},
	{"connect() failed (110", "nginx's connection to a node timed out"},
	{"upstream timed out", "nginx waited for a node in vain"},
	{"connect() failed (111", "a node refused nginx's connection"},
	{"no live upstreams", "nginx holds every node to be down"},
	{"could not be resolved", "nginx got no address for the name"},
	{"upstream prematurely closed", "a node closed nginx's connection without an answer"},
}

// errorLevel finds lines at error level and above: "[error]" of nginx,
// "[proxy:error]" of Apache.
var errorLevel = regexp.MustCompile(`\[(?:[a-z0-9_]+:)?(?:error|crit|alert|emerg)\]`)

// logEvidence quotes the proxy's own log from t=0 on: one finding for each
// known line, and one for all other lines at error level.
func (c *brief) logEvidence(*Verdict) []Finding {
	known := make([][]row, len(logPatterns))
	var others []row
	for i, line := range c.ProxyLog {
		if line.At < 0 {
			continue
		}
		switch n := patternOf(line.Text); {
		case n >= 0:
			known[n] = append(known[n], row{recording.ProxyLogFile, i})
		case errorLevel.MatchString(line.Text):
			others = append(others, row{recording.ProxyLogFile, i})
		}
	}
	var findings []Finding
	for n, rows := range known {
		if len(rows) > 0 {
			findings = append(findings, c.logFinding(rows, fmt.Sprintf("%s, %q", logPatterns[n].meaning, logPatterns[n].text)))
		}
	}
	if len(others) > 0 {
		findings = append(findings, c.logFinding(others, "other errors"))
	}
	return findings
}

func (c *brief) logFinding(rows []row, what string) Finding {
	first := c.ProxyLog[rows[0].index]
	return Finding{Code: LogEvidence, Text: fmt.Sprintf("the proxy's log: %s: %s, the first at %s: %s",
		what, count(len(rows), "line", "lines"), at(first.At), first.Text), Evidence: c.quote(rows...)}
}

func patternOf(text string) int {
	for n, pattern := range logPatterns {
		if strings.Contains(text, pattern.text) {
			return n
		}
	}
	return -1
}
