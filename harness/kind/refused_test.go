package kind

import (
	"testing"

	. "github.com/onsi/gomega"
)

// Gentoo loads a module only if its service says so.
func TestModuleInAnIfDefine(t *testing.T) {
	g := NewWithT(t)
	const words = "Invalid command 'ProxyPass', perhaps misspelled or defined by a module not included in the server configuration"
	const gentoo = "<IfDefine SSL>\nLoadModule ssl_module modules/mod_ssl.so\n</IfDefine>\n<IfDefine PROXY>\nLoadModule proxy_module modules/mod_proxy.so\n</IfDefine>\n"
	g.Expect(of(gentoo).Undefined(words)).To(ContainSubstring(`loaded in <IfDefine PROXY>, which is not in force: put "Define PROXY" before it`))
	g.Expect(of("Define PROXY\n" + gentoo).Undefined(words)).To(BeEmpty())
	g.Expect(of("<IfDefine SSL>\n</IfDefine>\nLoadModule proxy_module modules/mod_proxy.so\n").Undefined(words)).To(BeEmpty())
	g.Expect(of("<IfDefine !NOPROXY>\nLoadModule proxy_module modules/mod_proxy.so\n</IfDefine>\n").Undefined(words)).To(BeEmpty())
	g.Expect(of(gentoo).Undefined("Syntax error on line 3")).To(BeEmpty())
}

func TestKeyWithAPassphrase(t *testing.T) {
	g := NewWithT(t)
	c := tree("nginx.conf", "x", "ssl/a.key", "-----BEGIN ENCRYPTED PRIVATE KEY-----\n", "ssl/b.key", "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n", "ssl/c.key", "-----BEGIN PRIVATE KEY-----\n")
	g.Expect(c.Locked(`cannot load certificate key "/etc/nginx/ssl/a.key": PEM_read_bio_PrivateKey() failed`)).To(HavePrefix("ssl/a.key has a private key with a passphrase"))
	g.Expect(c.Locked("Private key a:443:0 (/etc/apache2/ssl/b.key)\nEnter pass phrase:")).To(HavePrefix("ssl/b.key has"))
	g.Expect(c.Locked("ssl/c.key")).To(BeEmpty())
	g.Expect(c.Locked("something else")).To(BeEmpty())
}

// Editors of Windows begin a file with a mark that Caddy knows.
func TestByteOrderMarkOfACaddyfile(t *testing.T) {
	NewWithT(t).Expect(caddyServes(of("\ufeffshop.example.org {\r\n\treverse_proxy a:80\r\n}\r\n")).Hosts).To(Equal([]string{"shop.example.org"}))
}

// What is written with letters of other languages is asked for as DNS has it.
func TestHostOfAnotherLanguage(t *testing.T) {
	g := NewWithT(t)
	c := of("bücher.example.org {\n\treverse_proxy a:80\n}\n")
	g.Expect(caddyServes(c).Hosts).To(Equal([]string{"xn--bcher-kva.example.org"}))
	g.Expect(laid(t, Caddy, c).Spares()).To(ContainElement(ContainSubstring("/xn--bcher-kva.example.org/xn--bcher-kva.example.org.crt")))
	certificate, _ := pairFor("bücher.example.org", "b.example.org")
	g.Expect(certificate).NotTo(BeEmpty())
}

// Hosts may stand in nothing but a map of rewriting rules.
func TestHostsOfARewriteMap(t *testing.T) {
	g := NewWithT(t)
	c := tree("site.conf", "RewriteMap backends \"txt:/etc/httpd/maps/backends.map\"\nRewriteMap low int:tolower\n", "maps/backends.map", "# host backend\nShop.example.org shop:8080\n10.0.0.1 x\nplain y\n")
	g.Expect(apacheServes(c).Hosts).To(Equal([]string{"Shop.example.org"}))
}

// Debian's Traffic Server does not start as root, and becomes nobody else by itself.
func TestUserOfTrafficServer(t *testing.T) {
	g := NewWithT(t)
	const becomes = "PROXY_CONFIG_ADMIN_USER_ID=trafficserver"
	g.Expect(laid(t, TrafficServer, of("map / http://b/\n")).Env).To(BeEmpty(), "the image's records.config says who")
	silent := tree("remap.config", "map / http://b/\n", "records.config", "CONFIG proxy.config.http.server_ports STRING 80\n")
	g.Expect(laid(t, TrafficServer, silent).Env).To(ContainElement(becomes))
	own := tree("remap.config", "map / http://b/\n", "records.config", "CONFIG proxy.config.admin.user_id STRING ats\n")
	g.Expect(laid(t, TrafficServer, own).Env).NotTo(ContainElement(becomes))
}
