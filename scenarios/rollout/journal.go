package rollout

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// File is a journal on disk: a line for each block.
type File struct {
	path   string
	blocks []Played
}

// OpenFile opens the journal of a question in a folder, which is made if need be. The
// question is told from others by words; any other word begins a new journal. A last line
// that was cut off is dropped: its block is run again.
func OpenFile(dir string, words ...string) (*File, error) {
	sum := sha256.New()
	for _, word := range words {
		fmt.Fprintf(sum, "%d:%s", len(word), word)
	}
	f := &File{path: filepath.Join(dir, fmt.Sprintf("compare-%x.jsonl", sum.Sum(nil)[:6]))}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	text, err := os.ReadFile(f.path)
	if errors.Is(err, os.ErrNotExist) {
		return f, nil
	}
	if err != nil {
		return nil, err
	}
	whole := text[:bytes.LastIndexByte(text, '\n')+1]
	for number, line := range bytes.Split(bytes.TrimSuffix(whole, []byte("\n")), []byte("\n")) {
		if len(line) == 0 {
			continue
		}
		var played Played
		if err := json.Unmarshal(line, &played); err != nil {
			return nil, fmt.Errorf("%s:%d: %w; remove the file to start over", f.path, number+1, err)
		}
		f.blocks = append(f.blocks, played)
	}
	if len(whole) < len(text) {
		return f, os.Truncate(f.path, int64(len(whole)))
	}
	return f, nil
}

// Path is where the journal is.
func (f *File) Path() string { return f.path }

// Blocks are those that were run, in the order in which they ended.
func (f *File) Blocks() []Played { return f.blocks }

// Append adds a block. If there is no room for the whole line, nothing of it is left: the
// next one would be written behind half of it.
func (f *File) Append(p Played) (err error) {
	line, err := json.Marshal(p)
	if err != nil {
		return err
	}
	file, err := os.OpenFile(f.path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if n, err := file.Write(append(line, '\n')); err != nil {
		info, statErr := file.Stat()
		if statErr == nil && n > 0 {
			statErr = file.Truncate(info.Size() - int64(n))
		}
		return errors.Join(err, statErr)
	}
	f.blocks = append(f.blocks, p)
	return nil
}
