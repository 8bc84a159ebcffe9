package rollout

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/aymanbagabas/go-udiff"
)

// Change is one thing that is different between two configurations: a directive, a block of
// them, a file.
type Change struct {
	File    string // slash-separated, in the folder; the name of a file given alone
	Line    int    // in B's file, or in A's if B has nothing there
	Was, Is string // its text with A and with B; empty if one has nothing there
}

// String is "site.conf:12: keepalive 8; became keepalive 0;".
func (c Change) String() string {
	switch was, is := oneLine(c.Was), oneLine(c.Is); {
	case was == "":
		return fmt.Sprintf("%s:%d: %s was added", c.File, c.Line, is)
	case is == "":
		return fmt.Sprintf("%s:%d: %s was taken out", c.File, c.Line, was)
	default:
		return fmt.Sprintf("%s:%d: %s became %s", c.File, c.Line, was, is)
	}
}

// mostOfChange is how much of a change's text stands in a line.
const mostOfChange = 60

func oneLine(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > mostOfChange {
		return string(r[:mostOfChange]) + "..."
	}
	return s
}

// Changed are the changes between two configurations, with what is needed to undo one.
type Changed struct {
	Changes []Change
	single  bool // they are files, not folders
	b       string
	without []func() (text string, gone bool)
}

// errUnlike is the error for a file and a folder.
var errUnlike = errors.New("one is a file and the other a folder: the changes between them cannot be undone one by one")

// FindChanges compares two files, or two folders. Comments and empty lines are no changes.
func FindChanges(a, b string) (*Changed, error) {
	ofA, singleA, err := readTree(a)
	if err != nil {
		return nil, err
	}
	ofB, singleB, err := readTree(b)
	if err != nil {
		return nil, err
	}
	if singleA != singleB {
		return nil, errUnlike
	}
	if singleA { // they may have different names
		ofA = map[string]string{filepath.Base(b): ofA[filepath.Base(a)]}
	}
	c := &Changed{single: singleB, b: b}
	both := maps.Clone(ofA)
	maps.Copy(both, ofB)
	for _, name := range slices.Sorted(maps.Keys(both)) {
		was, inA := ofA[name]
		is, inB := ofB[name]
		switch {
		case was == is && inA == inB:
		case !inA || !inB || !utf8.ValidString(was) || !utf8.ValidString(is):
			c.add(Change{File: name, Line: 1, Was: was, Is: is}, func() (string, bool) { return was, !inA })
		default:
			c.addFile(name, segments(was, is))
		}
	}
	return c, nil
}

func (c *Changed) add(change Change, without func() (string, bool)) {
	c.Changes, c.without = append(c.Changes, change), append(c.without, without)
}

func (c *Changed) addFile(name string, all []segment) {
	lineA, lineB := 1, 1
	for i, s := range all {
		if s.differs() {
			line := lineB
			if len(s.b) == 0 {
				line = lineA
			}
			c.add(Change{File: name, Line: line, Was: strings.Join(s.a, ""), Is: strings.Join(s.b, "")}, func() (string, bool) {
				var text strings.Builder
				for j, other := range all {
					lines := other.b
					if j == i {
						lines = other.a
					}
					text.WriteString(strings.Join(lines, ""))
				}
				return text.String(), false
			})
		}
		lineA, lineB = lineA+len(s.a), lineB+len(s.b)
	}
}

// Without writes B with one change undone into a folder, and returns its path.
func (c *Changed) Without(i int, into string) (string, error) {
	path := filepath.Join(into, filepath.Base(c.b))
	text, gone := c.without[i]()
	if c.single {
		return path, os.WriteFile(path, []byte(text), 0o600)
	}
	if err := os.CopyFS(path, os.DirFS(c.b)); err != nil {
		return "", err
	}
	file := filepath.Join(path, filepath.FromSlash(c.Changes[i].File))
	if gone {
		return path, os.Remove(file)
	}
	return path, errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(text), 0o644)) //nolint:gosec // the proxy's user reads it
}

// readTree reads a file, or the regular files of a folder.
func readTree(path string) (files map[string]string, single bool, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, false, err
	}
	if !info.IsDir() {
		text, err := os.ReadFile(path)
		return map[string]string{filepath.Base(path): string(text)}, true, err
	}
	files = map[string]string{}
	err = filepath.WalkDir(path, func(at string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(at)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(path, at)
		files[filepath.ToSlash(name)] = string(text)
		return err
	})
	return files, false, err
}

// segment is a piece of two files: the lines that A and B have there.
type segment struct{ a, b []string }

// differs says whether a proxy may read the two differently.
func (s segment) differs() bool { return !slices.Equal(said(s.a), said(s.b)) }

// said are the lines without indentation, comments and empty lines.
func said(lines []string) []string {
	var all []string
	for _, line := range lines {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			all = append(all, line)
		}
	}
	return all
}

// segments cuts two texts into pieces of which each can be exchanged alone: a directive, or a
// block of them with its braces.
func segments(a, b string) []segment {
	var all []segment
	at := 0
	for _, e := range udiff.Lines(a, b) {
		same := strings.SplitAfter(a[at:e.Start], "\n")
		all = append(all, segment{same, same})
		all = append(all, pieces(units(a[e.Start:e.End]), units(e.New))...)
		at = e.End
	}
	same := strings.SplitAfter(a[at:], "\n")
	all = append(all, segment{same, same})
	for i := range all {
		empty := func(line string) bool { return line == "" }
		all[i].a, all[i].b = slices.DeleteFunc(slices.Clone(all[i].a), empty), slices.DeleteFunc(slices.Clone(all[i].b), empty)
	}
	return all
}

// pieces pairs what was replaced with what it was replaced by: directives of the same name in
// the same order. What has no partner stands alone.
func pieces(a, b [][]string) []segment {
	keys := func(of [][]string) string {
		var text strings.Builder
		for _, unit := range of {
			text.WriteString(key(unit) + "\n")
		}
		return text.String()
	}
	ofA, ofB := keys(a), keys(b)
	var all []segment
	i, j := 0, 0
	pair := func(n int) {
		for range n {
			all = append(all, segment{a[i], b[j]})
			i, j = i+1, j+1
		}
	}
	at := 0
	for _, e := range udiff.Lines(ofA, ofB) {
		pair(strings.Count(ofA[at:e.Start], "\n"))
		gone, added := strings.Count(ofA[e.Start:e.End], "\n"), strings.Count(e.New, "\n")
		if gone == 1 && added == 1 { // one took the place of the other
			pair(1)
			gone, added = 0, 0
		}
		for range gone {
			all, i = append(all, segment{a: a[i]}), i+1
		}
		for range added {
			all, j = append(all, segment{b: b[j]}), j+1
		}
		at = e.End
	}
	pair(strings.Count(ofA[at:], "\n"))
	return all
}

// key is what a unit is known by: its first word.
func key(unit []string) string {
	for _, line := range said(unit) {
		return strings.Fields(line)[0]
	}
	return "#"
}

// units are the directives of a text: a line each, or the lines from an opening brace or tag
// to the one that closes it.
func units(text string) [][]string {
	var all [][]string
	var unit []string
	depth := 0
	for line := range strings.Lines(text) {
		unit = append(unit, line)
		if depth += opens(line); depth <= 0 {
			all, unit, depth = append(all, unit), nil, 0
		}
	}
	if unit != nil {
		all = append(all, unit)
	}
	return all
}

// opens is how many blocks a line opens more than it closes.
func opens(line string) int {
	line = strings.TrimSpace(line)
	switch {
	case strings.HasPrefix(line, "#"):
		return 0
	case strings.HasPrefix(line, "</"):
		return -1
	case strings.HasPrefix(line, "<"):
		return 1
	}
	return strings.Count(line, "{") - strings.Count(line, "}")
}
