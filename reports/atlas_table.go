package reports

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/proxychaos/proxychaos/reports/atlas"
)

// AtlasTable writes where behaviour changed, in lines of 100 columns.
func AtlasTable(w io.Writer, a atlas.Atlas) error {
	p := newPaint(w)
	var b strings.Builder
	for _, line := range wrap(plain(a.Sentence()), tableWidth) {
		b.WriteString(p.bold(line) + "\n")
	}
	for _, v := range a.Versions {
		b.WriteString("    " + plain(v.String()) + "\n")
	}
	for _, m := range a.Missing {
		for _, line := range indented(fmt.Sprintf("%s was not run: %s", m.Release, m.Why)) {
			b.WriteString(line + "\n")
		}
	}
	for _, part := range []struct {
		title string
		sure  bool
	}{{"What changed:", true}, {"What seems to have changed, in fewer runs than it takes to say so:", false}} {
		groups := atlasGroups(a.Groups(part.sure))
		if len(groups) == 0 {
			continue
		}
		b.WriteString("\n" + p.bold(part.title) + "\n")
		for _, g := range groups {
			b.WriteString(plain(g.Between+", "+g.Config) + "\n")
			for _, text := range g.Lines {
				for _, line := range indented(text) {
					b.WriteString(line + "\n")
				}
			}
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// AtlasJSON writes an atlas for programs; atlas/atlas.schema.json describes it.
func AtlasJSON(w io.Writer, a atlas.Atlas) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(a)
}
