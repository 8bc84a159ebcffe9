package pod

import (
	"io"
	"net"
	"net/netip"
	"path/filepath"
	"testing"

	"github.com/google/nftables"
)

// echo says its name, and what it was told until the end.
func echo(t *testing.T, address, name string) {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				told, _ := io.ReadAll(conn)
				_, _ = io.WriteString(conn, name+" "+string(told))
				_ = conn.Close()
			}()
		}
	}()
}

// greet says something to an address and returns the answer.
func greet(t *testing.T, network, address string) (string, error) {
	t.Helper()
	conn, err := net.Dial(network, address)
	if err != nil {
		return "", err
	}
	defer func() { _ = conn.Close() }()
	if _, err := io.WriteString(conn, "hello"); err != nil {
		return "", err
	}
	if err := conn.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
		return "", err
	}
	answer, err := io.ReadAll(conn)
	return string(answer), err
}

// What nothing else takes at a loopback address, or at another one of the machine, reaches the node at the same port; what
// listens there itself is left alone.
func TestApplicationsBesideTheProxy(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	addInterface(t, "198.19.5.2/24")
	for _, port := range []string{"3000", "8080", "80"} {
		echo(t, "198.19.5.2:"+port, "node "+port)
	}
	echo(t, "127.0.0.1:8080", "own")
	echo(t, "0.0.0.0:8081", "own")
	echo(t, "[::1]:8082", "own")
	sockets := t.TempDir()
	c := startAgent(t, func(cfg *Config) { cfg.Sockets = sockets })
	if _, err := greet(t, "tcp", "127.0.0.1:3000"); err == nil {
		t.Error("something answers before it is asked for")
	}
	machine, later := netip.MustParseAddr("203.0.113.20"), netip.MustParseAddr("203.0.113.21")
	if err := c.SetAddresses(timely(t), AddressesRequest{Addresses: []netip.Addr{machine}}); err != nil {
		t.Fatal(err)
	}
	if _, err := greet(t, "tcp", "203.0.113.20:3000"); err == nil {
		t.Error("something answers at an address of the machine before it is asked for")
	}
	if err := c.SetBeside(timely(t), BesideRequest{Node: netip.MustParseAddr("198.19.5.2")}); err != nil {
		t.Fatal(err)
	}
	if err := c.SetAddresses(timely(t), AddressesRequest{Addresses: []netip.Addr{machine, later}}); err != nil {
		t.Fatal(err)
	}
	for _, to := range []struct{ network, address, want string }{
		{"tcp", "127.0.0.1:3000", "node 3000 hello"},
		{"tcp", "127.0.0.1:3000", "node 3000 hello"},
		{"tcp", "127.10.0.1:8080", "node 8080 hello"},
		{"tcp", "[::1]:8080", "node 8080 hello"},
		{"tcp", "127.0.0.1:8080", "own hello"},
		{"tcp", "127.0.0.2:8081", "own hello"},
		{"tcp", "[::1]:8082", "own hello"},
		{"tcp", "198.19.5.2:3000", "node 3000 hello"},
		{"tcp", "203.0.113.20:3000", "node 3000 hello"},
		{"tcp", "203.0.113.20:8081", "own hello"},
		{"tcp", "203.0.113.21:8080", "node 8080 hello"},
		{"unix", filepath.Join(sockets, AppSocket), "node 80 hello"},
		{"tcp", "127.0.0.1:9", ""}, // the node has no such port
	} {
		if got, err := greet(t, to.network, to.address); got != to.want || to.want != "" && err != nil {
			t.Errorf("%s: got %q, %v, want %q", to.address, got, err, to.want)
		}
	}
	if listeners, err := c.Listeners(timely(t), 0); err != nil || len(listeners) != 0 {
		t.Errorf("got the listeners %v, %v, want none: the agent's are not the proxy's", listeners, err)
	}
	if err := c.SetBeside(timely(t), BesideRequest{Node: netip.MustParseAddr("198.19.5.3")}); err == nil {
		t.Error("it can be set twice")
	}
}

func TestTheNodeOfApplicationsIsOne(t *testing.T) {
	for _, wrong := range []netip.Addr{{}, netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("::1")} {
		if _, err := startBeside(BesideRequest{Node: wrong}, ""); err == nil {
			t.Errorf("%s is taken for a node", wrong)
		}
	}
}

func TestApplicationsLeaveNothing(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	b, err := startBeside(BesideRequest{Node: netip.MustParseAddr("198.19.5.2")}, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := b.stop(); err != nil {
		t.Fatal(err)
	}
	conn, err := nftables.New()
	if err != nil {
		t.Fatal(err)
	}
	if tables, err := conn.ListTables(); err != nil || len(tables) != 0 {
		t.Errorf("nftables after: got %d tables, %v, want none", len(tables), err)
	}
}
