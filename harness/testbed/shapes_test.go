package testbed

import (
	"bytes"
	"context"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/harness/engine"
	"github.com/proxychaos/proxychaos/harness/images"
	"github.com/proxychaos/proxychaos/harness/kind"
	"github.com/proxychaos/proxychaos/harness/reaper"
)

// checker puts layouts into the images built here and asks the proxies what they make
// of them, without a network.
type checker struct {
	docker *client.Client
	labels map[string]string
	images map[kind.Name]images.Image
}

func newChecker(t *testing.T) *checker {
	t.Helper()
	g := NewWithT(t)
	e, err := engine.Ensure(t.Context(), io.Discard)
	g.Expect(err).NotTo(HaveOccurred(), "this test needs a Docker engine")
	docker, err := e.Client()
	g.Expect(err).NotTo(HaveOccurred())
	c := &checker{docker: docker, labels: reaper.NewSession(), images: map[kind.Name]images.Image{}}
	t.Cleanup(func() {
		if err := reaper.Sweep(context.Background(), docker, c.labels); err != nil {
			t.Error(err)
		}
		_ = docker.Close()
	})
	finder := images.New(docker, io.Discard, c.labels)
	var mu sync.Mutex
	var group sync.WaitGroup
	// The releases that the catalogue has built anyway.
	for name, release := range map[kind.Name]string{kind.Apache: "stable", kind.Nginx: "stable", kind.HAProxy: "testing", kind.Caddy: "testing"} {
		group.Go(func() {
			k, err := kind.Of(name)
			if err != nil {
				t.Error(err)
				return
			}
			r, err := k.Release(release)
			if err != nil {
				t.Error(err)
				return
			}
			r.Official = "" // also where a registry answers
			image, err := finder.Proxy(t.Context(), r)
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			c.images[name] = image
		})
	}
	group.Wait()
	if t.Failed() {
		t.FailNow()
	}
	return c
}

// asked is the command that has a proxy print what it makes of its configuration.
func asked(name kind.Name, cmd []string) []string {
	switch {
	case name == kind.Nginx:
		return append(cmd, "-T")
	case name == kind.Apache && cmd[0] == "sh":
		return []string{"sh", "-c", cmd[2] + " -t -D DUMP_VHOSTS -D DUMP_MODULES"}
	case name == kind.Apache:
		return append(cmd, "-t", "-D", "DUMP_VHOSTS", "-D", "DUMP_MODULES")
	case name == kind.HAProxy:
		return append(cmd, "-c")
	default:
		return append([]string{"caddy", "validate"}, cmd[2:]...)
	}
}

// check is what the proxy says, and whether it takes the configuration.
func (c *checker) check(t *testing.T, name kind.Name, conf kind.Config) (string, bool) {
	t.Helper()
	l := layoutOf(t, name, conf)
	_, said, code := c.run(t, name, l, asked(name, l.Cmd))
	return said, code == 0
}

func layoutOf(t *testing.T, name kind.Name, conf kind.Config) kind.Layout {
	t.Helper()
	k, err := kind.Of(name)
	if err != nil {
		t.Fatal(err)
	}
	l, err := k.Layout(conf)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// run runs a command on a layout until it ends. The container is still there then.
func (c *checker) run(t *testing.T, name kind.Name, l kind.Layout, cmd []string) (id, said string, code int64) {
	t.Helper()
	g := NewWithT(t)
	made, err := c.docker.ContainerCreate(t.Context(), client.ContainerCreateOptions{
		Config:     &container.Config{Image: c.images[name].Ref, Cmd: cmd, Env: l.Env, Labels: c.labels},
		HostConfig: &container.HostConfig{NetworkMode: "none"},
	})
	g.Expect(err).NotTo(HaveOccurred())
	tb := unstarted(c.docker, Spec{})
	g.Expect(tb.place(t.Context(), made.ID, l)).To(Succeed())
	wait := c.docker.ContainerWait(t.Context(), made.ID, client.ContainerWaitOptions{Condition: container.WaitConditionNextExit})
	_, err = c.docker.ContainerStart(t.Context(), made.ID, client.ContainerStartOptions{})
	g.Expect(err).NotTo(HaveOccurred())
	select {
	case ended := <-wait.Result:
		code = ended.StatusCode
	case err := <-wait.Error:
		t.Fatal(err)
	}
	logs, err := c.docker.ContainerLogs(t.Context(), made.ID, client.ContainerLogsOptions{ShowStdout: true, ShowStderr: true})
	g.Expect(err).NotTo(HaveOccurred())
	defer func() { _ = logs.Close() }()
	var out bytes.Buffer
	_, err = stdcopy.StdCopy(&out, &out, logs)
	g.Expect(err).NotTo(HaveOccurred())
	return made.ID, out.String(), code
}

// What a proxy refuses comes with what can be done about it.
func TestWhatIsRefusedComesWithAdvice(t *testing.T) {
	c := newChecker(t)
	for name, tc := range map[string]struct {
		kind   kind.Name
		config kind.Config
		want   string
	}{
		"nginx, daemon on":            {kind.Nginx, tree("nginx.conf", "daemon on;\n"+nginxHTTP), "foreground"},
		"nginx, a later version":      {kind.Nginx, tree("a.conf", "upstream a { zone a 64k; server b.example.com resolve; }\n"), "\"resolve\" needs 1.27.3, this is 1."},
		"nginx, a snippet is missing": {kind.Nginx, tree("shop.conf", "server { include snippets/forward.conf; }\n"), "/etc/nginx/snippets/forward.conf is not in CONFIG="},
		"nginx, a file of variables":  {kind.Nginx, tree("shop.conf", "server { listen 80; location / { return 200 ${BACKEND}; } }\n"), "call the file *.template"},
		"nginx, NGINX Plus":           {kind.Nginx, tree("shop.conf", "server { location / { health_check; } }\n"), "NGINX_IMAGE="},
		"Apache, no workers":          {kind.Apache, tree("httpd.conf", "ServerRoot /usr/local/apache2\nListen 80\n"), "LoadModule mpm_event_module"},
		"Apache, a module is missing": {kind.Apache, tree("httpd.conf", "ServerRoot /usr/local/apache2\nListen 80\nLoadModule mpm_event_module modules/mod_mpm_event.so\nRewriteEngine On\n"), "LoadModule rewrite_module"},
		"Apache, no such module":      {kind.Apache, tree("a.conf", "LoadModule pagespeed_module modules/mod_pagespeed.so\n"+apacheSite), "HTTPD_IMAGE="},
		"Apache, a file is missing":   {kind.Apache, tree("a.conf", "Include conf/elsewhere.conf\n"+apacheSite), "elsewhere.conf is not in CONFIG="},
		"HAProxy, an unknown word":    {kind.HAProxy, tree("haproxy.cfg", "defaults\n mode http\n nonsense on\n"), "a later HAProxy may know \"nonsense\""},
		"Caddy, a plugin":             {kind.Caddy, tree("Caddyfile", ":80 {\n\trate_limit 5\n}\n"), "\"rate_limit\" is of a plugin"},
		"Caddy, an import is missing": {kind.Caddy, tree("Caddyfile", "import ./sites/shop.caddy\n"), "is not in CONFIG="},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			l := layoutOf(t, tc.kind, tc.config)
			_, said, code := c.run(t, tc.kind, l, asked(tc.kind, l.Cmd))
			g.Expect(code).NotTo(BeZero(), "%s", said)
			k, err := kind.Of(tc.kind)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(k.Advise(said, c.images[tc.kind].Version)).To(ContainSubstring(tc.want), "%s", said)
		})
	}
}

// What Apache says of its start only in its log is told.
func TestStartThatApacheExplainsInItsLogFile(t *testing.T) {
	c := newChecker(t)
	g := NewWithT(t)
	l := layoutOf(t, kind.Apache, tree("shop.conf", "<VirtualHost *:80>\n ErrorLog ${APACHE_LOG_DIR}/shop.log\n SSLEngine on\n SSLCertificateFile /usr/local/apache2/conf/httpd.conf\n</VirtualHost>\n"))
	id, said, code := c.run(t, kind.Apache, l, l.Cmd)
	g.Expect(code).NotTo(BeZero())
	g.Expect(said).NotTo(ContainSubstring("certificate"))
	tb := unstarted(c.docker, Spec{})
	g.Expect(tb.written(t.Context(), id, l.Logs)).To(ContainSubstring("certificate"))
}

// tree is a folder: names of files with their content in turn. A content that begins
// with "-> " makes a link.
func tree(pairs ...string) kind.Config {
	c := kind.Config{Path: "./folder"}
	for i := 0; i < len(pairs); i += 2 {
		if target, is := strings.CutPrefix(pairs[i+1], "-> "); is {
			c.Links = append(c.Links, kind.Link{Name: pairs[i], Target: target})
		} else {
			c.Files = append(c.Files, kind.File{Name: pairs[i], Content: []byte(pairs[i+1])})
		}
	}
	return c
}

const (
	nginxSite  = "server { listen 80; server_name shop.example.com; location / { resolver 127.0.0.1; set $b b.example.com; proxy_pass http://$b; } }\n"
	nginxHTTP  = "events {}\nhttp {\n include /etc/nginx/mime.types;\n include /etc/nginx/conf.d/*.conf;\n include /etc/nginx/sites-enabled/*;\n}\n"
	apacheSite = "<VirtualHost *:80>\n ServerName shop.example.com\n ProxyPass / http://127.0.0.1:9/\n</VirtualHost>\n"
)

// Each shape of a configuration is taken by its proxy, with what is in it in force.
func TestEveryShapeIsTaken(t *testing.T) {
	c := newChecker(t)
	for name, tc := range map[string]struct {
		kind   kind.Name
		config kind.Config
		want   string // in what the proxy says
		not    string
	}{
		"nginx, copied from a machine": {kind.Nginx, tree(
			"nginx.conf", "user webapp;\npid /run/nginx/nginx.pid;\nerror_log /var/log/nginx/shop/error.log;\ninclude /etc/nginx/modules-enabled/*.conf;\n"+nginxHTTP,
			"conf.d/http11.conf", "proxy_http_version 1.1;\n", "modules", "-> /usr/lib/nginx/modules",
			"modules-enabled/50-mod-stream.conf", "-> /usr/share/nginx/modules-available/mod-stream.conf",
			"sites-available/shop", nginxSite, "sites-available/old", "server { listen 80; server_name old.example.com; }",
			"sites-enabled/shop", "-> /etc/nginx/sites-available/shop",
		), "server_name shop.example.com", "localhost"},
		"nginx, conf.d and snippets": {kind.Nginx, tree(
			"conf.d/shop.conf", "server { listen 80; server_name shop.example.com; location / { include snippets/forward.conf; include proxy_params; return 204; } }\n",
			"snippets/forward.conf", "proxy_set_header X-Forwarded-Proto https;\n",
		), "X-Forwarded-Proto https", "server_name  localhost"},
		"nginx, sites without an ending": {kind.Nginx, tree("api", nginxSite, "shop", strings.ReplaceAll(nginxSite, "shop", "other")), "server_name shop.example.com", "server_name  localhost"},
		"nginx, a file of a Debian machine": {kind.Nginx, tree(
			"shop", "server { listen 80; access_log /var/log/nginx/shop/access.log; location / { include /etc/nginx/proxy_params; return 204; }\n location ~ \\.php$ { include snippets/fastcgi-php.conf; fastcgi_pass unix:/run/php.sock; } }\n",
		), "fastcgi_index", ""},
		"nginx, daemon off":                       {kind.Nginx, tree("nginx.conf", "daemon off;\n"+nginxHTTP), "successful", ""},
		"nginx, stream":                           {kind.Nginx, tree("nginx.conf", "events {}\nstream { resolver 127.0.0.1; server { listen 80; set $b b.example.com; proxy_pass $b:80; } }\n"), "successful", ""},
		"nginx, stream that is loaded by hand":    {kind.Nginx, tree("nginx.conf", "load_module modules/ngx_stream_module.so;\nload_module modules/ngx_http_headers_more_filter_module.so;\nevents {}\nstream { }\nhttp { more_set_headers 'A: b'; }\n"), "successful", ""},
		"nginx, certificates that were not given": {kind.Nginx, tree("nginx.conf", "events {}\nhttp { server { listen 443 ssl; ssl_certificate /etc/letsencrypt/live/a/fullchain.pem; ssl_certificate_key /etc/letsencrypt/live/a/privkey.pem; ssl_dhparam /etc/letsencrypt/ssl-dhparams.pem; include /etc/letsencrypt/options-ssl-nginx.conf; } }\n"), "successful", ""},
		"nginx, mail":                             {kind.Nginx, tree("nginx.conf", "daemon off;\nevents {}\nmail { auth_http 127.0.0.1/auth; server { listen 143; protocol imap; } }\n"), "successful", ""},

		"Apache, a Debian virtual host":            {kind.Apache, tree("shop.conf", "<VirtualHost *:8080>\n ServerName shop.example.com\n ErrorLog ${APACHE_LOG_DIR}/shop/error.log\n CustomLog ${APACHE_LOG_DIR}/shop/access.log combined\n Redirect permanent /old https://shop.example.com/new\n Alias /static/ /usr/local/apache2/htdocs/\n SetEnv proxy-initial-not-pooled 1\n <Proxy *>\n  Order deny,allow\n  Allow from all\n </Proxy>\n RemoteIPHeader X-Forwarded-For\n ProxyPass /static/ !\n ProxyPass / http://127.0.0.1:9/\n</VirtualHost>\n"), ":8080", ""},
		"Apache, a folder of sites":                {kind.Apache, tree("000-default.conf", "<VirtualHost *:80>\n ServerName default.invalid\n <Location \"/\">\n  Require all denied\n </Location>\n</VirtualHost>\n", "shop.conf", apacheSite), "shop.example.com", ""},
		"Apache, health checks of members":         {kind.Apache, tree("shop.conf", "<VirtualHost *:80>\n ServerName shop.example.com\n <Proxy balancer://b>\n  BalancerMember http://127.0.0.1:9 hcmethod=GET hcuri=/\n </Proxy>\n ProxyPass / balancer://b/\n</VirtualHost>\n"), "proxy_hcheck_module", ""},
		"Apache, what is built in is loaded":       {kind.Apache, tree("httpd.conf", "LoadModule mpm_event_module modules/mod_mpm_event.so\nListen 80\nLoadModule unixd_module modules/mod_unixd.so\nLoadModule authz_core_module modules/mod_authz_core.so\nLoadModule proxy_module modules/mod_proxy.so\nLoadModule proxy_http_module modules/mod_proxy_http.so\nProxyPassMatch \"^/app/users/([0-9]{4})$\" \"http://127.0.0.1:1323/users/$1\"\n"), "proxy_http_module", ""},
		"Apache, certificates that were not given": {kind.Apache, tree("a.conf", "<VirtualHost *:443>\n ServerName shop.example.com\n SSLEngine on\n SSLCertificateFile /path/to/your/certificate.crt\n SSLCertificateKeyFile /path/to/your/private.key\n SSLCertificateChainFile /path/to/chain.pem\n Include /etc/letsencrypt/options-ssl-apache.conf\n ProxyPass / http://127.0.0.1:9/\n</VirtualHost>\n"), ":443", ""},
		"Apache, Debian's folder": {kind.Apache, tree(
			"apache2.conf", "DefaultRuntimeDir ${APACHE_RUN_DIR}\nPidFile ${APACHE_PID_FILE}\nUser ${APACHE_RUN_USER}\nGroup ${APACHE_RUN_GROUP}\nErrorLog ${APACHE_LOG_DIR}/error.log\nIncludeOptional mods-enabled/*.load\nIncludeOptional mods-enabled/*.conf\nInclude ports.conf\nLogFormat \"%h\" combined\nIncludeOptional sites-enabled/*.conf\n",
			"envvars", "unset HOME\nexport APACHE_RUN_USER=www-data APACHE_RUN_GROUP=www-data\nexport APACHE_PID_FILE=/var/run/apache2/apache2.pid APACHE_RUN_DIR=/var/run/apache2 APACHE_LOCK_DIR=/var/lock/apache2 APACHE_LOG_DIR=/var/log/elsewhere\n",
			"ports.conf", "Listen 80\n", "mods-enabled/mpm_event.load", "LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so\n",
			"mods-enabled/ssl.load", "-> ../mods-available/ssl.load", "mods-enabled/ssl.conf", "SSLPassPhraseDialog exec:/usr/share/apache2/ask-for-passphrase\n",
			"mods-enabled/authz_core.load", "-> ../mods-available/authz_core.load", "mods-enabled/proxy.load", "-> ../mods-available/proxy.load", "mods-enabled/proxy_http.load", "-> ../mods-available/proxy_http.load",
			"sites-enabled/shop.conf", apacheSite,
		), "shop.example.com", ""},
		"Apache, Red Hat's folder": {kind.Apache, tree(
			"conf/httpd.conf", "ServerRoot \"/etc/httpd\"\nListen 80\nInclude conf.modules.d/*.conf\nUser apache\nGroup apache\nErrorLog \"logs/error_log\"\nIncludeOptional conf.d/*.conf\n",
			"conf.modules.d/00-base.conf", "LoadModule mpm_event_module modules/mod_mpm_event.so\nLoadModule authz_core_module modules/mod_authz_core.so\nLoadModule unixd_module modules/mod_unixd.so\nLoadModule log_config_module modules/mod_log_config.so\n",
			"conf.modules.d/00-systemd.conf", "LoadModule systemd_module modules/mod_systemd.so\n", "conf.modules.d/10-proxy.conf", "LoadModule proxy_module modules/mod_proxy.so\nLoadModule proxy_http_module modules/mod_proxy_http.so\n",
			"conf.d/shop.conf", apacheSite, "logs", "-> ../../var/log/httpd", "modules", "-> ../../usr/lib64/httpd/modules", "run", "-> /run/httpd",
		), "shop.example.com", ""},

		"HAProxy, Debian's folder": {kind.HAProxy, tree(
			"haproxy.cfg", "global\n log /dev/log local0\n chroot /var/lib/haproxy\n stats socket /run/haproxy/admin.sock mode 660 level admin\n user app\n group app\n daemon\ndefaults\n mode http\n timeout connect 5s\n timeout client 5s\n timeout server 5s\n errorfile 503 /etc/haproxy/errors/503.http\n",
			"conf.d/shop.cfg", "frontend shop\n bind :80\n default_backend b\nbackend b\n server a 127.0.0.1:9\n",
		), "", "WARNING"},
		"HAProxy, a certificate that was not given": {kind.HAProxy, tree("haproxy.cfg", "defaults\n mode http\n timeout connect 5s\n timeout client 5s\n timeout server 5s\nfrontend shop\n bind :443 ssl crt /etc/haproxy/certs/\n default_backend b\nbackend b\n server a 127.0.0.1:9\n"), "", "WARNING"},
		"HAProxy, a folder of files":                {kind.HAProxy, tree("00-defaults.cfg", "defaults\n mode http\n timeout connect 5s\n timeout client 5s\n timeout server 5s\n", "10-shop.cfg", "frontend shop\n bind :80\n default_backend b\nbackend b\n server a 127.0.0.1:9\n"), "", "WARNING"},
		"Caddy, with imports":                       {kind.Caddy, tree("Caddyfile", "import sites/*\n", "sites/shop", ":80 {\n\treverse_proxy b.example.com:80\n}\n"), "Valid configuration", ""},
		"Caddy, its own JSON":                       {kind.Caddy, tree("shop.json", `{"apps":{"http":{"servers":{"a":{"listen":[":80"]}}}}}`), "Valid configuration", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			said, taken := c.check(t, tc.kind, tc.config)
			g.Expect(taken).To(BeTrue(), "%s", said)
			g.Expect(said).To(ContainSubstring(tc.want))
			if tc.not != "" {
				g.Expect(said).NotTo(ContainSubstring(tc.not))
			}
		})
	}
}
