package peer

import (
	"context"
	"fmt"
	"strings"
)

// zone holds all names that the resolvers are asked for.
const zone = "bench.example"

// Names are what the resolvers are asked for.
func Names() []string {
	names := make([]string, 100)
	for i := range names {
		names[i] = fmt.Sprintf("host-%02d.%s", i, zone)
	}
	return names
}

// CoreDNS starts CoreDNS with a zone file and its log, which goes to a file.
func (s *Shop) CoreDNS(ctx context.Context, addresses ...string) (*Server, error) {
	program, err := s.install(ctx, CoreDNS)
	if err != nil {
		return nil, err
	}
	addr, err := FreeAddr(ctx)
	if err != nil {
		return nil, err
	}
	server := &Server{Name: "coredns", Version: CoreDNS.Version, Addr: addr}
	var records strings.Builder
	fmt.Fprintf(&records, "$TTL 60\n%[1]s. IN SOA ns.%[1]s. root.%[1]s. 1 7200 900 1209600 86400\n%[1]s. IN NS ns.%[1]s.\n", zone)
	for _, name := range Names() {
		for _, a := range addresses {
			fmt.Fprintf(&records, "%s. IN A %s\n", name, a)
		}
	}
	zoneFile, err := s.file("coredns.zone", records.String())
	if err != nil {
		return nil, err
	}
	file, err := s.file("Corefile", fmt.Sprintf("%s:%d {\n bind %s\n file %s\n log\n errors\n}\n",
		zone, server.Addr.Port(), server.Addr.Addr(), zoneFile))
	if err != nil {
		return nil, err
	}
	return s.launch(ctx, server, program, "-conf", file)
}

// Dnsmasq starts dnsmasq with a hosts file. With logged it writes every query
// and answer to a file.
func (s *Shop) Dnsmasq(ctx context.Context, logged bool, addresses ...string) (*Server, error) {
	server, err := s.peer(ctx, "dnsmasq", "dnsmasq", "--version")
	if err != nil {
		return nil, err
	}
	var hosts strings.Builder
	for _, name := range Names() {
		for _, a := range addresses {
			fmt.Fprintf(&hosts, "%s %s\n", a, name)
		}
	}
	hostsFile, err := s.file("dnsmasq.hosts", hosts.String())
	if err != nil {
		return nil, err
	}
	argv := []string{
		"dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--pid-file=", "--user=root",
		"--no-resolv", "--no-hosts", "--addn-hosts=" + hostsFile, "--local-ttl=60", "--bind-interfaces",
		"--listen-address=" + server.Addr.Addr().String(), fmt.Sprintf("--port=%d", server.Addr.Port()),
		"--log-facility=-",
	}
	if logged {
		argv = append(argv, "--log-queries")
	}
	return s.launch(ctx, server, argv...)
}
