package reports

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/proxychaos/proxychaos/harness/ledger"
	"github.com/proxychaos/proxychaos/harness/recording"
)

// How much of the evidence a page shows. What is left out is said beside it.
const (
	maxEvidence    = 30  // rows of one finding
	maxLogLines    = 60  // of the proxy's log
	logLead        = 8   // of these, how many from before the first fault
	maxLineLength  = 500 // characters of one log line
	maxConfigFiles = 20
	maxConfigBytes = 32 << 10 // of one file
	maxFailedRows  = 15
	maxQueryRows   = 40
	maxProcessRows = 48
)

// evidence is what the page shows of a recording beside the charts. Each Cut
// says in words what was left out, and is empty if nothing was.
type evidence struct {
	Steps      []recording.Step
	Failed     []failedRequest
	FailedCut  string
	Log        []recording.LogLine
	LogCut     string
	Configs    []configText
	ConfigCut  string
	Queries    []recording.Query
	QueriesCut string
	Processes  []processRow
	ProcessCut string
}

type failedRequest struct {
	recording.Request
	Attempts string // what became of it at the nodes
}

type configText struct{ Name, Text, Cut string }

type processRow struct {
	Moment string
	At     recording.Seconds
	recording.Process
}

func newEvidence(rec *recording.Recording) *evidence {
	e := &evidence{Steps: rec.Steps}
	e.Failed, e.FailedCut = first(failedRequests(rec), maxFailedRows)
	e.Log, e.LogCut = logExcerpt(rec)
	e.Configs, e.ConfigCut = configTexts(rec)
	own := slices.DeleteFunc(slices.Clone(rec.Queries), func(q recording.Query) bool { return q.Probe })
	e.Queries, e.QueriesCut = first(own, maxQueryRows)
	var processes []processRow
	for _, s := range rec.Snapshots {
		for _, p := range s.Processes {
			p.Command = shorten(p.Command, 100)
			processes = append(processes, processRow{s.Moment, s.At, p})
		}
	}
	e.Processes, e.ProcessCut = first(processes, maxProcessRows)
	return e
}

// first is at most the first n of all, and what to say if it is less.
func first[T any](all []T, n int) ([]T, string) {
	if len(all) <= n {
		return all, ""
	}
	return all[:n], fmt.Sprintf("first %s of %s", thousands(n), thousands(len(all)))
}

func failedRequests(rec *recording.Recording) []failedRequest {
	byRequest := map[uint64][]string{}
	for _, a := range rec.Attempts {
		if a.Seq != 0 && !a.Probe {
			word := fmt.Sprintf("%s answered %d", a.Node, a.Status)
			if a.Status == 0 {
				word = fmt.Sprintf("%s finished no answer", a.Node)
			}
			byRequest[a.Seq] = append(byRequest[a.Seq], word)
		}
	}
	for _, p := range rec.Packets {
		if p.Seq != 0 && p.Kind == recording.Segment && !p.Retransmit && !p.Probe {
			byRequest[p.Seq] = append(byRequest[p.Seq], fmt.Sprintf("%s got it after its end", p.Node))
		}
	}
	var failed []failedRequest
	for _, r := range rec.Requests {
		if r.Outcome != recording.OK {
			attempts := byRequest[r.Seq]
			failed = append(failed, failedRequest{r, strings.Join(attempts, "; ")})
		}
	}
	return failed
}

// logExcerpt is the part of the log that begins shortly before the first
// fault, where the first error is to be expected.
func logExcerpt(rec *recording.Recording) ([]recording.LogLine, string) {
	all := rec.ProxyLog
	from := 0
	if len(all) > maxLogLines {
		first, _ := ledger.Of(rec).First()
		fault := first.At
		from = slices.IndexFunc(all, func(l recording.LogLine) bool { return l.At >= fault })
		if from < 0 {
			from = len(all)
		}
		from = min(max(0, from-logLead), len(all)-maxLogLines)
	}
	to := min(len(all), from+maxLogLines)
	lines := slices.Clone(all[from:to])
	cut := 0
	for i := range lines {
		if len([]rune(lines[i].Text)) > maxLineLength {
			lines[i].Text = shorten(lines[i].Text, maxLineLength)
			cut++
		}
	}
	var said []string
	if len(lines) < len(all) {
		said = append(said, fmt.Sprintf("lines %s to %s of %s", thousands(from+1), thousands(to), thousands(len(all))))
	}
	if cut > 0 {
		said = append(said, fmt.Sprintf("%s cut at %d characters", count(cut, "line"), maxLineLength))
	}
	return lines, strings.Join(said, "; ")
}

// configTexts reads the configuration that was run. A file that cannot be read
// is shown with the reason in its place.
func configTexts(rec *recording.Recording) ([]configText, string) {
	names, cut := first(rec.Manifest.Config.Files, maxConfigFiles)
	var texts []configText
	for _, name := range names {
		c := configText{Name: name}
		text, err := readConfig(rec.Dir, name)
		if err != nil {
			c.Cut = "not shown: " + err.Error()
		} else if len(text) > maxConfigBytes {
			c.Cut = fmt.Sprintf("first %s of %s", thousands(maxConfigBytes), count(len(text), "byte"))
			text = text[:maxConfigBytes]
		}
		c.Text = strings.ToValidUTF8(string(text), "\uFFFD")
		texts = append(texts, c)
	}
	return texts, cut
}

// readConfig keeps inside the folder, whatever the manifest says.
func readConfig(dir, name string) ([]byte, error) {
	root, err := os.OpenRoot(filepath.Join(dir, recording.ConfigDir))
	if err != nil {
		return nil, err
	}
	defer root.Close()
	return root.ReadFile(filepath.FromSlash(name))
}
