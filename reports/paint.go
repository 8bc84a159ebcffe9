package reports

import (
	"io"
	"os"
	"strings"
)

// paint colours text for a terminal, or leaves it as it is.
type paint struct{ on bool }

// newPaint colours only if w is a terminal, or CLICOLOR_FORCE says that what is written
// will get to one (bixense.com/clicolors), and NO_COLOR (no-color.org) is empty or not set.
func newPaint(w io.Writer) paint {
	file, ok := w.(*os.File)
	if !ok || os.Getenv("NO_COLOR") != "" {
		return paint{}
	}
	if os.Getenv("CLICOLOR_FORCE") != "" {
		return paint{on: true}
	}
	info, err := file.Stat()
	return paint{on: err == nil && info.Mode()&os.ModeCharDevice != 0}
}

func (p paint) bold(s string) string { return p.code("1", s) }

// state colours lines by state, each on its own, so that the colour does not
// run into the column beside it.
func (p paint) state(s State, lines []string) string {
	code := map[State]string{Expected: "32", Unexpected: "1;31", Unproven: "1;33", NotRun: "33"}[s]
	painted := make([]string, len(lines))
	for i, line := range lines {
		painted[i] = p.code(code, line)
	}
	return strings.Join(painted, "\n")
}

func (p paint) code(code, s string) string {
	if !p.on {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}
