package kind

import (
	"net/netip"
	"testing"

	. "github.com/onsi/gomega"
)

func TestTheResolvConfOfAMachineIsNoConfiguration(t *testing.T) {
	g := NewWithT(t)
	const text = "# by kubelet\nnameserver 10.96.0.10\nnameserver 169.254.20.10\nsearch a.svc.cluster.local svc.cluster.local\noptions ndots:5\n"
	for _, name := range ResolvConfs {
		c := tree("nginx.conf", "events {}\nhttp { resolver 10.96.0.10; }", name, text)
		c.TakeResolvConf()
		g.Expect(c.names()).To(Equal([]string{"nginx.conf"}), name)
		g.Expect(c.Resolvers).To(HaveField("Name", name))
		g.Expect(string(c.Resolvers.Content)).To(Equal(text))
		g.Expect(c.Remarks()).To(ConsistOf(HavePrefix(name + " is the proxy's /etc/resolv.conf")))
		g.Expect(c.LibcServers()).To(Equal([]netip.AddrPort{netip.MustParseAddrPort("169.254.20.10:53")}), "nginx asks the other one itself")
	}
	for what, text := range map[string]string{
		"a file that nginx.conf includes": "resolver 10.96.0.10 valid=5s;\n", "an empty one": "\n", "words of another language": "nameserver 10.0.0.1\nserver {}\n",
	} {
		c := tree("nginx.conf", "events {}", "resolv.conf", text)
		c.TakeResolvConf()
		g.Expect(c.Resolvers).To(BeNil(), what)
		g.Expect(c.names()).To(HaveLen(2), what)
		g.Expect(c.LibcServers()).To(BeEmpty(), what)
	}
	c := tree("nginx.conf", "events {}", "etc/resolv.conf", "-> ../run/systemd/resolve/stub-resolv.conf")
	c.TakeResolvConf()
	g.Expect(c.Resolvers).To(BeNil())
	g.Expect(c.Remarks()).To(ConsistOf(ContainSubstring("copy the file itself")))
}
