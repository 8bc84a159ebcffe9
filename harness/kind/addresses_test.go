package kind

import (
	"net/netip"
	"testing"

	. "github.com/onsi/gomega"
)

func TestAddressesThatConnectionsBeginAt(t *testing.T) {
	g := NewWithT(t)
	for text, want := range map[string]string{
		"location / { proxy_bind 10.0.3.1; proxy_pass http://b; }": "10.0.3.1",
		"    ProxySourceAddress 10.0.3.2":                          "10.0.3.2",
		"    source 10.0.3.3:0 interface eth1":                     "10.0.3.3",
		"    server a b:80 source 10.0.3.4":                        "10.0.3.4",
		"tcp_outgoing_address 10.0.3.5 all":                        "10.0.3.5",
		"\ttransport http {\n\t\tlocal_address 10.0.3.6\n\t}":      "10.0.3.6",
	} {
		g.Expect(of(text).SourceAddresses()).To(Equal([]netip.Addr{netip.MustParseAddr(want)}), text)
	}
	g.Expect(of("source 0.0.0.0 usesrc clientip\nproxy_bind $remote_addr transparent;\nresource 10.0.3.7\n# source 10.0.3.8\nsource 127.0.0.1\nsource 10.0.3.9\nsource 10.0.3.9\nserver 10.0.3.10").SourceAddresses()).
		To(Equal([]netip.Addr{netip.MustParseAddr("10.0.3.9")}))
}
