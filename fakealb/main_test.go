package fakealb_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/fakealb/record"
)

// asCommand makes the test binary behave as "proxychaos fakealb", so that tests
// can run it in a network namespace of its own.
const asCommand = "FAKEALB_TEST_AS_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		cmd := fakealb.Command()
		cmd.SetArgs(os.Args[1:])
		if err := cmd.ExecuteContext(context.Background()); err != nil {
			fmt.Fprintln(os.Stderr, "error:", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// need fails the test where a real tool is missing.
func need(t *testing.T, tools ...string) {
	t.Helper()
	for _, tool := range tools {
		if _, err := exec.LookPath(tool); err != nil {
			t.Fatalf("this test needs %s: .ci/packages installs it, and make test calls that", tool)
		}
	}
}

// freePort returns a port that is free on every address given at this moment.
// Addresses of 127.0.0.0/8 are ours alone, so nothing takes it in between.
func freePort(t *testing.T, addr netip.Addr) uint16 {
	t.Helper()
	l, err := net.Listen("tcp4", net.JoinHostPort(addr.String(), "0"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).AddrPort().Port()
}

// fixture is a user-space server with its client.
type fixture struct {
	*fakealb.Client
	server *fakealb.Server
	port   uint16
	nodes  []netip.Addr
	ctx    context.Context
}

// start runs a server with nodes of the load balancer "blue" on the addresses.
func start(t *testing.T, change func(*fakealb.Config), addrs ...string) *fixture {
	t.Helper()
	f := &fixture{ctx: t.Context()}
	config := fakealb.Config{
		Network:       fakealb.NetworkUserspace,
		LoadBalancers: []fakealb.LoadBalancer{{Name: "blue", Targets: 2}},
	}
	for _, a := range addrs {
		addr := netip.MustParseAddr(a)
		f.nodes = append(f.nodes, addr)
		config.Nodes = append(config.Nodes, fakealb.Node{Addr: addr, LoadBalancer: "blue", Zone: "a"})
	}
	f.port = freePort(t, f.nodes[0])
	config.Ports = []uint16{f.port}
	if change != nil {
		change(&config)
	}
	s, err := fakealb.New(config)
	if err != nil {
		t.Fatal(err)
	}
	f.server, f.Client = s, fakealb.NewClient(s.ControlURL(), nil)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("Run: %v", err)
			}
		case <-time.After(10 * time.Second):
			t.Error("Run did not end within 10 s of its context")
		}
	})
	return f
}

func (f *fixture) at(i int) string {
	return netip.AddrPortFrom(f.nodes[i], f.port).String()
}

// finished awaits n attempts, each with its end: a row is completed when the
// response has been written, and its client may be faster than that.
func (f *fixture) finished(t *testing.T, n int) []record.Attempt {
	t.Helper()
	var rows []record.Attempt
	eventually(t, fmt.Sprintf("%d finished attempts", n), func() bool {
		var err error
		rows, err = f.Attempts(f.ctx)
		return err == nil && len(rows) == n && !slices.ContainsFunc(rows, func(a record.Attempt) bool { return a.End.IsZero() })
	})
	return rows
}

// curl runs curl and returns its output.
func curl(t *testing.T, args ...string) string {
	t.Helper()
	need(t, "curl")
	out, err := exec.Command("curl", append([]string{"-sS", "--max-time", "10"}, args...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("curl %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// set puts a fault on and fails the test if that does not work.
func (f *fixture) set(t *testing.T, kind fakealb.FaultKind, nodes ...netip.Addr) fakealb.Applied {
	t.Helper()
	a, err := f.SetFault(f.ctx, kind, nodes...)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// warmConn opens a connection and sends one request on it.
func warmConn(t *testing.T, addr string) *net.TCPConn {
	t.Helper()
	c, err := net.DialTimeout("tcp4", addr, 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if answer := ask(t, c, "warm"); !strings.Contains(answer, "seq=warm") {
		t.Fatalf("the first request on a new connection: got %q", answer)
	}
	return c.(*net.TCPConn)
}

// ask sends a request and returns what arrives in one read.
func ask(t *testing.T, c net.Conn, seq string) string {
	t.Helper()
	send(t, c, seq)
	_ = c.SetReadDeadline(time.Now().Add(5 * time.Second))
	buf := make([]byte, 4096)
	n, err := c.Read(buf)
	if err != nil {
		t.Fatalf("request %s: %v", seq, err)
	}
	return string(buf[:n])
}

func send(t *testing.T, c net.Conn, seq string) {
	t.Helper()
	if _, err := fmt.Fprintf(c, "GET /%s HTTP/1.1\r\nHost: x\r\nx-proxychaos-seq: %s\r\n\r\n", seq, seq); err != nil {
		t.Fatalf("send request %s: %v", seq, err)
	}
}

// readWithin reads once with a deadline.
func readWithin(c net.Conn, d time.Duration) (string, error) {
	_ = c.SetReadDeadline(time.Now().Add(d))
	buf := make([]byte, 4096)
	n, err := c.Read(buf)
	return string(buf[:n]), err
}

func isReset(err error) bool   { return errors.Is(err, syscall.ECONNRESET) }
func isRefused(err error) bool { return errors.Is(err, syscall.ECONNREFUSED) }
func isTimeout(err error) bool {
	var t interface{ Timeout() bool }
	return errors.As(err, &t) && t.Timeout()
}

// eventually awaits evidence.
func eventually(t *testing.T, what string, check func() bool) {
	t.Helper()
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		if check() {
			return
		}
	}
	t.Fatalf("not seen within 5 s: %s", what)
}
