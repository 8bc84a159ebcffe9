package goproxy

import (
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// startServer runs a real server until the test ends, and gives DIR/access.log,
// which its standard output goes to. In the command FILE stands for its config
// file; in that DIR for a folder of its own, ADDR for where it is to listen.
func startServer(t *testing.T, at netip.AddrPort, command []string, config string) (log string) {
	t.Helper()
	dir := t.TempDir()
	log, file := filepath.Join(dir, "access.log"), filepath.Join(dir, "server.conf")
	in := strings.NewReplacer("DIR", dir, "ADDR", at.String(), "FILE", file)
	if err := os.WriteFile(file, []byte(in.Replace(config)), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	var args []string
	for _, arg := range command[1:] {
		args = append(args, in.Replace(arg))
	}
	errs := &syncBuffer{}
	cmd := exec.Command(command[0], args...)
	cmd.Stdout, cmd.Stderr = out, errs
	if err := cmd.Start(); err != nil {
		t.Fatalf("%v; make test installs what the tests need", err)
	}
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		cmd.Wait()
		if t.Failed() {
			t.Logf("%s: %s", command[0], errs)
		}
	})
	eventually(t, 10*time.Second, command[0]+" listens", func() bool {
		conn, err := net.Dial("tcp", at.String())
		if err == nil {
			conn.Close()
		}
		return err == nil
	})
	return log
}

// freeAddr is a port that is free on an address of this test's own.
func freeAddr(t *testing.T) netip.AddrPort {
	t.Helper()
	l, err := net.Listen("tcp", "127.94.2.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).AddrPort()
}
