package goproxy

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
)

// startProcess is goproxy in a process of its own, before an upstream. A test
// that opens very many connections needs it: both their ends would be more files
// than a process may have, and the race detector dies of as many goroutines.
func startProcess(t *testing.T, u *rawUpstream) (at string, pid int) {
	t.Helper()
	dir := t.TempDir()
	program, file := filepath.Join(dir, "proxychaos"), filepath.Join(dir, "goproxy.yaml")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, "github.com/proxychaos/proxychaos/cmd/proxychaos").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	at = freeAddr(t).String()
	config := fmt.Sprintf("listen: %s\naccess_log: \"off\"\nroutes: [{upstream: u}]\nupstreams: {u: {url: \"http://%s\"}}\n", at, u.Addr())
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	logs := &syncBuffer{}
	cmd := exec.Command(program, "goproxy", "run", file)
	cmd.Stderr = logs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil || t.Failed() {
			t.Errorf("goproxy: %v\n%s", err, logs)
		}
	})
	eventually(t, 10*time.Second, "goproxy serves", func() bool { return strings.Contains(logs.String(), "goproxy: serving") })
	return at, cmd.Process.Pid
}

// get sends a request on a connection and reads its response.
func get(conn net.Conn) error {
	conn.SetDeadline(time.Now().Add(loadTimeout))
	if _, err := io.WriteString(conn, plainGET); err != nil {
		return err
	}
	var got []byte
	for !strings.HasSuffix(string(got), "\r\n\r\nok") {
		buf := make([]byte, 512)
		n, err := conn.Read(buf)
		got = append(got, buf[:n]...)
		if err != nil {
			return fmt.Errorf("%w after %q", err, got)
		}
	}
	if !strings.HasPrefix(string(got), "HTTP/1.1 200 ") {
		return fmt.Errorf("got %q, want 200", got)
	}
	return nil
}

// 10,000 connections that are opened and left cost so little that others are
// served, and are served themselves when they come back.
func TestTenThousandConnections(t *testing.T) {
	at, pid := startProcess(t, startRaw(t, answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")))
	const atATime = 64
	conns := make([]net.Conn, 10_000)
	t.Cleanup(func() {
		for _, conn := range conns {
			if conn != nil {
				conn.Close()
			}
		}
	})
	all := func(do func(i int) error) {
		t.Helper()
		var group errgroup.Group
		group.SetLimit(atATime)
		for i := range conns {
			group.Go(func() error { return do(i) })
		}
		if err := group.Wait(); err != nil {
			t.Fatal(err)
		}
	}
	all(func(i int) (err error) {
		conns[i], err = net.Dial("tcp", at)
		if err == nil && i%2 == 0 {
			err = get(conns[i]) // the others never send a byte
		}
		return err
	})
	// Whoever has left his connection takes nothing from the next one.
	for range 20 {
		conn, err := net.Dial("tcp", at)
		if err != nil {
			t.Fatal(err)
		}
		if err := get(conn); err != nil {
			t.Errorf("with %d connections open: %v", len(conns), err)
		}
		conn.Close()
	}
	files, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil || len(files) < len(conns) {
		t.Errorf("goproxy has %d files open, %v; want one for each of %d connections", len(files), err, len(conns))
	}
	all(func(i int) error { return get(conns[i]) })
}
