package goproxy

import (
	"os"
	"sync"
)

// logFile is a file that is appended to. Whoever rotates logs moves it away: from a reopen
// on, lines go to the file that has the name then.
type logFile struct {
	name string

	mu     sync.Mutex
	file   *os.File
	closed bool
}

func openLogFile(name string) (*logFile, error) {
	f, err := appendTo(name)
	if err != nil {
		return nil, err
	}
	return &logFile{name: name, file: f}, nil
}

func appendTo(name string) (*os.File, error) {
	return os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o640)
}

// Write implements io.Writer.
func (l *logFile) Write(lines []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.file.Write(lines)
}

// reopen opens the file by its name again. If that fails, the one that is open remains in
// use. A pipe, or a device, cannot have been rotated, and opening it may wait.
func (l *logFile) reopen() error {
	l.mu.Lock()
	info, err := l.file.Stat()
	l.mu.Unlock()
	if err != nil || !info.Mode().IsRegular() {
		return err
	}
	next, err := appendTo(l.name)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return next.Close()
	}
	last := l.file
	l.file = next
	return last.Close()
}

// Close implements io.Closer.
func (l *logFile) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	return l.file.Close()
}
