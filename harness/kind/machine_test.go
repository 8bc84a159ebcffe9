package kind

import (
	"crypto/tls"
	"testing"

	. "github.com/onsi/gomega"
)

// What a configuration wants of its machine besides its own files.
func TestWhatIsThereOnTheMachine(t *testing.T) {
	for name, tc := range map[string]struct {
		kind   Name
		config Config
		made   []string // files
		dirs   []string
		users  []string
	}{
		"nginx, a prefix of its own": {
			Nginx, of("user deploy web;\nerror_log logs/error.log;\nevents {}\nhttp { access_log logs/a/access.log; server { ssl_session_ticket_key tickets/a.key; } }"),
			[]string{"/etc/nginx/tickets/a.key"},
			[]string{"/etc/nginx/logs", "/usr/share/nginx/logs", "/etc/nginx/logs/a", "/usr/share/nginx/logs/a"},
			[]string{"deploy", "web"},
		},
		"HAProxy, lists of certificates": {
			HAProxy, tree("haproxy.cfg", "global\n crt-base /etc/ssl\n ssl-dh-param-file /etc/haproxy/dh.pem\nfrontend a\n bind :443 ssl crt-list /etc/haproxy/own.list\n bind :444 ssl crt-list /etc/haproxy/lists/gone.list\n", "own.list", "# all\na.pem [alpn h2] a.example.com\n/etc/haproxy/b.pem\n"),
			[]string{"/etc/haproxy/dh.pem", "/etc/haproxy/lists/gone.list", "/etc/haproxy/lists/proxychaos.pem", "/etc/ssl/a.pem", "/etc/haproxy/b.pem"},
			nil, nil,
		},
		"HAProxy, a store and an authority of one's own": {
			HAProxy, of("global\n ca-base /etc/ssl/corp\n crt-base /etc/ssl/own\ncrt-store web\n crt-base /c\n key-base /k\n load crt \"a.pem\" key \"a.key\" alias \"a\"\nfrontend f\n bind /run/f/f.sock\n bind :443 ssl crt \"@web/a\" ca-file clients.pem\n bind :444 ssl crt b.pem\n"),
			[]string{"/c/a.pem", "/k/a.key", "/etc/ssl/corp/clients.pem", "/etc/ssl/own/b.pem"},
			[]string{"/run/f"}, nil,
		},
		"HAProxy, a folder of certificates without any": {
			HAProxy, tree("haproxy.cfg", "frontend f\n bind :443 ssl crt "+haproxyFolder+"/certs\n bind :444 ssl crt "+haproxyFolder+"/own/\n", "certs/.gitkeep", "", "own/a.pem", "x"),
			[]string{haproxyFolder + "/certs/proxychaos.pem"},
			nil, nil,
		},
		"HAProxy, clients' certificates and tickets": {
			HAProxy, of("global\n ca-base /ca\nfrontend f\n bind :443 ssl crt /etc/a.pem ca-file a.pem verify optional crl-file gone.pem ca-verify-file roots.pem tls-ticket-keys /etc/haproxy/tickets\n"),
			[]string{"/etc/a.pem", "/ca/a.pem", "/ca/gone.pem", "/ca/roots.pem", "/etc/haproxy/tickets"},
			nil, nil,
		},
		"HAProxy, a link in a folder of certificates": {
			HAProxy, tree("haproxy.cfg", "frontend f\n bind :443 ssl crt "+haproxyFolder+"/certs/\n", "certs/a.pem", "-> /etc/letsencrypt/live/a/all.pem"),
			[]string{"/etc/letsencrypt/live/a/all.pem"},
			nil, nil,
		},
		"nginx, what a distribution's snippet names": {
			Nginx, of("server { listen 443 ssl; include snippets/snakeoil.conf; ssl_crl /etc/ssl/crl.pem; }"),
			[]string{"/etc/nginx/snippets/snakeoil.conf", "/etc/ssl/certs/ssl-cert-snakeoil.pem", "/etc/ssl/private/ssl-cert-snakeoil.key", "/etc/ssl/crl.pem"},
			nil, nil,
		},
		"nginx, drives of Windows": {
			Nginx, of("error_log C:/nginx/logs/error.log;\nevents {}\nhttp { access_log syslog:server=a/b; ssl_certificate D:/a.crt; ssl_certificate_key data:$b; include C:/nginx/conf/mime.types; }"),
			[]string{"/etc/nginx/D:/a.crt"},
			[]string{"/etc/nginx/C:/nginx/logs", "/usr/share/nginx/C:/nginx/logs"}, nil,
		},
		"Caddy, sockets of its own": {
			Caddy, of("{\n\tadmin unix//run/caddy/admin.sock|0220\n}\n:80 {\n\tbind unix//run/shop/web.sock\n\treverse_proxy unix//run/app/app.sock\n}\n"),
			nil,
			[]string{"/run/caddy", "/run/shop"}, nil,
		},
		"Apache, certificates and revocations of clients": {
			Apache, of("<VirtualHost *:443>\nSSLCARevocationFile /etc/ssl/crl.pem\nSSLCADNRequestFile /etc/ssl/names.pem\nSSLCACertificatePath /etc/ssl/partners\nSSLSessionTicketKeyFile /etc/ssl/tickets.key\n</VirtualHost>\n"),
			[]string{"/etc/ssl/crl.pem", "/etc/ssl/names.pem", "/etc/ssl/tickets.key"},
			[]string{"/etc/ssl/partners"}, nil,
		},
		"Apache, managed domains": {
			Apache, of("MDPrivateKeys RSA 4096 secp384r1\nMDomain Shop.example.org www.example.org\n<MDomainSet auto.example.org>\n</MDomainSet>\n<VirtualHost *:443>\nServerName shop.example.org\nServerAlias bücher.example.org\n</VirtualHost>\n"),
			[]string{
				"/usr/local/apache2/md/domains/shop.example.org/pubcert.pem", "/usr/local/apache2/md/domains/shop.example.org/privkey.pem",
				"/usr/local/apache2/md/domains/shop.example.org/pubcert.secp384r1.pem", "/usr/local/apache2/md/domains/shop.example.org/privkey.secp384r1.pem",
				"/usr/local/apache2/md/domains/auto.example.org/pubcert.pem", "/usr/local/apache2/md/domains/auto.example.org/privkey.pem",
				"/usr/local/apache2/md/domains/auto.example.org/pubcert.secp384r1.pem", "/usr/local/apache2/md/domains/auto.example.org/privkey.secp384r1.pem",
			},
			nil, nil,
		},
		"Apache, a certificate beside Debian's main file": {
			Apache, tree("apache2.conf", "SSLCertificateFile ssl/a.crt\n", "mods-enabled/env.load", "-> ../mods-available/env.load"),
			[]string{"/etc/apache2/mods-available/env.load", "/etc/apache2/ssl/a.crt"},
			nil, nil,
		},
		"Apache, pipes and parameters": {
			Apache, of("CustomLog \"|/usr/sbin/rotatelogs -l /var/log/httpd/%Y/a.log 86400\" combined\nErrorLog \"||bin/own -x\"\nSSLOpenSSLConfCmd DHParameters \"/etc/ssl/dh.pem\"\n"),
			[]string{"/usr/sbin/rotatelogs", "/usr/local/apache2/bin/own", "/etc/ssl/dh.pem"},
			[]string{"/var/log/httpd"},
			nil,
		},
		"Apache, CGI programs of users": {
			Apache, of("<VirtualHost *:80>\nSuexecUserGroup shop \"#1001\"\n</VirtualHost>\n<VirtualHost *:80>\nSuexecUserGroup wiki wiki\n</VirtualHost>\n"),
			[]string{"/usr/lib/apache2/suexec", "/usr/local/apache2/bin/suexec"},
			nil,
			[]string{"shop", "wiki"},
		},
		"Apache, modules of SUSE": {
			Apache, of("ServerRoot /srv/www\nListen 80\nLoadModule proxy_module /usr/lib64/apache2/mod_proxy.so\nLoadModule mpm_event_module libexec/mod_mpm_event.so\nLoadModule a_module modules/mod_a.so\n"),
			nil,
			[]string{"/srv/www/logs", "/srv/www/run", "/srv/www/state"},
			nil,
		},
		"lighttpd": {
			Lighttpd, of("server.errorlog = \"/var/log/site/error.log\"\nserver.username = \"web\"\nserver.upload-dirs = ( \"/var/up\" )\nssl.pemfile = \"/etc/lighttpd/a.pem\"\n"),
			[]string{"/etc/lighttpd/a.pem"},
			[]string{"/var/log/site", "/var/up"},
			[]string{"web"},
		},
		"Squid": {
			Squid, of("https_port 443 accel tls-cert=/etc/squid/a.crt tls-key=/etc/squid/a.key defaultsite=a\ncache_peer b parent 443 0 tls-cafile=/etc/squid/ca.pem\ncache_dir ufs /var/spool/a 100 16 256\ncache_effective_user squid\naccess_log daemon:/var/log/a/access.log\n"),
			[]string{"/etc/squid/a.crt", "/etc/squid/a.key"},
			[]string{"/var/log/a", "/var/spool/a"},
			[]string{"squid"},
		},
		"H2O": {
			H2O, of("user: web\naccess-log: /var/log/a/access.log\nlisten:\n  ssl:\n    certificate-file: /etc/h2o/a.crt\n    key-file: a.key\n"),
			[]string{"/etc/h2o/a.crt", "/etc/h2o/a.key"},
			[]string{"/var/log/a"},
			[]string{"web"},
		},
		"nghttpx": {
			Nghttpx, of("private-key-file=/etc/a.key\ncertificate-file=/etc/a.crt\nsubcert=/etc/b.key:/etc/b.crt\ncacert=/etc/ca.pem\nuser=web\naccesslog-file=/var/log/a/access.log\n"),
			[]string{"/etc/a.key", "/etc/a.crt", "/etc/b.key", "/etc/b.crt"},
			[]string{"/var/log/a"},
			[]string{"web"},
		},
		"Pound": {
			Pound, of("User \"web\"\nControl \"/run/a/ctl\"\nListenHTTPS\n\tCert \"/etc/pound/a.pem\"\nEnd\n"),
			[]string{"/etc/pound/a.pem"},
			[]string{"/run/a"},
			[]string{"web"},
		},
		"Traffic Server": {
			TrafficServer, tree("remap.config", "map / http://b/\n", "records.config", "CONFIG proxy.config.ssl.server.cert.path STRING /etc/certs\nCONFIG proxy.config.admin.user_id STRING ats\n", "ssl_multicert.config", "dest_ip=* ssl_cert_name=a.crt,b.crt ssl_key_name=a.key\n"),
			[]string{"/etc/certs/a.crt", "/etc/certs/a.key"},
			nil, []string{"ats"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			l := laid(t, tc.kind, tc.config)
			g.Expect(l.Spares()).To(ConsistOf(tc.made))
			g.Expect(l.Folders).To(ConsistOf(tc.dirs))
			g.Expect(l.Users).To(ConsistOf(tc.users))
		})
	}
}

// Modules have the names of their files everywhere.
func TestModulesOfOtherDistributions(t *testing.T) {
	g := NewWithT(t)
	l := laid(t, Apache, of("ServerRoot /srv/www\nListen 80\nLoadModule proxy_module /usr/lib64/apache2/mod_proxy.so\nLoadModule mpm_event_module libexec/mod_mpm_event.so\nLoadModule a_module modules/mod_a.so\nLoadModule b_module /usr/lib/apache2/modules/mod_b.so\nLoadModule php_module /usr/lib/libphp.so\n"))
	g.Expect(added(l, "/usr/lib64/apache2/mod_proxy.so")).To(Equal("/usr/local/apache2/modules/mod_proxy.so"))
	g.Expect(added(l, "/srv/www/libexec/mod_mpm_event.so")).To(Equal("/usr/local/apache2/modules/mod_mpm_event.so"))
	for _, there := range []string{"/srv/www/modules/mod_a.so", "/usr/lib/apache2/modules/mod_b.so", "/usr/lib/libphp.so"} {
		g.Expect(added(l, there)).To(Equal("nothing"))
	}
}

// The folder that has httpd.conf in it lies where its includes are found.
func TestWhereAFolderOfApacheLies(t *testing.T) {
	for name, tc := range map[string]struct {
		conf, included, want string
	}{
		"relative, ServerRoot above":  {"ServerRoot /opt/bitnami/apache\nListen 80\nLoadModule a b\nInclude conf/bitnami/a.conf\n", "bitnami/a.conf", "/opt/bitnami/apache/conf/httpd.conf"},
		"absolute, elsewhere":         {"ServerRoot /usr\nListen 80\nLoadModule a b\nInclude /private/etc/apache2/extra/*.conf\n", "extra/a.conf", "/private/etc/apache2/httpd.conf"},
		"FreeBSD":                     {"ServerRoot /usr/local\nListen 80\nLoadModule a b\nIncludeOptional etc/apache24/Includes/*.conf\n", "Includes/a.conf", "/usr/local/etc/apache24/httpd.conf"},
		"Alpine":                      {"ServerRoot /var/www\nListen 80\nLoadModule a b\nIncludeOptional /etc/apache2/conf.d/*.conf\n", "conf.d/a.conf", "/etc/apache2/httpd.conf"},
		"the official image":          {"ServerRoot /usr/local/apache2\nListen 80\nLoadModule a b\nInclude conf/extra/a.conf\n", "extra/a.conf", "/usr/local/apache2/conf/httpd.conf"},
		"nothing of it is included":   {"ServerRoot /etc/httpd\nListen 80\nLoadModule a b\nInclude conf.d/*.conf\n", "magic", "/etc/httpd/conf/httpd.conf"},
		"no ServerRoot, no inclusion": {"Listen 80\nLoadModule mpm_event_module b\n", "magic", "/usr/local/apache2/conf/httpd.conf"},
	} {
		t.Run(name, func(t *testing.T) {
			NewWithT(t).Expect(places(laid(t, Apache, tree("httpd.conf", tc.conf, tc.included, "x")))).To(HaveKeyWithValue(tc.want, "httpd.conf"))
		})
	}
}

// A certificate in a repository has no key there: one that is made fits another only.
func TestCertificateWithoutItsKey(t *testing.T) {
	for name, l := range map[string]Layout{
		"nginx":  laid(t, Nginx, tree("nginx.conf", "events {}\nhttp { server { ssl_certificate a.crt; ssl_certificate_key a.key; } }", "a.crt", "mine")),
		"Apache": laid(t, Apache, tree("httpd.conf", "ServerRoot /usr/local/apache2\nSSLCertificateFile conf/a.crt\nSSLCertificateKeyFile conf/a.key\n", "a.crt", "mine")),
		"Caddy":  laid(t, Caddy, tree("Caddyfile", ":443 {\n\ttls /etc/caddy/a.crt /etc/caddy/a.key\n}\n", "a.key", "mine")),
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			var text [2]string
			for _, p := range l.Files {
				for i, end := range []string{"a.crt", "a.key"} {
					if len(p.Path) > len(end) && p.Path[len(p.Path)-len(end):] == end {
						text[i] = string(p.Content)
					}
				}
			}
			_, err := tls.X509KeyPair([]byte(text[0]), []byte(text[1]))
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(l.Replaced()).To(HaveLen(1))
		})
	}
	g := NewWithT(t)
	g.Expect(laid(t, Nginx, tree("nginx.conf", "events {}\nhttp { server { ssl_certificate a.crt; ssl_certificate_key a.key; } }", "a.crt", "mine", "a.key", "mine")).Replaced()).To(BeEmpty())
}

// HAProxy wants both in one file, or the key beside it.
func TestCertificateWithoutItsKeyForHAProxy(t *testing.T) {
	for name, tc := range map[string]struct {
		crt   string
		files []string
		made  bool
	}{
		"a file":                 {"/a.pem", []string{"a.pem", "mine"}, true},
		"a folder":               {"/certs/", []string{"certs/a.pem", "mine"}, true},
		"the key in it":          {"/a.pem", []string{"a.pem", "mine\n-----BEGIN PRIVATE KEY-----"}, false},
		"the key beside it":      {"/a.crt", []string{"a.crt", "mine", "a.key", "mine"}, false},
		"the key behind it":      {"/certs/", []string{"certs/a.crt", "mine", "certs/a.crt.key", "mine"}, false},
		"another's key is there": {"/a.crt", []string{"a.crt", "mine", "b.key", "mine"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			l := laid(t, HAProxy, tree(append([]string{"haproxy.cfg", "frontend f\n bind :443 ssl crt " + haproxyFolder + tc.crt + "\n"}, tc.files...)...))
			g.Expect(l.Spares()).To(BeEmpty())
			if !tc.made {
				g.Expect(l.Replaced()).To(BeEmpty())
				return
			}
			g.Expect(l.Replaced()).To(ConsistOf(tc.files[0] + " (its key is not there)"))
			for _, p := range l.Files {
				if p.Instead != "" {
					_, err := tls.X509KeyPair(p.Content, p.Content)
					g.Expect(err).NotTo(HaveOccurred())
				}
			}
		})
	}
}

func TestNotes(t *testing.T) {
	g := NewWithT(t)
	for text, want := range map[string]string{
		"server { listen 80 proxy_protocol; }":                                   "PROXY protocol",
		"frontend a\n bind :80 accept-proxy\n":                                   "PROXY protocol",
		"frontend a\n bind :80 proto h2\n":                                       "only HTTP/2",
		"RemoteIPProxyProtocol On\n":                                             "PROXY protocol",
		"<IfDefine PROD>\nProxyPass / http://a/\n</IfDefine>\n<IfDefine PROD>\n": `put "Define PROD" before it`,
	} {
		g.Expect(of(text).Notes()).To(ConsistOf(ContainSubstring(want)), text)
	}
	for _, text := range []string{
		"server { proxy_protocol on; proxy_set_header A $proxy_protocol_addr; }", "RemoteIPProxyProtocol Off\n",
		"Define PROD\n<IfDefine PROD>\n</IfDefine>\n", "<IfDefine !PROD>\n</IfDefine>\n", "# listen 80 proxy_protocol;\n",
	} {
		g.Expect(of(text).Notes()).To(BeEmpty(), text)
	}
}

func TestVariablesThatAreNotSet(t *testing.T) {
	g := NewWithT(t)
	c := of("{$SITE} {\n reverse_proxy {$HOST:app}:{$PORT}\n}\n")
	g.Expect(c.Unset(Caddy)).To(Equal([]string{"SITE", "PORT"}))
	c.Env.Values = map[string]string{"SITE": ""}
	g.Expect(c.Unset(Caddy)).To(Equal([]string{"PORT"}))
	g.Expect(of("global\n setenv A b\nbackend c\n server \"${HOSTNAME}\" \"${A}:${P}\" \"$Q\"\n").Unset(HAProxy)).To(Equal([]string{"P", "Q"}))
	g.Expect(of("${A}").Unset(Nginx)).To(BeEmpty())
	g.Expect(UnsetAdvice(nil)).To(BeEmpty())
}

// A template of the main file goes where the image is told to put it.
func TestTemplateOfTheMainFile(t *testing.T) {
	g := NewWithT(t)
	c := tree("templates/nginx.conf.template", "events {}\nhttp { include conf.d/*.conf; }\n", "templates/conf.d/a.conf.template", server)
	c.Env.Values = map[string]string{"NGINX_ENVSUBST_OUTPUT_DIR": "/etc/nginx"}
	c, err := c.Render()
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(places(laid(t, Nginx, c))).To(Equal(map[string]string{"/etc/nginx/nginx.conf": "templates/nginx.conf.template", "/etc/nginx/conf.d/a.conf": "templates/conf.d/a.conf.template"}))
}

// The folder of a repository has the configuration in a folder of it.
func TestFolderBelow(t *testing.T) {
	for name, main := range map[Name]string{Nginx: "nginx.conf", HAProxy: "haproxy.cfg", Caddy: "Caddyfile", Squid: "squid.conf"} {
		_, err := kindOf(t, name).Layout(tree("README.md", "x", "deploy/"+main, "x"))
		NewWithT(t).Expect(err).To(MatchError(HaveSuffix("; a folder below it may be meant: CONFIG=folder/deploy")), string(name))
	}
}
