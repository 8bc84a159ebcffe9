// Package journal keeps what a long run has done, a line of JSON for each thing, so that the
// same command goes on from there after an interrupt.
package journal

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// File is a journal on disk. It is for one goroutine.
type File[T any] struct {
	path string
	rows []T
}

// Open opens the journal of a question in a folder, which is made if need be. Its name begins
// with what is asked, such as "compare". The question is told from others by words; any other
// word begins a new journal. A last line that was cut off is dropped: it is done again.
func Open[T any](dir, asked string, words ...string) (*File[T], error) {
	sum := sha256.New()
	for _, word := range words {
		fmt.Fprintf(sum, "%d:%s", len(word), word)
	}
	return OpenAt[T](filepath.Join(dir, fmt.Sprintf("%s-%x.jsonl", asked, sum.Sum(nil)[:6])))
}

// OpenAt opens the journal at a path, the folder of which is made if need be.
func OpenAt[T any](path string) (*File[T], error) {
	f := &File[T]{path: path}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
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
		var row T
		if err := json.Unmarshal(line, &row); err != nil {
			return nil, fmt.Errorf("%s:%d: %w; remove the file to start over", f.path, number+1, err)
		}
		f.rows = append(f.rows, row)
	}
	if len(whole) < len(text) {
		return f, os.Truncate(f.path, int64(len(whole)))
	}
	return f, nil
}

// Path is where the journal is.
func (f *File[T]) Path() string { return f.path }

// Rows are what was done, in the order in which it ended.
func (f *File[T]) Rows() []T { return f.rows }

// Append adds a row. If there is no room for the whole line, nothing of it is left: the next
// one would be written behind half of it.
func (f *File[T]) Append(row T) (err error) {
	line, err := json.Marshal(row)
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
	f.rows = append(f.rows, row)
	return nil
}
