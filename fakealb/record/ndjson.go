package record

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
)

// Write writes rows as NDJSON.
func Write[T any](w io.Writer, rows iter.Seq[T]) error {
	out := bufio.NewWriterSize(w, 1<<16)
	enc := json.NewEncoder(out)
	for row := range rows {
		if err := enc.Encode(row); err != nil {
			return fmt.Errorf("write a row: %w", err)
		}
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write rows: %w", err)
	}
	return nil
}

// Read reads rows that Write wrote, to the end of r.
func Read[T any](r io.Reader) ([]T, error) {
	dec := json.NewDecoder(bufio.NewReaderSize(r, 1<<16))
	var rows []T
	for {
		var row T
		switch err := dec.Decode(&row); {
		case errors.Is(err, io.EOF):
			return rows, nil
		case err != nil:
			return nil, fmt.Errorf("read row %d: %w", len(rows)+1, err)
		}
		rows = append(rows, row)
	}
}
