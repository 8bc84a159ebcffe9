package baseline

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
	"github.com/proxychaos/proxychaos/reports/compare"
)

// Schema is the version of the file.
const Schema = 1

// MostNights is how many nights are remembered: of more, the last ones.
const MostNights = 30

// Baseline is what is remembered.
type Baseline struct {
	Schema int     `json:"schema"`
	Nights []Night `json:"nights"` // the oldest first
	Cells  []Cell  `json:"cells"`  // in the order of their names
}

// Night is one of the runs from which a baseline was made.
type Night struct {
	Began  time.Time `json:"began"`
	Commit string    `json:"commit"`
	Seed   uint64    `json:"seed"`
	Cells  int       `json:"cells"` // that proved something
}

// Cell is one scenario on one subject, in all nights in which it proved something.
type Cell struct {
	Scenario string         `json:"scenario"`
	Subject  string         `json:"subject"`
	Role     string         `json:"role"`
	Version  string         `json:"version"`          // of the proxy, in the last night
	Digest   string         `json:"digest,omitempty"` // of its image
	Verdicts map[string]int `json:"verdicts"`         // how often it passed and failed
	// Figures are the values of each night, by the name of the measure.
	Figures map[string][]float64 `json:"figures"`
}

// Ran is a cell of one night.
type Ran struct {
	compare.Run
	Role   string
	Digest string
	Began  time.Time
	// Either says that the catalogue expects one verdict as well as the other.
	Either bool
	// NotRun says why the cell was not run; of such a cell only the names are filled in.
	NotRun string
}

// name tells a cell from all others.
type name struct{ scenario, subject string }

func (c Cell) name() name { return name{c.Scenario, c.Subject} }
func (r Ran) name() name  { return name{r.Scenario, r.Subject} }

// Measures are those whose figures are remembered.
func Measures() []compare.Measure {
	return slices.DeleteFunc(slices.Clone(compare.Measures), func(m compare.Measure) bool { return m.Concern == compare.Waited })
}

// Make makes a baseline of nights, the oldest first.
func Make(nights ...[]Ran) (Baseline, error) {
	b := Baseline{Schema: Schema, Nights: []Night{}, Cells: []Cell{}}
	if len(nights) > MostNights {
		nights = nights[len(nights)-MostNights:]
	}
	at := map[name]int{}
	for _, night := range nights {
		var n Night
		for _, ran := range night {
			if ran.NotRun != "" || ran.Result != judge.Pass && ran.Result != judge.Fail {
				continue // it says nothing of the proxy
			}
			if n.Cells++; n.Cells == 1 || ran.Began.Before(n.Began) {
				n.Began = ran.Began.UTC().Truncate(time.Second)
			}
			n.Commit, n.Seed = ran.Commit, ran.Seed
			if _, known := at[ran.name()]; !known {
				at[ran.name()] = len(b.Cells)
				b.Cells = append(b.Cells, Cell{Scenario: ran.Scenario, Subject: ran.Subject, Verdicts: map[string]int{}, Figures: map[string][]float64{}})
			}
			b.Cells[at[ran.name()]].add(ran)
		}
		if n.Cells == 0 {
			return b, errors.New("a night in which no cell proved anything is no baseline")
		}
		b.Nights = append(b.Nights, n)
	}
	slices.SortFunc(b.Cells, func(x, y Cell) int {
		return cmp.Or(cmp.Compare(x.Scenario, y.Scenario), cmp.Compare(x.Subject, y.Subject))
	})
	return b, nil
}

func (c *Cell) add(ran Ran) {
	c.Role, c.Version, c.Digest = ran.Role, ran.Version, ran.Digest
	c.Verdicts[ran.Result]++
	for _, m := range Measures() {
		if x, ok := m.Of(ran.Run); ok {
			c.Figures[m.Name] = append(c.Figures[m.Name], rounded(x))
		}
	}
}

// Read reads a file.
func Read(path string) (Baseline, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return Baseline{}, err
	}
	b, err := Parse(text)
	if err != nil {
		return b, fmt.Errorf("%s: %w", path, err)
	}
	return b, nil
}

// Parse reads the text of a file.
func Parse(text []byte) (Baseline, error) {
	var b Baseline
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&b); err != nil {
		return b, fmt.Errorf("this is no baseline, or half of one: %w; make it again with make baseline", err)
	}
	if b.Schema != Schema {
		return b, fmt.Errorf("got a baseline of schema %d, want %d: make it again with make baseline", b.Schema, Schema)
	}
	return b, nil
}

// Text is the file: a line for each night and each cell, so that a difference between two
// can be read.
func (b Baseline) Text() ([]byte, error) {
	var text bytes.Buffer
	fmt.Fprintf(&text, "{\"schema\": %d,\n\"nights\": [", b.Schema)
	if err := lines(&text, b.Nights); err != nil {
		return nil, err
	}
	text.WriteString("],\n\"cells\": [")
	if err := lines(&text, b.Cells); err != nil {
		return nil, err
	}
	text.WriteString("]}\n")
	return text.Bytes(), nil
}

// Write writes the file, or replaces it in one step: whatever happens, what was there before
// or the whole of the new one is there.
func (b Baseline) Write(path string) error {
	text, err := b.Text()
	if err != nil {
		return err
	}
	return recording.Replace(path, text)
}

func lines[T any](text *bytes.Buffer, of []T) error {
	for i, one := range of {
		line, err := json.Marshal(one)
		if err != nil {
			return err
		}
		if i > 0 {
			text.WriteByte(',')
		}
		text.WriteByte('\n')
		text.Write(line)
	}
	return nil
}
