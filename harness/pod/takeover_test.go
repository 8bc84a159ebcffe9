package pod

import (
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	mdns "github.com/miekg/dns"
	"github.com/vishvananda/netlink"

	"github.com/proxychaos/proxychaos/fakedns"
	"github.com/proxychaos/proxychaos/harness/fault"
)

func setName(t *testing.T, c *Client, name string, addrs ...string) *fakedns.Client {
	t.Helper()
	n := fakedns.Name{Name: name, TTL: 3 * time.Second, Order: fakedns.OrderFixed}
	for _, a := range addrs {
		n.A = append(n.A, netip.MustParseAddr(a))
	}
	dns := fakedns.NewClient(c.DNS(), nil)
	if _, err := dns.PutNames(timely(t), n); err != nil {
		t.Fatal(err)
	}
	return dns
}

// Whoever is asked, fakedns answers, over UDP and TCP and in both address families,
// and records who was asked: addresses of the namespace, of its network, of nowhere.
func TestAnswersAtEveryAddress(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	addInterface(t, "198.19.5.2/24")
	c := startAgent(t)
	dns := setName(t, c, "backend.test", "198.18.1.10", "198.18.1.11")
	resolvers := []string{
		"127.0.0.1:53", "127.0.0.11:53", "127.0.0.53:53", "198.19.5.2:53", "198.19.5.21:53", "169.254.169.253:53",
		"10.0.0.2:53", "8.8.8.8:53", "[::1]:53", "[fd00:ec2::253]:53", "[2001:4860:4860::8888]:53", "127.0.0.1:8600", "10.0.0.2:5353",
	}
	for _, text := range resolvers {
		r := netip.MustParseAddrPort(text)
		probe, err := c.ProbeDNS(timely(t), DNSRequest{Resolver: r, Name: "backend.test", Type: "A"})
		if err != nil {
			t.Fatal(err)
		}
		if probe.Result != fault.Answered || probe.RCode != "NOERROR" || len(probe.Answers) != 2 || probe.TTLSeconds != 3 {
			t.Errorf("asked at %s: got %+v, want two answers with TTL 3", r, probe)
		}
		for _, network := range []string{"udp", "tcp"} { // as a proxy does, from no address of its choice
			asked := new(mdns.Msg).SetQuestion("backend.test.", mdns.TypeA)
			got, _, err := (&mdns.Client{Net: network, Timeout: 5 * time.Second}).ExchangeContext(timely(t), asked, text)
			if err != nil || len(got.Answer) != 2 {
				t.Errorf("asked at %s over %s: got %v, %v, want two answers", text, network, got, err)
			}
		}
	}
	queries, err := dns.Queries(timely(t), fakedns.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	if len(queries) != 3*len(resolvers) {
		t.Fatalf("got %d queries, want %d", len(queries), 3*len(resolvers))
	}
	for i, q := range queries {
		if q.Resolver.String() != resolvers[i/3] || IsProbe(q.Client) != (i%3 == 0) {
			t.Errorf("query %d: got resolver %s and client %s, want %s, and the first of three from a probe", i, q.Resolver, q.Client, resolvers[i/3])
		}
	}
}

func TestDNSProbeResults(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	c := startAgent(t)
	dns := setName(t, c, "backend.test", "198.18.1.10")
	ask := func(resolver, name string) DNSProbe {
		probe, err := c.ProbeDNS(timely(t), DNSRequest{Resolver: netip.MustParseAddrPort(resolver), Name: name, Type: "A", Timeout: Duration(100 * time.Millisecond)})
		if err != nil {
			t.Fatal(err)
		}
		return probe
	}
	if got := ask("127.0.0.1:53", "other.test"); got.Result != fault.Answered || got.RCode != "NXDOMAIN" {
		t.Errorf("unknown name: got %+v, want NXDOMAIN", got)
	}
	six := netip.MustParseAddr("2001:db8::1")
	if _, err := dns.PutNames(timely(t), fakedns.Name{Name: "six.test", AAAA: []netip.Addr{six}, TTL: time.Second}); err != nil {
		t.Fatal(err)
	}
	probe, err := c.ProbeDNS(timely(t), DNSRequest{Resolver: netip.MustParseAddrPort("127.0.0.1:53"), Name: "six.test", Type: "AAAA"})
	if err != nil || len(probe.Answers) != 1 || probe.Answers[0] != six {
		t.Errorf("AAAA: got %+v, %v, want %s", probe, err, six)
	}
	if _, err := c.ProbeDNS(timely(t), DNSRequest{Resolver: netip.MustParseAddrPort("127.0.0.1:53"), Name: "six.test", Type: "MX"}); err == nil {
		t.Error("type MX: got no error")
	}
	if got := ask("127.0.0.99:54", "backend.test"); got.Result != fault.Refused {
		t.Errorf("nothing listens: got %+v, want refused", got)
	}
	if _, err := dns.PutFault(timely(t), fakedns.Fault{ID: "mute", Kind: fakedns.KindSilence}); err != nil {
		t.Fatal(err)
	}
	if got := ask("127.0.0.1:53", "backend.test"); got.Result != fault.Silent || time.Duration(got.Took) < 100*time.Millisecond {
		t.Errorf("silent resolver: got %+v, want silence after 100ms", got)
	}
}

// Docker's rules send 127.0.0.11:53 to a port of its own; they must lose.
func TestAnswersInPlaceOfDocker(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	addDockerRules(t)
	c := startAgent(t)
	setName(t, c, "backend.test", "198.18.1.10")
	probe, err := c.ProbeDNS(timely(t), DNSRequest{Resolver: netip.MustParseAddrPort("127.0.0.11:53"), Name: "backend.test", Type: "A"})
	if err != nil {
		t.Fatal(err)
	}
	if probe.RCode != "NOERROR" {
		t.Errorf("got %+v, want fakedns's answer", probe)
	}
	undo, err := bypassDockerDNS()
	if err != nil {
		t.Fatalf("a second time: %v", err)
	}
	if err := undo(); err != nil {
		t.Fatal(err)
	}
	probe, err = c.ProbeDNS(timely(t), DNSRequest{Resolver: netip.MustParseAddrPort("127.0.0.11:53"), Name: "backend.test", Type: "A"})
	if err != nil {
		t.Fatal(err)
	}
	if probe.Result != fault.Refused {
		t.Errorf("without the bypass: got %+v, want Docker's rule to send it where nothing listens", probe)
	}
	if _, err := bypassDockerDNS(); err != nil { // for the agent to take away
		t.Fatal(err)
	}
}

// addDockerRules sends every 127.0.0.11:53 to 127.0.0.11:40053, as Docker does.
func addDockerRules(t *testing.T) {
	t.Helper()
	conn, err := nftables.New()
	if err != nil {
		t.Fatal(err)
	}
	table := conn.AddTable(&nftables.Table{Name: "nat", Family: nftables.TableFamilyIPv4})
	chain := conn.AddChain(&nftables.Chain{
		Name: "OUTPUT", Table: table, Type: nftables.ChainTypeNAT,
		Hooknum: nftables.ChainHookOutput, Priority: nftables.ChainPriorityNATDest,
	})
	conn.AddRule(&nftables.Rule{Table: table, Chain: chain, Exprs: []expr.Any{
		&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: 1},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{17}},
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseNetworkHeader, Offset: 16, Len: 4},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{127, 0, 0, 11}},
		&expr.Immediate{Register: 1, Data: []byte{127, 0, 0, 11}},
		&expr.Immediate{Register: 2, Data: []byte{40053 >> 8, 40053 & 0xff}},
		&expr.NAT{Type: expr.NATTypeDestNAT, Family: uint32(nftables.TableFamilyIPv4), RegAddrMin: 1, RegProtoMin: 2},
	}})
	if err := conn.Flush(); err != nil {
		t.Fatal(err)
	}
}

func TestPutsTheNamespaceBack(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	conf := filepath.Join(t.TempDir(), "resolv.conf")
	const before = "nameserver 192.0.2.1\nsearch a-long-domain.example that.makes.the.file.longer\n"
	if err := os.WriteFile(conf, []byte(before), 0o644); err != nil {
		t.Fatal(err)
	}
	inode := fileInfo(t, conf)
	t.Run("while it runs", func(t *testing.T) {
		agent, err := New(Config{
			Control: netip.MustParseAddrPort("127.0.0.1:0"), ResolvConf: conf,
		})
		if err != nil {
			t.Fatal(err)
		}
		undo, err := agent.takeOver()
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := os.ReadFile(conf); string(got) != resolvConf {
			t.Errorf("resolv.conf: got %q, want %q", got, resolvConf)
		}
		if !os.SameFile(inode, fileInfo(t, conf)) {
			t.Error("resolv.conf was replaced, want it rewritten in place")
		}
		for _, step := range slices.Backward(undo) {
			if err := step(); err != nil {
				t.Error(err)
			}
		}
	})
	if got, _ := os.ReadFile(conf); string(got) != before {
		t.Errorf("resolv.conf after: got %q, want %q", got, before)
	}
	wantNoRouting(t)
	conn, err := nftables.New()
	if err != nil {
		t.Fatal(err)
	}
	if tables, err := conn.ListTables(); err != nil || len(tables) != 0 {
		t.Errorf("nftables after: got %d tables, %v, want none", len(tables), err)
	}
}

// wantNoRouting wants no rule or route of the agent's in the namespace.
func wantNoRouting(t *testing.T) {
	t.Helper()
	rules, err := netlink.RuleList(netlink.FAMILY_ALL)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rules {
		if r.Table == dnsTable {
			t.Errorf("left behind: %s", r)
		}
	}
	routes, err := netlink.RouteListFiltered(netlink.FAMILY_ALL, &netlink.Route{Table: dnsTable}, netlink.RT_FILTER_TABLE)
	if err != nil || len(routes) != 0 {
		t.Errorf("left behind: %v, %v", routes, err)
	}
}

func fileInfo(t *testing.T, path string) os.FileInfo {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info
}

func TestRunFailsIfTheDNSPortIsTaken(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	listen(t, "127.0.0.53:53", nil)
	conf := filepath.Join(t.TempDir(), "resolv.conf")
	if err := os.WriteFile(conf, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	agent, err := New(Config{
		Control: netip.MustParseAddrPort("127.0.0.1:0"), ResolvConf: conf,
	})
	if err != nil {
		t.Fatal(err)
	}
	err = agent.Run(t.Context())
	if err == nil || !strings.Contains(err.Error(), "0.0.0.0:53") {
		t.Errorf("got %v, want an error about 0.0.0.0:53", err)
	}
	wantNoRouting(t)
}
