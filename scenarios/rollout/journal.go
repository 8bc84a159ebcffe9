package rollout

import "github.com/proxychaos/proxychaos/scenarios/journal"

// File is a journal on disk: a line for each block.
type File struct{ *journal.File[Played] }

// OpenFile opens the journal of a question in a folder; see [journal.Open].
func OpenFile(dir string, words ...string) (*File, error) {
	f, err := journal.Open[Played](dir, "compare", words...)
	return &File{f}, err
}

// Blocks are those that were run, in the order in which they ended.
func (f *File) Blocks() []Played { return f.Rows() }
