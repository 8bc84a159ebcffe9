package corpus

import (
	"fmt"
	"io"
	"strings"
)

// Table writes the results of cases as a Markdown table, which is also read as it is, and then
// what is not as expected. All are the cases in their order; those without a result are left
// out.
func Table(w io.Writer, all []Case, came []Came) error {
	var b, wrong strings.Builder
	b.WriteString("| case | kind | expected | got | s |\n|---|---|---|---|--:|\n")
	matched, red, notRun := 0, 0, 0
	for _, c := range all {
		for _, got := range came {
			if got.Case != c.Name {
				continue
			}
			text := got.Got
			switch {
			case got.NotRun != "":
				notRun++
			case len(got.Wrong) > 0:
				red++
				text = "**" + text + "**"
				fmt.Fprintf(&wrong, "\n%s: %s\n    right would be: %s\n", c.Name, strings.Join(got.Wrong, "\n    "), strings.Join(strings.Fields(c.Because), " "))
				if got.Dir != "" {
					fmt.Fprintf(&wrong, "    recording: %s\n", got.Dir)
				}
			default:
				matched++
			}
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %.0f |\n", c.Name, c.Group, cell(c.Expect.String()), cell(text), got.Seconds)
		}
	}
	fmt.Fprintf(&b, "\n%d of %d cases: %d as expected, %d not, %d not run\n", len(came), len(all), matched, red, notRun)
	_, err := io.WriteString(w, b.String()+wrong.String())
	return err
}

// cell is a text that fits into a cell of a table.
func cell(text string) string {
	text = strings.Join(strings.Fields(strings.ReplaceAll(text, "|", "/")), " ")
	if runes := []rune(text); len(runes) > 160 {
		text = string(runes[:159]) + "…"
	}
	return text
}
