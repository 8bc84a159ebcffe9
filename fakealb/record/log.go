package record

import (
	"iter"
	"sync"
)

type (
	// Attempts is the log of requests.
	Attempts = Log[Attempt, packedAttempt, *packedAttempt]
	// Connections is the log of connections.
	Connections = Log[Connection, packedConnection, *packedConnection]
	// Packets is the log of packets.
	Packets = Log[Packet, packedPacket, *packedPacket]
)

const chunkRows = 1024

// Log is an append-only list of rows T which may be completed later. It keeps them
// packed, see [Attempts], [Connections] and [Packets]. The zero value is ready. Its
// methods may be called from any goroutine.
type Log[T, P any, F packed[T, P]] struct {
	mu     sync.Mutex
	chunks []*chunk[P]
	n      int
	epoch  int
	row    T // in hand: a variable of a method would be allocated each time
}

// chunk holds chunkRows rows. It is never grown, so old rows are never copied.
type chunk[P any] struct {
	texts texts
	rows  []P
}

// Ref names one row of a Log.
type Ref struct{ epoch, index int }

// Add appends row.
func (l *Log[T, P, F]) Add(row T) Ref {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.n%chunkRows == 0 {
		l.chunks = append(l.chunks, &chunk[P]{rows: make([]P, 0, chunkRows)})
	}
	c := l.chunks[len(l.chunks)-1]
	c.rows = c.rows[:len(c.rows)+1]
	l.row = row
	F(&c.rows[len(c.rows)-1]).pack(&l.row, &c.texts)
	l.n++
	return Ref{l.epoch, l.n - 1}
}

// Update changes a row. It does nothing if the log was reset since. The function
// must not keep the row.
func (l *Log[T, P, F]) Update(r Ref, change func(*T)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if r.epoch != l.epoch {
		return
	}
	c := l.chunks[r.index/chunkRows]
	p := F(&c.rows[r.index%chunkRows])
	l.row = p.unpack(c.texts.all.String())
	change(&l.row)
	p.pack(&l.row, &c.texts)
}

// Len returns the number of rows.
func (l *Log[T, P, F]) Len() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.n
}

// Reset forgets every row.
func (l *Log[T, P, F]) Reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.chunks, l.n = nil, 0
	l.epoch++
}

// All yields the rows there were when it was called.
func (l *Log[T, P, F]) All() iter.Seq[T] {
	l.mu.Lock()
	n, epoch := l.n, l.epoch
	l.mu.Unlock()
	return func(yield func(T) bool) {
		rows := make([]P, chunkRows)
		for at := 0; at < n; at += chunkRows {
			l.mu.Lock()
			if l.epoch != epoch {
				l.mu.Unlock()
				return
			}
			c := l.chunks[at/chunkRows]
			got, all := copy(rows, c.rows[:min(len(c.rows), n-at)]), c.texts.all.String()
			l.mu.Unlock()
			for i := range rows[:got] {
				if !yield(F(&rows[i]).unpack(all)) {
					return
				}
			}
		}
	}
}
