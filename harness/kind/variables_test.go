package kind

import (
	"testing"

	. "github.com/onsi/gomega"
)

// A host that is a variable of the environment is known if ENV gives it, or if it has a
// default.
func TestHostsFromTheEnvironment(t *testing.T) {
	given := Env{Values: map[string]string{"SITE": "shop.example.org"}}
	for name, tc := range map[string]struct {
		kind Name
		text string
		want []string
	}{
		"Apache":             {Apache, "ServerName ${SITE}\nServerAlias ${OTHER}.example.org\n", []string{"shop.example.org", "${OTHER}.example.org"}},
		"HAProxy, quoted":    {HAProxy, "acl a hdr(host) -i \"${SITE}\"\nacl b hdr(host) \"$SITE\"\n", []string{"shop.example.org", "shop.example.org"}},
		"HAProxy, a default": {HAProxy, "acl a hdr(host) -i \"${OTHER-blog.example.org}\"\n", []string{"blog.example.org"}},
		"Caddy":              {Caddy, "{$SITE} {\n\treverse_proxy a:80\n}\n{$OTHER:blog.example.org} {\n\treverse_proxy b:80\n}\n", []string{"shop.example.org", "blog.example.org"}},
	} {
		t.Run(name, func(t *testing.T) {
			c := of(tc.text)
			c.Env = given
			NewWithT(t).Expect(kindOf(t, tc.kind).Hints.Serves(c).Hosts).To(Equal(tc.want))
		})
	}
	g := NewWithT(t)
	c := of("{$SITE} {\n\treverse_proxy a:80\n}\n")
	c.Env = given
	g.Expect(laid(t, Caddy, c).Spares()).To(ContainElement(HaveSuffix("/shop.example.org.crt")), "Caddy would get a certificate for it")
	maps := tree("haproxy.cfg", "use_backend %[base,map_reg(/etc/haproxy/be.map)]", "be.map", "^shop\\.example\\.org(:[0-9]+)?(/.*)?$ shop\n")
	g.Expect(haproxyServes(maps).Hosts).To(Equal([]string{`~^shop\.example\.org(:[0-9]+)?(/.*)?$`}))
}

// Templates of a folder are put in force under their rendered names, the whole one too.
func TestTemplatesOfAFolder(t *testing.T) {
	g := NewWithT(t)
	two, err := tree("a.conf.template", server, "b.conf.template", server, "certs/a.pem", "x").Render()
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(places(laid(t, Nginx, two))).To(And(HaveKeyWithValue("/etc/nginx/conf.d/a.conf", "a.conf.template"), HaveKeyWithValue("/etc/nginx/conf.d/b.conf", "b.conf.template")))
	whole, err := tree("prod.conf.template", wholeNginx, "conf.d/a.conf", server).Render()
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(places(laid(t, Nginx, whole))).To(HaveKeyWithValue(nginxMain, "prod.conf.template"))
}

// The suffixes of templates are those that the official image's entrypoint reads.
func TestSuffixesOfTemplates(t *testing.T) {
	g := NewWithT(t)
	c := tree("templates/a.conf.tmpl", "server { listen ${PORT}; }", "templates/b.conf.stream-template", "server { listen ${PORT}; }", "templates/c.conf.template", "${PORT}", "d.conf.tmpl", "${PORT}")
	c.Env = Env{Values: map[string]string{"PORT": "81", "NGINX_ENVSUBST_TEMPLATE_SUFFIX": ".tmpl"}}
	rendered, err := c.Render()
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(rendered.names()).To(Equal([]string{"conf.d/a.conf", "d.conf.tmpl", "stream-conf.d/b.conf", "templates/c.conf.template"}))
	l := laid(t, Nginx, rendered)
	g.Expect(added(l, nginxMain)).To(And(ContainSubstring("include /etc/nginx/conf.d/*.conf;"), HaveSuffix("\nstream {\n    include /etc/nginx/stream-conf.d/*.conf;\n}\n")))
	only := tree("templates/b.conf.stream-template", "server { listen 81; }")
	rendered, err = only.Render()
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(places(laid(t, Nginx, rendered))).To(HaveKey("/etc/nginx/stream-conf.d/b.conf"))
}

// A variable in upper case that nginx has itself is none of the environment, and neither is one
// that the image is told to leave alone.
func TestVariablesOfNginxInUpperCase(t *testing.T) {
	for name, text := range map[string]string{
		"set":             "set $TENANT a; proxy_pass http://$TENANT;",
		"a map":           "map $host $TENANT { default a; } server { proxy_pass http://$TENANT; }",
		"split_clients":   "split_clients \"${remote_addr}a\" $TENANT { * a; } server { proxy_pass http://${TENANT}; }",
		"a named capture": "server_name ~^(?<TENANT>.+)$; proxy_pass http://$TENANT;",
		"auth_request":    "auth_request_set $TENANT $upstream_http_x; proxy_pass http://$TENANT;",
	} {
		t.Run(name, func(t *testing.T) {
			rendered, err := tree("templates/a.conf.template", text).Render()
			g := NewWithT(t)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(string(rendered.Files[0].Content)).To(Equal(text))
		})
	}
	g := NewWithT(t)
	filtered := tree("templates/a.conf.template", "proxy_pass http://${APP_HOST}:$PORT;")
	filtered.Env = Env{Values: map[string]string{"NGINX_ENVSUBST_FILTER": "^APP_", "APP_HOST": "a"}}
	rendered, err := filtered.Render()
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(string(rendered.Files[0].Content)).To(Equal("proxy_pass http://a:$PORT;"))
	_, err = tree("templates/a.conf.template", "map $TENANT $b { a b; }").Render()
	g.Expect(err).To(MatchError(ContainSubstring("TENANT is not set")))
}

// The end of a host is none, and neither is the name in the hello of TLS read from elsewhere.
func TestHostsOfHAProxyByTheirEndAndByTheHello(t *testing.T) {
	g := NewWithT(t)
	g.Expect(haproxyServes(of("acl a hdr_end(host) -i .apps.example.org\n")).Hosts).To(Equal([]string{"*.apps.example.org"}))
	g.Expect(haproxyServes(of("use_backend a if { req.ssl_sni -i shop.example.org }\nacl b req_ssl_sni,lower -m end .example.net\n")).Hosts).To(Equal([]string{"shop.example.org", "*.example.net"}))
}
