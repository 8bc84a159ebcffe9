package reports

import (
	"fmt"
	"math"
	"regexp"
	"strconv"

	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
)

// rowTable is the rows of one file of a recording, in a form that packs well. The script of
// the page shows them some at a time.
type rowTable struct {
	File    string      `json:"file"`
	Title   string      `json:"title"`
	Of      int         `json:"of"`            // how many rows the file has
	Which   string      `json:"which"`         // are shown, in words; empty for all
	Lines   []int       `json:"lines"`         // of the rows: each the difference from the one before
	Columns []rowColumn `json:"columns"`       // the same length each
	At      int         `json:"at"`            // the column of when
	Kind    int         `json:"kind,omitzero"` // the column of the outcome; 0 for none
}

// rowColumn is of numbers or of words.
type rowColumn struct {
	Name  string `json:"name"`
	Unit  string `json:"unit,omitempty"`  // s or ms: the numbers are tenths of a millisecond
	Steps []int  `json:"steps,omitempty"` // numbers: each the difference from the one before
	// Words are the different ones, and Index says which each row has. Classes are those of
	// the words in the style sheet, if they have any.
	Words   []string `json:"words,omitempty"`
	Classes []string `json:"classes,omitempty"`
	Index   []int    `json:"index,omitempty"`

	last  int
	known map[string]int
}

func numbers(name string) rowColumn              { return rowColumn{Name: name} }
func times(name string) rowColumn                { return rowColumn{Name: name, Unit: "s"} }
func latencies(name string) rowColumn            { return rowColumn{Name: name, Unit: "ms"} }
func words(name string) rowColumn                { return rowColumn{Name: name, known: map[string]int{}} }
func tenths(s recording.Seconds) int             { return int(math.Round(float64(s) * 1e4)) }
func newRowTable(file, title string) *rowTable   { return &rowTable{File: file, Title: title} }
func (c *rowColumn) number(n int)                { c.Steps, c.last = append(c.Steps, n-c.last), n }
func (c *rowColumn) seconds(s recording.Seconds) { c.number(tenths(s)) }

func (c *rowColumn) word(s string) {
	i, known := c.known[s]
	if !known {
		i = len(c.Words)
		c.known[s] = i
		c.Words = append(c.Words, s)
	}
	c.Index = append(c.Index, i)
}

// Of a file that has more rows than allRows the page has those that tell something, as many
// as maxTelling but for failed requests, of which it has all; those that a finding quotes;
// and about someRows others.
const (
	allRows    = 20_000
	maxTelling = 20_000
	someRows   = 8_000
)

// choice is which rows of a file the page has.
type choice struct {
	indexes []int
	which   string // in words; empty for all
}

// choose takes the rows that tell something, as the words for them say.
func choose(n int, quoted []int, limit int, tells func(i int) bool, telling string) choice {
	var c choice
	if n <= allRows {
		for i := range n {
			c.indexes = append(c.indexes, i)
		}
		return c
	}
	is := make(map[int]bool, len(quoted))
	for _, i := range quoted {
		is[i] = true
	}
	every := (n + someRows - 1) / someRows
	all, told := 0, 0
	for i := range n {
		tell := tells(i)
		if tell {
			all++
		}
		switch {
		case tell && told < limit:
			told++
		case is[i] || i%every == 0:
		default:
			continue
		}
		c.indexes = append(c.indexes, i)
	}
	which := "all " + thousands(all)
	if told < all {
		which = "the first " + thousands(told) + " of " + thousands(all)
	}
	c.which = fmt.Sprintf("%s %s, and of the others one in %s and what findings quote", which, telling, thousands(every))
	return c
}

// quote is a row of a recording that a finding quotes: "dns.jsonl:10 t=1.234 s A ...".
var quotePattern = regexp.MustCompile(`^([A-Za-z][A-Za-z.]*):(\d+) (?:t=(-?\d+(?:\.\d+)?) s)?`)

// quotedLines are the indexes of the rows that the findings of a verdict quote, by file.
func quotedLines(findings []judge.Finding) map[string][]int {
	lines := map[string][]int{}
	for _, f := range findings {
		for _, e := range f.Evidence {
			if m := quotePattern.FindStringSubmatch(e); m != nil {
				if line, err := strconv.Atoi(m[2]); err == nil {
					lines[m[1]] = append(lines[m[1]], line-1)
				}
			}
		}
	}
	return lines
}

// fill adds the chosen rows, each with its line.
func (t *rowTable) fill(n int, c choice, row func(i int)) {
	t.Of, t.Which = n, c.which
	last := 0
	for _, i := range c.indexes {
		t.Lines = append(t.Lines, i+1-last)
		last = i + 1
		row(i)
	}
}
