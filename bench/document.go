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
	if err := PutSection(path, r.Table, r.Markdown()); err != nil {
		return err
	}
	return r.plots(filepath.Dir(path))
}

// PutSection puts text between the lines that Begin and End give for a table
// into the document at path.
func PutSection(path, table, text string) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("the document: %w", err)
	}
	before, rest, ok := strings.Cut(string(content), Begin(table))
	_, after, okEnd := strings.Cut(rest, End(table))
	if !ok || !okEnd {
		return fmt.Errorf("%s: no lines %q and %q in this order: put them where the table belongs", path, Begin(table), End(table))
	}
	content = []byte(before + Begin(table) + "\n" + text + End(table) + after)
	if err := os.WriteFile(path, content, 0o644); err != nil {
		return fmt.Errorf("the document: %w", err)
	}
	return nil
}

// Begin is the line before the section of a table.
func Begin(table string) string { return "<!-- make " + table + ": begin, do not edit -->" }

// End is the line after it.
func End(table string) string { return "<!-- make " + table + ": end -->" }
