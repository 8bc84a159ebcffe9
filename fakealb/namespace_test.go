package fakealb_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netns"

	"github.com/proxychaos/proxychaos/fakealb"
)

// stage is a fakealb process in a network namespace of its own, joined by a veth
// pair to another namespace where its clients are. Nothing of it touches the
// host's network.
type stage struct {
	*fakealb.Client
	clients string // name of the clients' namespace
	server  string
	ctx     context.Context
}

const stagePort = 8080

// openStage starts the command in nftables mode, with nodes 198.18.90.11, .12 and
// .13 of the load balancer "blue", and with further arguments.
func openStage(t *testing.T, args ...string) *stage {
	t.Helper()
	need(t, "ip", "curl", "nft")
	if os.Geteuid() != 0 {
		t.Fatal("this test makes network namespaces: run it as root")
	}
	id := fmt.Sprintf("fa%d", os.Getpid())
	s := &stage{clients: id + "c", server: id + "s", ctx: t.Context()}
	for _, name := range []string{s.clients, s.server} {
		t.Cleanup(func() { _ = exec.Command("ip", "netns", "del", name).Run() })
		ip(t, "netns", "add", name)
		ip(t, "-n", name, "link", "set", "lo", "up")
	}
	ip(t, "-n", s.clients, "link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns", s.server)
	for name, addr := range map[string]string{s.clients: "198.18.90.1/24", s.server: "198.18.90.2/24"} {
		ip(t, "-n", name, "addr", "add", addr, "dev", "eth0")
		ip(t, "-n", name, "link", "set", "eth0", "up")
	}
	s.startCommand(t, args...)
	return s
}

func (s *stage) startCommand(t *testing.T, args ...string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("ip", append([]string{
		"netns", "exec", s.server, self,
		"--control", "198.18.90.2:0", "--network", "nftables", "--interface", "eth0",
		"--ports", fmt.Sprint(stagePort), "--nodes", "blue=198.18.90.11,198.18.90.12,198.18.90.13",
	}, args...)...)
	cmd.Env = append(os.Environ(), asCommand+"=1")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGINT)
		if err := cmd.Wait(); err != nil {
			t.Errorf("the command after SIGINT: %v", err)
		}
		left, err := exec.Command("ip", "netns", "exec", s.server, "sh", "-c", "nft list tables; ip -br addr show eth0").CombinedOutput()
		if err != nil || strings.Contains(string(left), "fakealb") || strings.Contains(string(left), "198.18.90.11") || strings.Contains(string(left), node6.String()) {
			t.Errorf("left behind after SIGINT: %s, %v", left, err)
		}
	})
	line := make(chan string, 1)
	go func() {
		text, _ := bufio.NewReader(out).ReadString('\n')
		line <- strings.TrimSpace(text)
	}()
	select {
	case url := <-line:
		if url == "" {
			t.Fatal("the command ended without a control URL")
		}
		tr := &http.Transport{DialContext: func(_ context.Context, _, addr string) (net.Conn, error) {
			return s.dial(addr, 0, 5*time.Second)
		}}
		t.Cleanup(tr.CloseIdleConnections)
		s.Client = fakealb.NewClient(url, &http.Client{Transport: tr})
	case <-time.After(10 * time.Second):
		t.Fatal("the command printed no control URL within 10 s")
	}
}

// dial connects from the clients' namespace. A socket belongs to the namespace of
// the thread that made it; that thread is given up afterwards.
func (s *stage) dial(addr string, localPort int, timeout time.Duration) (net.Conn, error) {
	type result struct {
		c   net.Conn
		err error
	}
	done := make(chan result)
	go func() {
		runtime.LockOSThread()
		ns, err := netns.GetFromName(s.clients)
		if err == nil {
			defer ns.Close()
			err = netns.Set(ns)
		}
		if err != nil {
			done <- result{err: err}
			return
		}
		d := net.Dialer{Timeout: timeout}
		if localPort != 0 {
			d.LocalAddr = &net.TCPAddr{IP: net.IPv4(198, 18, 90, 1), Port: localPort}
		}
		c, err := d.Dial("tcp", addr)
		done <- result{c, err}
	}()
	r := <-done
	return r.c, r.err
}

func (s *stage) node(last byte) netip.Addr { return netip.AddrFrom4([4]byte{198, 18, 90, last}) }

func (s *stage) at(last byte) string {
	return netip.AddrPortFrom(s.node(last), stagePort).String()
}

func (s *stage) warm(t *testing.T, last byte) net.Conn {
	t.Helper()
	c, err := s.dial(s.at(last), 0, 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if got := ask(t, c, "warm"); !strings.Contains(got, "seq=warm") {
		t.Fatalf("the first request: got %q", got)
	}
	return c
}

func ip(t *testing.T, args ...string) {
	t.Helper()
	if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
		t.Fatalf("ip %s: %v: %s", strings.Join(args, " "), err, out)
	}
}
