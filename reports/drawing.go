package reports

import (
	"html/template"
	"strings"

	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
)

// Drawing is what the page shows of one recording. It is much smaller than the recording,
// which need not be kept.
type Drawing struct {
	Plots     template.HTML // packed
	Rows      template.HTML // packed
	Upstreams []string      // the titles of the plots of nodes
	Kinds     []string      // the outcomes that occur in it
	Steps     []stepWindow  // what its plots shade and mark
	Ends      []recording.Seconds
	Marks     []legendMark // the other marks of its plots
	Bin       string
	Files     []rowFile
	Proofs    []recording.Step
	Configs   []configText
	ConfigCut string

	end recording.Seconds // of the time axis of its plots
}

// rowFile is a file of the recording whose rows the page has.
type rowFile struct {
	File, Title, Size string
}

// Draw makes the drawing of a recording, whose requests have the outcomes of judge.Outcomes
// and whose verdict has these findings.
func Draw(rec *recording.Recording, findings []judge.Finding) (*Drawing, error) {
	s := newSeries(rec)
	drawn := s.plots()
	d := &Drawing{Kinds: s.kinds(), Steps: s.windows, Marks: drawn.marks(), Ends: drawn.Ends, Bin: binName(s.bin), Proofs: rec.Steps, end: s.end}
	for _, u := range drawn.Upstreams {
		d.Upstreams = append(d.Upstreams, strings.TrimSuffix("Nodes: "+u.Name, ": "))
	}
	var err error
	if d.Plots, err = pack(drawn); err != nil {
		return nil, err
	}
	tables := rowTables(rec, findings)
	for _, t := range tables {
		size := thousands(t.Of)
		if t.Which != "" {
			size = thousands(len(t.Lines)) + " of " + thousands(t.Of) + ": " + t.Which
		}
		d.Files = append(d.Files, rowFile{t.File, t.Title, size})
	}
	if d.Rows, err = pack(tables); err != nil {
		return nil, err
	}
	d.Configs, d.ConfigCut = configTexts(rec)
	return d, nil
}

// drawStored makes the drawing of a cell from its folder.
func drawStored(c Cell) (*Drawing, error) {
	rec, err := recording.Open(c.Dir)
	if err != nil {
		return nil, err
	}
	rec.Requests = judge.Outcomes(rec)
	return Draw(rec, c.Verdict.Findings)
}
