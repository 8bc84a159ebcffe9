package bench

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Publish puts the report into its section of the document at path, between
// the lines that Begin and End give, leaves the rest as it is, and draws the
// plots beside it.
func (r Report) Publish(path string) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("the document: %w", err)
	}
	before, rest, ok := strings.Cut(string(content), Begin(r.Table))
	_, after, okEnd := strings.Cut(rest, End(r.Table))
	if !ok || !okEnd {
		return fmt.Errorf("%s: no lines %q and %q in this order: put them where the table belongs", path, Begin(r.Table), End(r.Table))
	}
	content = []byte(before + Begin(r.Table) + "\n" + r.Markdown() + End(r.Table) + after)
	if err := os.WriteFile(path, content, 0o644); err != nil {
		return fmt.Errorf("the document: %w", err)
	}
	return r.plots(filepath.Dir(path))
}

// Begin is the line before the section of a table.
func Begin(table string) string { return "<!-- make " + table + ": begin, do not edit -->" }

// End is the line after it.
func End(table string) string { return "<!-- make " + table + ": end -->" }
