package recording

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
)

// Writer appends rows to one file of a recording. It is safe for several
// goroutines.
type Writer[T any] struct {
	encode func(*bytes.Buffer, T) error

	mu   sync.Mutex
	file *os.File
	buf  bytes.Buffer
}

// Append writes the rows in one system call: there is no buffer that a killed
// harness could take with it. When a row cannot be encoded, none is written.
func (w *Writer[T]) Append(rows ...T) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.buf.Reset()
	for i := range rows {
		if err := w.encode(&w.buf, rows[i]); err != nil {
			return fmt.Errorf("append to %s: %w", w.file.Name(), err)
		}
	}
	if _, err := w.file.Write(w.buf.Bytes()); err != nil {
		return fmt.Errorf("append to the recording: %w", err)
	}
	return nil
}

func openWriter[T any](d *Dir, into **Writer[T], name string, encode func(*bytes.Buffer, T) error) error {
	file, err := os.OpenFile(filepath.Join(d.Path, name), os.O_CREATE|os.O_EXCL|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return fmt.Errorf("open a file of the recording: %w", err)
	}
	d.closers = append(d.closers, file.Close)
	*into = &Writer[T]{encode: encode, file: file}
	return nil
}

func encodeJSON[T any](buf *bytes.Buffer, row T) error {
	encoder := json.NewEncoder(buf)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(row) // ends with a newline
}

// encodeLogLine writes "<seconds> <text>". A text of several lines becomes
// several lines of the same time.
func encodeLogLine(buf *bytes.Buffer, line LogLine) error {
	at := strconv.FormatFloat(float64(line.At), 'f', 6, 64)
	for text := range strings.SplitSeq(strings.TrimSuffix(line.Text, "\n"), "\n") {
		buf.WriteString(at)
		buf.WriteByte(' ')
		buf.WriteString(strings.TrimSuffix(text, "\r"))
		buf.WriteByte('\n')
	}
	return nil
}
