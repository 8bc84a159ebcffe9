package kind

import (
	"crypto/tls"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
)

// tree is a folder: names of files with their content in turn. A content that begins
// with "-> " makes a link.
func tree(pairs ...string) Config {
	c := Config{Path: "./folder"}
	for i := 0; i < len(pairs); i += 2 {
		if target, is := strings.CutPrefix(pairs[i+1], "-> "); is {
			c.Links = append(c.Links, Link{Name: pairs[i], Target: target})
		} else {
			c.Files = append(c.Files, File{Name: pairs[i], Content: []byte(pairs[i+1])})
		}
	}
	return c
}

// laid is the layout of a configuration.
func laid(t *testing.T, name Name, c Config) Layout {
	t.Helper()
	l, err := kindOf(t, name).Layout(c)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// places is where the configuration's own files and links are put.
func places(l Layout) map[string]string {
	found := map[string]string{}
	for _, p := range l.Files {
		if p.Own != "" {
			found[p.Path] = p.Own
		}
	}
	return found
}

// added is a file that was added at a path.
func added(l Layout, where string) string {
	for _, p := range l.Files {
		if p.Path == where && p.Own == "" {
			return string(p.Content) + p.Link
		}
	}
	return "nothing"
}

const (
	wholeNginx = "events {}\nhttp { include /etc/nginx/conf.d/*.conf; include /etc/nginx/sites-enabled/*; }\n"
	server     = "server { listen 80; location / { proxy_pass http://b.example.com; } }\n"
)

func TestWhereNginxFilesGo(t *testing.T) {
	for name, tc := range map[string]struct {
		config Config
		want   map[string]string
	}{
		"a fragment":             {of(server), map[string]string{nginxFragment: "x.conf"}},
		"a whole file":           {of(wholeNginx), map[string]string{nginxMain: "x.conf"}},
		"a whole file in a line": {of("worker_processes 2; events { } http { }"), map[string]string{nginxMain: "x.conf"}},
		"a comment is none":      {of("# a comment; http { }\n" + server), map[string]string{nginxFragment: "x.conf"}},
		"a fragment called nginx.conf, with a snippet": {
			tree("nginx.conf", server, "snippets/a.conf", "x"),
			map[string]string{nginxFolder + "/conf.d/nginx.conf": "nginx.conf", nginxFolder + "/snippets/a.conf": "snippets/a.conf", nginxFolder + "/conf.d/snippets/a.conf": "snippets/a.conf"},
		},
		"copied from a machine": {
			tree("nginx.conf", wholeNginx, "sites-available/shop", server, "sites-enabled/shop", "-> /etc/nginx/sites-available/shop", "modules", "-> /usr/lib/nginx/modules"),
			map[string]string{nginxMain: "nginx.conf", "/etc/nginx/sites-available/shop": "sites-available/shop", "/etc/nginx/sites-enabled/shop": "sites-enabled/shop", "/etc/nginx/modules": "modules"},
		},
		"a main file of another name": {
			tree("prod.conf", wholeNginx, "conf.d/a.conf", server),
			map[string]string{nginxMain: "prod.conf", "/etc/nginx/conf.d/a.conf": "conf.d/a.conf"},
		},
		"without nginx.conf": {
			tree("conf.d/shop.conf", server, "snippets/forward.conf", "x"),
			map[string]string{"/etc/nginx/conf.d/shop.conf": "conf.d/shop.conf", "/etc/nginx/snippets/forward.conf": "snippets/forward.conf"},
		},
		"fragments and what they include": {
			tree("a.conf", "include proxy.conf;\n"+server, "b.conf", server, "proxy.conf", "proxy_set_header X y;"),
			map[string]string{"/etc/nginx/conf.d/a.conf": "a.conf", "/etc/nginx/conf.d/b.conf": "b.conf", "/etc/nginx/proxy.conf": "proxy.conf"},
		},
		"fragments without an ending": {
			tree("api", server, "shop", server, "README.md", "text"),
			map[string]string{
				"/etc/nginx/conf.d/api.conf": "api", "/etc/nginx/conf.d/shop.conf": "shop",
				"/etc/nginx/README.md": "README.md", "/etc/nginx/conf.d/README.md": "README.md",
			},
		},
		"a fragment and its certificates": {
			tree("default.conf", server, "certs/a.pem", "pem"),
			map[string]string{"/etc/nginx/conf.d/default.conf": "default.conf", "/etc/nginx/certs/a.pem": "certs/a.pem", "/etc/nginx/conf.d/certs/a.pem": "certs/a.pem"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			NewWithT(t).Expect(places(laid(t, Nginx, tc.config))).To(Equal(tc.want))
		})
	}
}

// The image's own default.conf would answer before the sites of a folder.
func TestTheImagesDefaultIsOutOfTheWay(t *testing.T) {
	g := NewWithT(t)
	g.Expect(added(laid(t, Nginx, tree("nginx.conf", wholeNginx, "conf.d/a.conf", server)), nginxFragment)).To(BeEmpty())
	g.Expect(added(laid(t, Nginx, tree("conf.d/a.conf", server)), nginxFragment)).To(BeEmpty())
	g.Expect(added(laid(t, Nginx, tree("a.conf", server, "b.conf", server)), nginxFragment)).To(BeEmpty())
	g.Expect(added(laid(t, Nginx, tree("conf.d/default.conf", server)), nginxFragment)).To(Equal("nothing"), "it is the folder's own")
	enabled := tree("sites-enabled/shop", server, "sites-available/old", server)
	g.Expect(added(laid(t, Nginx, enabled), nginxFragment)).To(Equal("include /etc/nginx/sites-enabled/*;\n"))
	g.Expect(added(laid(t, Nginx, tree("sites-available/shop", server)), nginxFragment)).To(Equal("include /etc/nginx/sites-available/*;\n"))
	both := laid(t, Nginx, tree("conf.d/default.conf", server, "sites-enabled/shop", server))
	g.Expect(added(both, "/etc/nginx/conf.d/sites-enabled.conf")).To(Equal("include /etc/nginx/sites-enabled/*;\n"))
	_, err := nginx.Layout(tree("snippets/a.conf", "x", "README.md", "y"))
	g.Expect(err).To(MatchError(And(HavePrefix("./folder: "), ContainSubstring("would load nothing"), ContainSubstring("snippets/a.conf"))))
}

func TestNginxIsToldOnceToStayInTheForeground(t *testing.T) {
	g := NewWithT(t)
	g.Expect(laid(t, Nginx, of(wholeNginx)).Cmd).To(Equal([]string{"nginx", "-g", "daemon off;"}))
	g.Expect(laid(t, Nginx, of("daemon off; # as in a container\n"+wholeNginx)).Cmd).To(Equal([]string{"nginx"}))
	g.Expect(laid(t, Nginx, of("# daemon off;\n"+wholeNginx)).Cmd).To(Equal([]string{"nginx", "-g", "daemon off;"}))
	g.Expect(laid(t, Nginx, of("daemon;\n"+wholeNginx)).Cmd).To(HaveLen(3), "nginx itself says that a word is missing")
	g.Expect(laid(t, Nginx, of("daemon on;\n"+wholeNginx)).Cmd).To(HaveLen(3), "nginx itself says that it is told twice")
}

func TestFoldersAndUsersOfNginx(t *testing.T) {
	g := NewWithT(t)
	l := laid(t, Nginx, of(`user webapp;
pid /run/app/nginx.pid;
error_log stderr;
events {}
http {
    proxy_cache_path /data/cache/a keys_zone=a:1m;
    access_log off;
    server {
        listen unix:/var/run/app.sock;
        access_log /var/log/nginx/shop/$host/access.log;
        error_log syslog:server=127.0.0.1;
        access_log logs/relative.log;
    }
}`))
	g.Expect(l.Folders).To(Equal([]string{"/run/app", "/data/cache", "/var/log/nginx/shop", "/etc/nginx/logs", "/usr/share/nginx/logs"}))
	g.Expect(l.Users).To(Equal([]string{"webapp"}))
}

func TestWhatDistributionsShipForNginx(t *testing.T) {
	g := NewWithT(t)
	l := laid(t, Nginx, of("server { location / { include /etc/nginx/proxy_params; } }"))
	g.Expect(added(l, "/etc/nginx/proxy_params")).To(ContainSubstring("X-Forwarded-For"))
	g.Expect(l.Files).To(ContainElement(And(HaveField("Path", "/etc/nginx/proxy_params"), HaveField("Spare", true))))
	own := laid(t, Nginx, tree("nginx.conf", wholeNginx+"# proxy_params", "proxy_params", "x"))
	g.Expect(added(own, "/etc/nginx/proxy_params")).To(Equal("nothing"))
	g.Expect(added(laid(t, Nginx, of("include snippets/fastcgi-php.conf;")), "/etc/nginx/fastcgi.conf")).NotTo(Equal("nothing"), "which the snippet includes")
}

// The keys of a production machine have no business in a test.
func TestCertificatesThatWereNotGiven(t *testing.T) {
	g := NewWithT(t)
	l := laid(t, Nginx, tree("nginx.conf", `events {}
http {
    server {
        ssl_certificate /etc/letsencrypt/live/a/fullchain.pem;
        ssl_certificate_key ssl/a.key;
        ssl_dhparam /etc/nginx/dhparam.pem;
        include /etc/letsencrypt/options-ssl-nginx.conf;
        location / { proxy_ssl_trusted_certificate /etc/ssl/our-ca.pem; }
        location /b { proxy_ssl_trusted_certificate /etc/proxychaos/ca.pem; }
    }
    server { ssl_certificate own.pem; ssl_certificate_key linked.key; ssl_certificate $ssl_server_name.pem; ssl_certificate data:$x; }
}`, "own.pem", "mine", "linked.key", "-> /etc/ssl/private/b.key"))
	g.Expect(added(l, "/etc/letsencrypt/live/a/fullchain.pem")).To(HavePrefix("-----BEGIN CERTIFICATE-----"))
	g.Expect(l.Replaced()).To(Equal([]string{"own.pem (b.key is not there)"}), "no key that is made fits it")
	g.Expect(added(l, "/etc/nginx/ssl/a.key")).To(ContainSubstring("-----BEGIN PRIVATE KEY-----"))
	g.Expect(added(l, "/etc/ssl/private/b.key")).To(ContainSubstring("-----BEGIN PRIVATE KEY-----"), "where the folder's link leads")
	g.Expect(added(l, "/etc/nginx/dhparam.pem")).To(HavePrefix("-----BEGIN DH PARAMETERS-----"))
	g.Expect(added(l, "/etc/letsencrypt/options-ssl-nginx.conf")).To(ContainSubstring("ssl_protocols"))
	g.Expect(added(l, "/etc/ssl/our-ca.pem")).To(Equal(CAPath))
	g.Expect(l.Spares()).To(And(HaveLen(6), ContainElement("/etc/nginx/www.example.com.pem")), "the last for the host that is asked for first")

	a := laid(t, Apache, of("<VirtualHost *:443>\nSSLEngine on\nSSLCertificateFile /path/to/your/certificate.crt\nSSLCertificateKeyFile /path/to/your/private.key\n</VirtualHost>"))
	g.Expect(a.Spares()).To(Equal([]string{"/path/to/your/certificate.crt", "/path/to/your/private.key"}))
	h := laid(t, HAProxy, of("global\n crt-base /etc/ssl/private\nfrontend a\n bind :443 ssl crt a.pem\n bind :444 ssl crt /etc/haproxy/certs/ alpn h2\nbackend b\n server x b.example.com:443 ssl verify required ca-file /etc/ssl/our.pem"))
	g.Expect(h.Spares()).To(Equal([]string{"/etc/ssl/private/a.pem", "/etc/haproxy/certs/proxychaos.pem"}))
	g.Expect(added(h, "/etc/ssl/our.pem")).To(Equal(CAPath))
}

// Caddy would get a certificate for each of its sites; here no authority is in reach.
func TestCertificatesThatCaddyWouldGet(t *testing.T) {
	g := NewWithT(t)
	l := laid(t, Caddy, of("shop.example.org, www.shop.example.org {\n\treverse_proxy shop:8080\n}\n*.apps.example.org {\n\ttls /certs/apps.pem /certs/apps.key\n}\n"))
	for _, host := range []string{"shop.example.org", "www.shop.example.org"} {
		where := "/data/caddy/certificates/acme-v02.api.letsencrypt.org-directory/" + host + "/" + host
		pair, err := tls.X509KeyPair([]byte(added(l, where+".crt")), []byte(added(l, where+".key")))
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(pair.Leaf.VerifyHostname(host)).To(Succeed())
		g.Expect(added(l, where+".json")).To(ContainSubstring(`"sans": ["` + host + `"]`))
	}
	g.Expect(l.Spares()).To(And(ContainElements("/certs/apps.pem", "/certs/apps.key"), HaveLen(11)))
}

// The authority that Caddy trusts for its upstreams is that of the nodes.
func TestAuthoritiesOfCaddysUpstreams(t *testing.T) {
	g := NewWithT(t)
	l := laid(t, Caddy, of(":80 {\n\treverse_proxy https://a.example.org {\n\t\ttransport http {\n\t\t\ttls_trust_pool file /etc/ssl/a.pem\n\t\t\ttls_trusted_ca_certs /etc/ssl/b.pem\n\t\t}\n\t}\n}\n"))
	g.Expect(added(l, "/etc/ssl/a.pem")).To(Equal(CAPath))
	g.Expect(added(l, "/etc/ssl/b.pem")).To(Equal(CAPath))
}

// Caddy chooses a certificate by the names in it.
func TestCertificatesThatCaddyIsTold(t *testing.T) {
	g := NewWithT(t)
	l := laid(t, Caddy, Config{Path: "a.json", Files: []File{{Name: "a.json", Content: []byte(`{"apps": {
		"http": {"servers": {"a": {
			"tls_connection_policies": [{"client_authentication": {"ca": {"provider": "file", "pem_files": ["/etc/ssl/clients.pem"]}}}],
			"routes": [{"match": [{"host": ["shop.example.org"]}], "handle": [{"transport": {"tls": {"client_certificate_file": "/etc/ssl/us.pem", "client_certificate_key_file": "/etc/ssl/us.key"}}}]}]
		}}},
		"tls": {"certificates": {"load_files": [{"certificate": "/etc/ssl/shop.pem", "key": "/etc/ssl/shop.key"}], "load_folders": ["/etc/ssl/more"], "load_pem": [{"certificate": "-----BEGIN", "key": "-----BEGIN"}]}}
	}}`)}}})
	for certificate, key := range map[string]string{"/etc/ssl/shop.pem": "/etc/ssl/shop.key", "/etc/ssl/us.pem": "/etc/ssl/us.key", "/etc/ssl/more/proxychaos.pem": "/etc/ssl/more/proxychaos.pem"} {
		pair, err := tls.X509KeyPair([]byte(added(l, certificate)), []byte(added(l, key)))
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(pair.Leaf.VerifyHostname("shop.example.org")).To(Succeed())
	}
	g.Expect(added(l, "/etc/ssl/clients.pem")).To(Equal(CAPath))
	l = laid(t, Caddy, of("shop.example.org {\n\ttls /a.pem /a.key {\n\t\tclient_auth {\n\t\t\ttrust_pool file /etc/ssl/clients.pem\n\t\t}\n\t}\n\treverse_proxy https://b {\n\t\ttransport http {\n\t\t\ttls_client_auth /us.pem /us.key\n\t\t}\n\t}\n}\n"))
	pair, err := tls.X509KeyPair([]byte(added(l, "/a.pem")), []byte(added(l, "/a.key")))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(pair.Leaf.VerifyHostname("shop.example.org")).To(Succeed())
	g.Expect(l.Spares()).To(ContainElements("/us.pem", "/us.key"))
	g.Expect(added(l, "/etc/ssl/clients.pem")).To(Equal(CAPath))
}

const vhost = "<VirtualHost *:80>\n  ProxyPass / http://b.example.com/\n</VirtualHost>\n"

func TestWhereApacheFilesGo(t *testing.T) {
	for name, tc := range map[string]struct {
		config Config
		want   map[string]string
	}{
		"a fragment":                      {of(vhost), map[string]string{apacheFragment: "x.conf"}},
		"a fragment that loads a module":  {of("LoadModule proxy_module modules/mod_proxy.so\n" + vhost), map[string]string{apacheFragment: "x.conf"}},
		"a whole file":                    {of("Listen 80\nLoadModule x y"), map[string]string{apacheMain: "x.conf"}},
		"a whole file, by its workers":    {of("LoadModule mpm_event_module modules/mod_mpm_event.so"), map[string]string{apacheMain: "x.conf"}},
		"the official image's folder":     {tree("httpd.conf", "ServerRoot /usr/local/apache2", "extra/a.conf", vhost), map[string]string{apacheMain: "httpd.conf", apacheFolder + "/extra/a.conf": "extra/a.conf"}},
		"Debian's folder":                 {tree("apache2.conf", "Include ports.conf", "ports.conf", "Listen 80"), map[string]string{"/etc/apache2/apache2.conf": "apache2.conf", "/etc/apache2/ports.conf": "ports.conf"}},
		"Red Hat's folder":                {tree("conf/httpd.conf", `ServerRoot "/etc/httpd"`, "modules", "-> ../../usr/lib64/httpd/modules"), map[string]string{"/etc/httpd/conf/httpd.conf": "conf/httpd.conf", "/etc/httpd/modules": "modules"}},
		"Alpine's folder":                 {tree("httpd.conf", "ServerRoot /var/www\nIncludeOptional /etc/apache2/conf.d/*.conf", "conf.d/a.conf", vhost), map[string]string{"/etc/apache2/httpd.conf": "httpd.conf", "/etc/apache2/conf.d/a.conf": "conf.d/a.conf"}},
		"sites-enabled":                   {tree("000-default.conf", vhost, "api.conf", vhost), map[string]string{apacheSite + "/000-default.conf": "000-default.conf", apacheSite + "/api.conf": "api.conf"}},
		"a fragment with its certificate": {tree("api.conf", vhost, "ssl/a.pem", "pem"), map[string]string{apacheSite + "/api.conf": "api.conf", apacheSite + "/ssl/a.pem": "ssl/a.pem"}},
		"where the files say they lie":    {tree("a.conf", "Include /etc/httpd/conf.d/b.inc", "b.inc", "x"), map[string]string{"/etc/httpd/a.conf": "a.conf", "/etc/httpd/b.inc": "b.inc"}},
	} {
		t.Run(name, func(t *testing.T) {
			NewWithT(t).Expect(places(laid(t, Apache, tc.config))).To(Equal(tc.want))
		})
	}
	_, err := apache.Layout(tree("README.md", "x", "ssl/a.pem", "y"))
	NewWithT(t).Expect(err).To(MatchError(And(HavePrefix("./folder: "), ContainSubstring("would load nothing"))))
}

// Debian's mod_mime would look for a file that is not there, and Apache would end.
func TestTypesOfApacheFragments(t *testing.T) {
	g := NewWithT(t)
	base := func(text string) string { return added(laid(t, Apache, of(text+"\n"+vhost)), apacheMain) }
	g.Expect(base("RemoveHandler .php")).To(ContainSubstring("mod_mime.so\n</IfModule>\nTypesConfig conf/mime.types\n"))
	g.Expect(base("AddType a/b .c\nTypesConfig /etc/mime.types")).NotTo(ContainSubstring("TypesConfig"))
}

// The cache of Squid is its own on a machine.
func TestSquidMayWriteItsCache(t *testing.T) {
	g := NewWithT(t)
	l := laid(t, Squid, of("cache_dir ufs /var/spool/squid 100 16 256\ncache_dir rock /var/a 100\n"))
	g.Expect(l.Cmd[2]).To(And(HavePrefix("{ chmod 777 /var/spool/squid /var/a || "), ContainSubstring("; squid -Nz -f "), HaveSuffix("&& exec squid -NYC -f /etc/squid/squid.conf")))
	g.Expect(laid(t, Squid, of("http_port 80 accel\n")).Cmd[0]).To(Equal("squid"))
}

// The base is left as it is for a fragment that needs nothing more.
func TestTheBaseOfApacheFragments(t *testing.T) {
	g := NewWithT(t)
	base := func(c Config) string { return added(laid(t, Apache, c), apacheMain) }
	g.Expect(base(of(vhost))).To(Equal(apacheBase))
	listens := func(content string) []string {
		var found []string
		for line := range strings.Lines(base(of(content))) {
			if port, is := strings.CutPrefix(line, "Listen "); is {
				found = append(found, strings.TrimSpace(port))
			}
		}
		return found
	}
	g.Expect(listens("<VirtualHost *:8080>\n</VirtualHost>")).To(Equal([]string{"8080"}))
	g.Expect(listens("<VirtualHost *:80>\n</VirtualHost>\n<VirtualHost _default_:443>\n</VirtualHost>")).To(Equal([]string{"80", "443"}))
	g.Expect(listens("<VirtualHost *>\n</VirtualHost>")).To(Equal([]string{"80"}))
	g.Expect(listens("<VirtualHost 10.0.0.1:81 [::]:82>\n</VirtualHost>")).To(Equal([]string{"81", "82"}))
	g.Expect(listens("Define port 8081\n<VirtualHost *:${port}>\n</VirtualHost>")).To(Equal([]string{"8081"}))
	g.Expect(listens("Listen 4000\n<VirtualHost *:4000>\n</VirtualHost>")).To(BeEmpty(), "httpd refuses to listen twice on one port")
	g.Expect(listens("Listen 0.0.0.0:4000 http\n<VirtualHost *:4001>\n</VirtualHost>")).To(Equal([]string{"4001"}))

	g.Expect(base(tree("b.conf", vhost, "a.conf", vhost))).To(HaveSuffix("Include \"" + apacheSite + "/a.conf\"\nInclude \"" + apacheSite + "/b.conf\"\n"))
	parts := base(tree("conf.modules.d/00.conf", "x", "conf.d/p.conf", vhost, "sites-available/off", vhost, "sites-enabled/on", vhost))
	g.Expect(parts).To(MatchRegexp(`(?s)conf.modules.d/00.conf".*conf.d/p.conf".*sites-enabled/on"`))
	g.Expect(parts).NotTo(ContainSubstring("sites-available"))
}

// A fragment finds the modules that the official image has loaded, or its author's machine.
func TestModulesThatAFragmentNeeds(t *testing.T) {
	for directive, module := range map[string]string{
		"Alias /static/ /srv/": "alias", "  Redirect permanent /a /b": "alias", "SetEnv a b": "env", "Order deny,allow": "access_compat",
		"Require not ip 10.0.0.0/8": "authz_host", "RemoteIPHeader X-Forwarded-For": "remoteip", "CustomLog /dev/null combined": "log_config",
		"BalancerMember http://b.example.com hcmethod=GET": "proxy_hcheck", "ProxyPass /ws ws://b.example.com/": "proxy_wstunnel",
		"Protocols h2 http/1.1": "http2", "SSLSessionCache shmcb:/tmp/x(1000)": "socache_shmcb", "AuthType Basic": "auth_basic",
		"SetOutputFilter DEFLATE": "deflate", "ExpiresActive On": "expires", "SetHandler server-status": "status", "ProxyHTMLEnable On": "proxy_html",
		"MDomain a.example.com": "md", "SetHandler \"proxy:fcgi://127.0.0.1:9000\"": "proxy_fcgi",
		"SuexecUserGroup a b": "suexec", "Dav On": "dav_fs", "Require file-owner": "authz_owner", "AuthnCacheEnable": "authn_socache",
	} {
		t.Run(directive, func(t *testing.T) {
			base := added(laid(t, Apache, of("<VirtualHost *:80>\n"+directive+"\n</VirtualHost>")), apacheMain)
			NewWithT(t).Expect(base).To(ContainSubstring("LoadModule " + module + "_module modules/mod_" + module + ".so\n"))
		})
	}
}

// SUSE's httpd.conf says neither where it listens nor what it loads: other files of the folder
// do, and it includes them.
func TestApacheOfSUSE(t *testing.T) {
	g := NewWithT(t)
	l := laid(t, Apache, tree("httpd.conf", "Include /etc/apache2/listen.conf\nIncludeOptional /etc/apache2/vhosts.d/*.conf\n", "listen.conf", "Listen 80\n", "vhosts.d/shop.conf", vhost))
	g.Expect(added(l, apacheMain)).To(And(HaveSuffix("Include \"/etc/apache2/httpd.conf\"\n"), Not(ContainSubstring("Listen 80"))))
	g.Expect(places(l)).To(Equal(map[string]string{"/etc/apache2/httpd.conf": "httpd.conf", "/etc/apache2/listen.conf": "listen.conf", "/etc/apache2/vhosts.d/shop.conf": "vhosts.d/shop.conf"}))
	apart := laid(t, Apache, tree("httpd.conf", vhost, "vhosts.d/shop.conf", vhost))
	g.Expect(added(apart, apacheMain)).To(ContainSubstring("vhosts.d/shop.conf"), "nothing includes it")
}

func TestApacheOfWindows(t *testing.T) {
	_, err := apache.Layout(of("Define SRVROOT \"c:/Apache24\"\nServerRoot \"${SRVROOT}\"\nListen 80\nLoadModule a b\n"))
	NewWithT(t).Expect(err).To(MatchError(And(ContainSubstring("ServerRoot c:/Apache24"), ContainSubstring("Windows"), ContainSubstring(apacheRoot))))
}

// Stapling of a site has its cache in the main file of the machine.
func TestApacheStapling(t *testing.T) {
	g := NewWithT(t)
	base := func(text string) string { return added(laid(t, Apache, of(text)), apacheMain) }
	g.Expect(base("<VirtualHost *:443>\nSSLUseStapling on\n</VirtualHost>")).To(And(ContainSubstring("\nSSLStaplingCache shmcb:"), ContainSubstring("mod_socache_shmcb.so")))
	g.Expect(base("SSLStaplingCache shmcb:/tmp/a(1000)\n<VirtualHost *:443>\nSSLUseStapling on\n</VirtualHost>")).NotTo(ContainSubstring("\nSSLStaplingCache"))
	g.Expect(base("<VirtualHost *:443>\nSSLUseStapling off\n</VirtualHost>")).NotTo(ContainSubstring("SSLStaplingCache"))
}

func TestApacheElsewhere(t *testing.T) {
	g := NewWithT(t)
	debian := laid(t, Apache, tree("apache2.conf", "ErrorLog ${APACHE_LOG_DIR}/error.log\nUser ${APACHE_RUN_USER}", "envvars", "export X=y", "mods-enabled/proxy_http.load", "-> ../mods-available/proxy_http.load"))
	g.Expect(debian.Cmd[2]).To(And(ContainSubstring(". /etc/apache2/envvars;"), ContainSubstring("-d /etc/apache2 -f /etc/apache2/apache2.conf")))
	g.Expect(debian.Env).To(ContainElement("APACHE_LOG_DIR=/var/log/apache2"))
	g.Expect(debian.Folders).To(ContainElement("/var/log/apache2"))
	g.Expect(debian.Users).To(Equal([]string{"www-data"}))
	g.Expect(added(debian, "/etc/apache2/mods-available/proxy_http.load")).To(Equal("LoadModule proxy_http_module /usr/lib/apache2/modules/mod_proxy_http.so\n"))

	redhat := laid(t, Apache, tree("conf/httpd.conf", "ServerRoot \"/etc/httpd\"\nUser apache\nErrorLog logs/error_log\n", "logs", "-> ../../var/log/httpd"))
	g.Expect(redhat.Cmd).To(Equal([]string{"httpd-foreground", "-d", "/etc/httpd", "-f", "/etc/httpd/conf/httpd.conf"}))
	g.Expect(redhat.Folders).To(ContainElement("/var/log/httpd"))
	g.Expect(redhat.Folders).NotTo(ContainElement("/etc/httpd/logs"), "it is a link of the folder's own")
	g.Expect(redhat.Users).To(Equal([]string{"apache"}))
	g.Expect(added(redhat, "/etc/httpd/modules")).To(Equal(apacheRoot + "/modules"))

	vhost := laid(t, Apache, of("<VirtualHost *:80>\nErrorLog ${APACHE_LOG_DIR}/shop/error.log\n</VirtualHost>"))
	g.Expect(vhost.Folders).To(Equal([]string{"/var/log/apache2/shop"}))
	rooted := laid(t, Apache, of("<VirtualHost *:80>\nDocumentRoot \"/var/www/html\"\n</VirtualHost>"))
	g.Expect(rooted.Folders).To(Equal([]string{"/var/www/html"}), "Apache does not start if it is not there")
	g.Expect(laid(t, Apache, of(vhostPiped)).Folders).To(Equal([]string{"/var/log"}))
}

const vhostPiped = "<VirtualHost *:80>\nErrorLog \"|/usr/bin/rotatelogs /var/log/x 86400\"\n</VirtualHost>"

func TestWhereHAProxyAndCaddyFilesGo(t *testing.T) {
	g := NewWithT(t)
	start := []string{"haproxy", "-W", "-db", "-f"}
	g.Expect(laid(t, HAProxy, of("x")).Cmd).To(Equal(append(start, haproxyMain)))
	g.Expect(laid(t, HAProxy, tree("haproxy.cfg", "x", "conf.d/a.cfg", "y")).Cmd).To(Equal(append(start, haproxyMain, "-f", haproxyFolder+"/conf.d")))
	g.Expect(laid(t, HAProxy, tree("00.cfg", "x", "10.cfg", "y", "maps/a.map", "z")).Cmd).To(Equal(append(start, haproxyFolder)))
	debian := laid(t, HAProxy, tree("haproxy.cfg", "global\n  chroot /var/lib/haproxy\n  stats socket /run/haproxy/admin.sock level admin\n  user app\ndefaults\n  errorfile 503 /etc/haproxy/errors/503.http\n", "errors/503.http", "x"))
	g.Expect(places(debian)).To(HaveKeyWithValue("/etc/haproxy/errors/503.http", "errors/503.http"))
	g.Expect(debian.Folders).To(Equal([]string{"/var/lib/haproxy", "/run/haproxy"}))
	g.Expect(debian.Users).To(Equal([]string{"app"}))
	g.Expect(laid(t, HAProxy, tree("haproxy.config", "x", "a.map", "y")).Cmd).To(Equal(append(start, haproxyFolder+"/haproxy.config")))
	_, err := haproxy.Layout(tree("a.map", "x", "b.map", "y"))
	g.Expect(err).To(MatchError(ContainSubstring("haproxy.cfg")))

	g.Expect(places(laid(t, Caddy, tree("Caddyfile", "import sites/*", "sites/a", "x")))).To(Equal(map[string]string{caddyMain: "Caddyfile", "/etc/caddy/sites/a": "sites/a"}))
	g.Expect(places(laid(t, Caddy, Config{Files: []File{{Name: "my.json"}}}))).To(Equal(map[string]string{caddyJSON: "my.json"}))
	g.Expect(laid(t, Caddy, Config{Files: []File{{Name: "my.json"}}}).Cmd).To(Equal([]string{"caddy", "run", "--config", caddyJSON}))
	g.Expect(laid(t, Caddy, tree("config.json", "{}", "README.md", "x")).Cmd[3]).To(Equal("/etc/caddy/config.json"))
	_, err = caddy.Layout(tree("a", "x", "b", "y"))
	g.Expect(err).To(MatchError(ContainSubstring("Caddyfile")))
	_, err = goproxy.Layout(tree("a.yaml", "x", "b.yaml", "y"))
	g.Expect(err).To(MatchError(ContainSubstring("one YAML file")))
}
