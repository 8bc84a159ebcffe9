package goproxy

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestLogQueueKeepsEveryLineInOrder(t *testing.T) {
	var out bytes.Buffer
	q := newLogQueue(&out)
	const writers, lines = 8, 1000
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for n := range lines {
				fmt.Fprintf(q, "%d %d\n", w, n)
			}
		})
	}
	wg.Wait()
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}
	next := [writers]int{}
	for line := range strings.Lines(out.String()) {
		var w, n int
		if _, err := fmt.Sscanf(line, "%d %d\n", &w, &n); err != nil || n != next[w] {
			t.Fatalf("got %q, want the line %d of that writer: %v", line, next[w], err)
		}
		next[w]++
	}
	for w, n := range next {
		if n != lines {
			t.Errorf("got %d lines of writer %d, want %d", n, w, lines)
		}
	}
	if n := q.dropped.Load(); n != 0 {
		t.Errorf("%d were dropped", n)
	}
}

func TestAFullLogQueueDropsAndCounts(t *testing.T) {
	r, w, err := os.Pipe() // that nobody reads
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	q := newLogQueue(w)
	line := bytes.Repeat([]byte("x"), 1<<20)
	const lines = 3 * logQueueSize >> 20
	for range lines {
		if n, err := q.Write(line); n != len(line) || err != nil {
			t.Fatalf("got %d, %v", n, err)
		}
	}
	// The writer may have taken what waited once, and holds it.
	least, most := int64(lines-2*logQueueSize>>20), int64(lines-logQueueSize>>20)
	if n := q.dropped.Load(); n < least || n > most {
		t.Errorf("%d were dropped, want %d to %d", n, least, most)
	}
	w.Close() // ends the write
	if err := q.Close(); err != nil {
		t.Error(err)
	}
	<-q.done
}

// An access log that nobody reads, a named pipe of 64 KiB, holds nobody up.
func TestAStalledAccessLogHoldsNobodyUp(t *testing.T) {
	name := filepath.Join(t.TempDir(), "access.log")
	if err := unix.Mkfifo(name, 0o600); err != nil {
		t.Fatal(err)
	}
	reader, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	backends, port := startBackends(t, 1)
	d := startDNS(t, 60)
	d.set(backends...)
	cfg := simpleConfig(port)
	cfg.AccessLog = name
	p, err := New(cfg, Options{Listen: "127.0.0.1:0", Resolvers: []netip.AddrPort{d.addr}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	client := &http.Client{Timeout: 10 * time.Second}
	for i := range 1000 { // of some 250 bytes
		res, err := client.Get("http://" + p.Addr().String() + "/")
		if err != nil {
			t.Fatalf("request %d: %v", i+1, err)
		}
		io.Copy(io.Discard, res.Body)
		res.Body.Close()
		if res.StatusCode != http.StatusOK {
			t.Fatalf("request %d: %s", i+1, res.Status)
		}
	}
	client.CloseIdleConnections()
	read := make(chan int, 1)
	go func() { // somebody reads again
		lines := 0
		for scanner := bufio.NewScanner(reader); lines < 1000 && scanner.Scan(); lines++ {
		}
		read <- lines
	}()
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if n := <-read; n != 1000 {
		t.Errorf("%d lines arrived, want 1000", n)
	}
}
