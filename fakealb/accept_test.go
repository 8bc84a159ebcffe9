package fakealb_test

import (
	"net"
	"syscall"
	"testing"
)

// A node that has run out of file descriptors says so, and serves on when there
// are some again.
func TestNodeSurvivesWantOfFileDescriptors(t *testing.T) {
	f := start(t, nil, "127.0.71.14")
	warmConn(t, f.at(0)).Close()
	var taken []int
	var old syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &old); err != nil {
		t.Fatal(err)
	}
	restore := func() { _ = syscall.Setrlimit(syscall.RLIMIT_NOFILE, &old) }
	t.Cleanup(restore)
	c, err := net.Dial("tcp4", f.at(0)) // the client's own descriptor comes first
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ask(t, c, "1")
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(fd)
	if _, err := f.Status(f.ctx); err != nil { // leaves a connection for the next call
		t.Fatal(err)
	}
	low := old
	low.Cur = uint64(fd) + 16
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &low); err != nil {
		t.Fatal(err)
	}
	for { // take what is left
		d, err := syscall.Dup(fd)
		if err != nil {
			break
		}
		defer syscall.Close(d)
		taken = append(taken, d)
	}
	port := int(f.port)
	if err := syscall.Connect(fd, &syscall.SockaddrInet4{Port: port, Addr: f.nodes[0].As4()}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the error in the status", func() bool {
		st, err := f.Status(f.ctx) // on the connection that is open already
		return err == nil && st.AcceptErrors > 0
	})
	restore()
	if len(taken) == 0 {
		t.Error("no file descriptor was there to take")
	}
	eventually(t, "the connection accepted at last", func() bool {
		rows, err := f.Connections(f.ctx)
		return err == nil && len(rows) == 3
	})
}
