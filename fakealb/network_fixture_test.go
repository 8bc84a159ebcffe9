package fakealb_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/fakealb/record"
	"github.com/proxychaos/proxychaos/fakealb/targets"
)

// flows is a server whose load balancer "blue" is a network load balancer.
func flows(t *testing.T, addr string, change func(*fakealb.Config, *fakealb.LoadBalancer), group ...netip.AddrPort) *fixture {
	t.Helper()
	return start(t, func(c *fakealb.Config) {
		lb := fakealb.LoadBalancer{
			Name: "blue", Type: fakealb.TypeNetwork,
			TargetGroup: &targets.Group{Protocol: targets.ProtocolTCP, Targets: targets.At(group...)},
		}
		if change != nil {
			change(c, &lb)
		}
		c.LoadBalancers = []fakealb.LoadBalancer{lb}
	}, addr)
}

// lineTarget answers each line with its name and the line.
type lineTarget struct {
	net.Listener
	name string
	conn chan net.Conn
}

func startLineTarget(t *testing.T, name string) *lineTarget {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	s := &lineTarget{l, name, make(chan net.Conn, 1000)}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { c.Close() })
			go func() {
				in := bufio.NewReader(c)
				for {
					line, err := in.ReadString('\n')
					if err != nil {
						return // and leave the connection as it is
					}
					if _, err := io.WriteString(c, name+" "+line); err != nil {
						return
					}
				}
			}()
		}
	}()
	return s
}

func (s *lineTarget) at() netip.AddrPort { return s.Addr().(*net.TCPAddr).AddrPort() }

func dial(t *testing.T, addr string) *net.TCPConn {
	t.Helper()
	c, err := net.DialTimeout("tcp4", addr, 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c.(*net.TCPConn)
}

// line sends a line and returns the answer.
func line(t *testing.T, c net.Conn, text string) string {
	t.Helper()
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.WriteString(c, text+"\n"); err != nil {
		t.Fatal(err)
	}
	got, err := bufio.NewReader(c).ReadString('\n')
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return strings.TrimSpace(got)
}

func (f *fixture) await(t *testing.T, states ...targets.State) {
	t.Helper()
	eventually(t, fmt.Sprintf("targets %s", states), func() bool {
		list, err := f.Targets(f.ctx, f.nodes[0])
		if err != nil || len(list) != len(states) {
			return false
		}
		for i, h := range list {
			if h.State != states[i] {
				return false
			}
		}
		return true
	})
}

// awaitRow awaits a connection that ended so.
func (f *fixture) awaitRow(t *testing.T, by record.ClosedBy, how string) {
	t.Helper()
	eventually(t, fmt.Sprintf("a connection ended by %s, %s", by, how), func() bool {
		rows, err := f.Connections(f.ctx)
		if err != nil {
			return false
		}
		for _, r := range rows {
			if r.ClosedBy == by && r.How == how && r.Target != "" {
				return true
			}
		}
		return false
	})
}

// awaitActive awaits that ActiveFlowCount is n.
func (f *fixture) awaitActive(t *testing.T, n int) {
	t.Helper()
	want := fmt.Sprintf("ActiveFlowCount{AvailabilityZone=\"a\",LoadBalancer=\"blue\"} %d\n", n)
	eventually(t, want, func() bool { return strings.Contains(f.metrics(t), want) })
}

func (f *fixture) metrics(t *testing.T) string {
	t.Helper()
	resp, err := http.Get(f.server.ControlURL() + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// wantNoFlow connects and wants RST, which may come before Go looks at the
// connection.
func wantNoFlow(t *testing.T, what, addr string) {
	t.Helper()
	c, err := net.DialTimeout("tcp4", addr, 5*time.Second)
	if err == nil {
		defer c.Close()
		_, err = readWithin(c, 5*time.Second)
	}
	if !isReset(err) {
		t.Errorf("%s: got %v, want RST", what, err)
	}
}
