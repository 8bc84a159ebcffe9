package pod

import (
	"net"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/google/nftables"
)

// The proxy gets the addresses that it listens on, and only those that the namespace has
// not; afterwards all is as before.
func TestAddressesOfTheMachine(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	addInterface(t, "198.19.5.2/24")
	if err := os.WriteFile("/proc/sys/net/ipv4/ip_nonlocal_bind", []byte("1"), 0o644); err != nil {
		t.Fatal(err)
	}
	machine := netip.MustParseAddr("203.0.113.10")
	socket, err := net.Listen("tcp4", "203.0.113.10:8080")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = socket.Close() }()
	reached := func() bool {
		c, err := net.DialTimeout("tcp4", "203.0.113.10:8080", time.Second)
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	}
	if reached() {
		t.Fatal("the address is there before it is given")
	}
	own := ownAddresses{}
	for range 2 { // it is asked for again and again
		if err := own.take([]Listener{
			{Addr: machine, Port: 8080},
			{Addr: netip.IPv6Unspecified(), Port: 8080},
			{Addr: machine, Port: 8443},
			{Addr: netip.MustParseAddr("203.0.113.11"), Port: 8443},
			{Addr: netip.MustParseAddr("198.19.5.2"), Port: 81},
			{Addr: netip.IPv4Unspecified(), Port: 80},
			{Addr: netip.MustParseAddr("203.0.113.13"), Port: 80},
			{Addr: netip.MustParseAddr("127.0.0.1"), Port: 82},
			{Addr: netip.MustParseAddr("2001:db8::1"), Port: 83},
		}); err != nil {
			t.Fatal(err)
		}
	}
	if !reached() {
		t.Error("the address that the proxy listens on is not there")
	}
	if len(own.added) != 1 || len(own.sent) != 2 || own.sent[8080] != machine || own.sent[8443] != machine {
		t.Errorf("got addresses %v and ports %v, want %s and the ports 8080 and 8443", own.added, own.sent, machine)
	}
	from := func(addr string) error {
		d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(addr)}, Timeout: time.Second}
		c, err := d.Dial("tcp4", "203.0.113.10:8080")
		if err == nil {
			_ = c.Close()
		}
		return err
	}
	if from("203.0.113.20") == nil {
		t.Fatal("a connection begins at an address before it is given")
	}
	given := []netip.Addr{netip.MustParseAddr("203.0.113.20"), machine, netip.MustParseAddr("203.0.113.20")}
	for n := range byte(200) {
		given = append(given, netip.AddrFrom4([4]byte{203, 0, 114, n}))
	}
	for range 2 {
		if err := own.give(given); err != nil {
			t.Fatal(err)
		}
	}
	if got := own.addresses(); len(got) != 202 || got[0] != machine || got[1] != given[0] {
		t.Errorf("got %d addresses, the first %v, want 202, those in the order in which they came", len(got), got[:min(2, len(got))])
	}
	if err := from("203.0.113.20"); err != nil {
		t.Errorf("a connection does not begin at the address that was given: %v", err)
	}
	if err := own.giveBack(); err != nil {
		t.Fatal(err)
	}
	if reached() || from("203.0.113.20") == nil {
		t.Error("the address is there after it was taken away")
	}
	conn, err := nftables.New()
	if err != nil {
		t.Fatal(err)
	}
	if tables, err := conn.ListTables(); err != nil || len(tables) != 0 {
		t.Errorf("nftables after: got %d tables, %v, want none", len(tables), err)
	}
}
