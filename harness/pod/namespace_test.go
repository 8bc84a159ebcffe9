package pod

import (
	"context"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

const (
	inside     = "PROXYCHAOS_POD_INSIDE"
	podtestEnv = "PROXYCHAOS_POD_PODTEST"
)

// podtest builds the program that tests run beside the agent, static so that it
// also runs in an image with nothing else in it.
var podtest = sync.OnceValues(func() (string, error) {
	if path := os.Getenv(podtestEnv); path != "" {
		return path, nil
	}
	dir, err := os.MkdirTemp("", "podtest-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "podtest")
	build := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", path, "./internal/podtest")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	build.Stdout, build.Stderr = os.Stderr, os.Stderr
	return path, build.Run()
})

func TestMain(m *testing.M) {
	os.Setenv("TESTCONTAINERS_RYUK_DISABLED", "true") // its image is of a public registry
	code := m.Run()
	if path, err := podtest(); err == nil && os.Getenv(inside) == "" {
		os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(code)
}

// inNamespace runs the calling test again in a process with network, process
// and mount namespaces of its own, as the agent has in its container. It
// returns true there; where it returns false the test is over.
func inNamespace(t *testing.T) bool {
	t.Helper()
	if os.Getenv(inside) != "" {
		if err := syscall.Mount("proc", "/proc", "proc", 0, ""); err != nil {
			t.Fatalf("mount /proc: %v", err)
		}
		lo, err := netlink.LinkByName("lo")
		if err != nil {
			t.Fatal(err)
		}
		if err := netlink.LinkSetUp(lo); err != nil {
			t.Fatal(err)
		}
		return true
	}
	if os.Geteuid() != 0 {
		t.Fatal("this test makes a network namespace: run it as root")
	}
	helper, err := podtest()
	if err != nil {
		t.Fatalf("build ./internal/podtest: %v", err)
	}
	args := []string{"-test.run=^" + t.Name() + "$", "-test.count=1", "-test.timeout=60s"}
	if testing.Verbose() {
		args = append(args, "-test.v")
	}
	cmd := exec.Command("/proc/self/exe", args...)
	// The race detector would sleep a second at the end of each process.
	cmd.Env = append(os.Environ(), inside+"=1", podtestEnv+"="+helper, "GORACE=atexit_sleep_ms=0")
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:   syscall.CLONE_NEWNET | syscall.CLONE_NEWPID,
		Unshareflags: syscall.CLONE_NEWNS,
		Pdeathsig:    syscall.SIGKILL,
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("in its namespace: %v\n%s", err, out)
	}
	t.Logf("in its namespace:\n%s", out)
	return false
}

// addInterface gives the namespace an interface as the engine does.
func addInterface(t *testing.T, cidr string) {
	t.Helper()
	link := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "eth0"}, PeerName: "far0"}
	addr, err := netlink.ParseAddr(cidr)
	if err != nil {
		t.Fatal(err)
	}
	if addr.IP.To4() == nil {
		addr.Flags = unix.IFA_F_NODAD
	}
	for _, step := range []func() error{
		func() error { return netlink.LinkAdd(link) },
		func() error { return netlink.AddrAdd(link, addr) },
		func() error { return netlink.LinkSetUp(link) },
	} {
		if err := step(); err != nil {
			t.Fatal(err)
		}
	}
}

// startAgent runs an agent until the test ends, and returns its client.
func startAgent(t *testing.T, with ...func(*Config)) *Client {
	t.Helper()
	conf := filepath.Join(t.TempDir(), "resolv.conf")
	if err := os.WriteFile(conf, []byte("nameserver 192.0.2.1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	cfg := Config{Control: netip.MustParseAddrPort("127.0.0.1:0"), ResolvConf: conf, Seed: 1}
	for _, set := range with {
		set(&cfg)
	}
	agent, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- agent.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	client := NewClient("http://" + agent.Addr().String())
	if _, err := client.Health(timely(t)); err != nil {
		cancel()
		t.Fatalf("%v; Run: %v", err, <-done)
	}
	return client
}

// timely is a context for one call that must not hang.
func timely(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// eventually waits until the condition holds.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !condition(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("after 10s still not so: %s", what)
		}
	}
}

// listen opens a TCP listener for the test, whose connections go to serve and
// are closed when the test ends.
func listen(t *testing.T, addr string, serve func(net.Conn)) netip.AddrPort {
	t.Helper()
	l, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var work sync.WaitGroup
	t.Cleanup(func() {
		cancel()
		l.Close()
		work.Wait()
	})
	work.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			context.AfterFunc(ctx, func() { conn.Close() })
			work.Go(func() { serve(conn) })
		}
	})
	return netip.MustParseAddrPort(l.Addr().String())
}

// runPodtest starts the helper program until the test ends, and waits until it
// says that it is ready.
func runPodtest(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	path, err := podtest()
	if err != nil {
		t.Fatalf("build ./internal/podtest: %v", err)
	}
	cmd := exec.Command(path, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	ready := make([]byte, len("ready\n"))
	if _, err := out.Read(ready); err != nil || string(ready) != "ready\n" {
		t.Fatalf("podtest %v: got %q, %v, want ready", args, ready, err)
	}
	return cmd
}
