package goproxy

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// linesIn returns the number of lines in files.
func linesIn(t *testing.T, names ...string) (n int) {
	t.Helper()
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		n += strings.Count(string(data), "\n")
	}
	return n
}

// A log that is rotated under load loses no line, and nothing is written to a file after
// it was moved and the log opened again.
func TestRotatedLogLosesNoLine(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "access.log")
	f, err := openLogFile(name)
	if err != nil {
		t.Fatal(err)
	}
	q := newLogQueue(f)
	const writers, each = 4, 5000
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			for i := range each {
				fmt.Fprintf(q, "%d %d\n", w, i)
			}
		})
	}
	files, lines := []string{name}, map[string]int{}
	for i := range 50 {
		moved := filepath.Join(dir, fmt.Sprint("access.log.", i))
		if err := os.Rename(name, moved); err != nil {
			t.Fatal(err)
		}
		if err := f.reopen(); err != nil {
			t.Fatal(err)
		}
		files = append(files, moved)
		lines[moved] = linesIn(t, moved)
	}
	all.Wait()
	q.Close()
	if n := linesIn(t, files...); n+int(q.dropped.Load()) != writers*each || q.dropped.Load() > 0 {
		t.Errorf("%d lines in %d files, and %d dropped, of %d", n, len(files), q.dropped.Load(), writers*each)
	}
	for moved, was := range lines {
		if n := linesIn(t, moved); n != was {
			t.Errorf("%d lines were written to %s after the log was opened again", n-was, moved)
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err := f.reopen(); err == nil {
		t.Error("a log that is closed was opened again")
	}
}

// What cannot be opened again goes on as it was.
func TestLogThatCannotBeOpenedAgain(t *testing.T) {
	dir := t.TempDir()
	name, moved := filepath.Join(dir, "access.log"), filepath.Join(dir, "moved.log")
	f, err := openLogFile(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := os.Rename(name, moved); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(name, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := f.reopen(); err == nil {
		t.Error("a folder was opened as the log")
	}
	fmt.Fprintln(f, "a line")
	if n := linesIn(t, moved); n != 1 {
		t.Errorf("%d lines in the file that is open, want 1", n)
	}
	// A pipe without a reader would hold up whoever opens it.
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	both, err := os.OpenFile(pipe, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer both.Close()
	p, err := openLogFile(pipe)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	was := p.file
	if err := p.reopen(); err != nil || p.file != was {
		t.Errorf("a pipe was opened again: %v", err)
	}
}

// The command opens a log that was moved at the signals that other servers take for it.
func TestRunCommandOpensItsLogAgain(t *testing.T) {
	// Until the command has its handlers, a signal would end the test.
	guard := make(chan os.Signal, 1)
	signal.Notify(guard, syscall.SIGHUP, syscall.SIGUSR1)
	defer signal.Stop(guard)
	log := filepath.Join(t.TempDir(), "access.log")
	addr := freeAddr(t).String()
	path := writeConfig(t, fmt.Sprintf("listen: %s\naccess_log: %s\nroutes: [{path: /, status: 404}, {path: /x, upstream: a}]\nupstreams: {a: {url: http://127.0.0.1:1}}\n", addr, log))
	ctx, stop := context.WithCancel(context.Background())
	ran := make(chan error, 1)
	go func() {
		_, err := execute(ctx, "run", path)
		ran <- err
	}()
	defer func() {
		stop()
		if err := <-ran; err != nil {
			t.Error(err)
		}
	}()
	ask := func() bool {
		resp, err := http.Get("http://" + addr + "/")
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusNotFound
	}
	eventually(t, 10*time.Second, "the proxy serves", ask)
	for i, sig := range []syscall.Signal{syscall.SIGUSR1, syscall.SIGHUP} {
		eventually(t, 5*time.Second, "a line in the log", func() bool { return linesIn(t, log) > 0 })
		moved := fmt.Sprint(log, ".", i)
		if err := os.Rename(log, moved); err != nil {
			t.Fatal(err)
		}
		syscall.Kill(os.Getpid(), sig)
		eventually(t, 5*time.Second, "the log is opened again", func() bool { _, err := os.Stat(log); return err == nil })
		before := linesIn(t, moved)
		if !ask() {
			t.Fatal("the proxy does not serve")
		}
		eventually(t, 5*time.Second, "the line is in the new file", func() bool { return linesIn(t, log) == 1 })
		if n := linesIn(t, moved); n != before {
			t.Errorf("%v: %d lines went into the file that was moved", sig, n-before)
		}
	}
}
