package goproxy

import (
	"io"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// logQueueSize is how much may wait while nobody takes it: some 10,000 lines.
	logQueueSize = 4 << 20 // bytes
	// logQueueFlush is how long the end waits for what still waits.
	logQueueFlush = 2 * time.Second
)

// logQueue passes lines on to a writer that may stall, as a pipe does whose
// reader is busy: the request that a line is about, and those behind it on its
// connection, do not wait for it. When it is full lines are dropped and counted.
type logQueue struct {
	to      io.Writer
	dropped atomic.Int64
	done    chan struct{} // closed when all that can be is written

	mu      sync.Mutex
	pending []byte
	closed  bool
	wake    chan struct{} // capacity 1; closed by Close
}

func newLogQueue(to io.Writer) *logQueue {
	q := &logQueue{to: to, wake: make(chan struct{}, 1), done: make(chan struct{})}
	go q.run()
	return q
}

// Write implements io.Writer; line is a whole one.
func (q *logQueue) Write(line []byte) (int, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed || len(q.pending)+len(line) > logQueueSize {
		q.dropped.Add(1)
		return len(line), nil
	}
	q.pending = append(q.pending, line...)
	select {
	case q.wake <- struct{}{}:
	default: // it is awake
	}
	return len(line), nil
}

func (q *logQueue) run() {
	defer close(q.done)
	var lines []byte
	for range q.wake {
		q.mu.Lock()
		lines, q.pending = q.pending, lines[:0]
		q.mu.Unlock()
		// A disk that is full is no reason to stop serving.
		_, _ = q.to.Write(lines)
	}
}

// Close writes what waits, unless that takes longer than logQueueFlush.
func (q *logQueue) Close() error {
	q.mu.Lock()
	if !q.closed {
		q.closed = true
		close(q.wake) // what is in it is read first
	}
	q.mu.Unlock()
	timer := time.NewTimer(logQueueFlush)
	defer timer.Stop()
	select {
	case <-q.done:
	case <-timer.C:
	}
	return nil
}
