package record

import (
	"iter"
	"sync"
)

const chunkRows = 1024

// Log is an append-only list of rows which may be completed later. The zero value
// is ready. Its methods may be called from any goroutine.
type Log[T any] struct {
	mu     sync.Mutex
	chunks [][]T
	n      int
	epoch  int
}

// Ref names one row of a Log.
type Ref struct{ epoch, index int }

// Add appends row.
func (l *Log[T]) Add(row T) Ref {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.n%chunkRows == 0 {
		// Chunks are never grown, so old rows are never copied.
		l.chunks = append(l.chunks, make([]T, 0, chunkRows))
	}
	last := len(l.chunks) - 1
	l.chunks[last] = append(l.chunks[last], row)
	l.n++
	return Ref{l.epoch, l.n - 1}
}

// Update changes a row in place. It does nothing if the log was reset since.
func (l *Log[T]) Update(r Ref, change func(*T)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if r.epoch == l.epoch {
		change(&l.chunks[r.index/chunkRows][r.index%chunkRows])
	}
}

// Len returns the number of rows.
func (l *Log[T]) Len() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.n
}

// Reset forgets every row.
func (l *Log[T]) Reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.chunks, l.n = nil, 0
	l.epoch++
}

// All yields copies of the rows there were when it was called.
func (l *Log[T]) All() iter.Seq[T] {
	l.mu.Lock()
	n, epoch := l.n, l.epoch
	l.mu.Unlock()
	return func(yield func(T) bool) {
		rows := make([]T, chunkRows)
		for at := 0; at < n; at += chunkRows {
			l.mu.Lock()
			if l.epoch != epoch {
				l.mu.Unlock()
				return
			}
			got := copy(rows, l.chunks[at/chunkRows][:min(len(l.chunks[at/chunkRows]), n-at)])
			l.mu.Unlock()
			for _, row := range rows[:got] {
				if !yield(row) {
					return
				}
			}
		}
	}
}
