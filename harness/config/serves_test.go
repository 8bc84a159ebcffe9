package config

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/harness/kind"
)

// Shapes in which people write down which hosts and paths a proxy serves.
func TestServes(t *testing.T) {
	for name, tc := range map[string]struct {
		kind         kind.Name
		text         string
		hosts, paths []string
	}{
		"nginx": {
			kind.Nginx, `
server { server_name "" _; return 444; }
server {
    # server_name gone.example.com;
    server_name shop.example.com *.shop.example.com .example.org
        ~^(?<sub>api|www)\.example\.net$ www.example.*; # and no more
    location = /health { return 200 "location /not; {\n"; }
    location /api/ { proxy_pass http://$api; location /api/v2 { proxy_pass http://b; } }
    location ~* ^/users/(\d+)/?$ { proxy_pass http://b; }
    location ~ \.php$ { fastcgi_pass x; }
    location ~ ^/(?!static) { proxy_pass http://b; }
    location @named { proxy_pass http://b; }
}`,
			[]string{"shop.example.com", "www.shop.example.com", "example.org", "api.example.net", "www.example.example.com"},
			[]string{"/health", "/api/", "/api/v2", "/users/1", "/.php"},
		},
		"nginx, a template": {
			kind.Nginx, `server { server_name ${NAME} b.example.com; location ${BASE}/x { } location /y { } }`,
			[]string{"b.example.com"},
			[]string{"/y"},
		},
		"nginx, hosts in conditions and maps": {
			kind.Nginx, `
map $http_host $a { default ""; shop.example.com a; "~*^(?<t>[a-z]+)\.apps\.example\.org$" b; \hostnames c; }
map $uri $b { /x y; }
server {
    server_name _;
    if ($host !~* ^(www\.)?Own\.example\.net$) { return 444; }
    if ($host = old.example.net) { return 301 /; }
    if ($request_method = POST) { return 405; }
}`,
			[]string{"shop.example.com", "a.apps.example.org", "hostnames", "own.example.net", "old.example.net"},
			nil,
		},
		"HAProxy, hosts in a variable": {
			kind.HAProxy, "acl a var(txn.host) -m str -i shop.example.com *.example.net\n", []string{"shop.example.com", "www.example.net"}, nil,
		},
		"Caddy, localhost": {
			kind.Caddy, "localhost, http://app {\n}\n*.Example.org {\n}\n", []string{"localhost", "app", "www.example.org"}, nil,
		},
		"Varnish": {
			kind.Varnish, `if (req.http.host == "a.example.org" || req.http.Host != "b.example.org") { }
if (req.http.host !~ "(?i)^(www\.)?Shop\.example\.org(:[0-9]+)?$") { return (synth(404)); }
if (req.url ~ "^/api/[0-9]") { }`,
			[]string{"a.example.org", "b.example.org", "shop.example.org"}, []string{"/api/1"},
		},
		"Traffic Server": {
			kind.TrafficServer, "map_with_recv_port http://a.example.org:8080/x http://b/\nregex_map http://([a-z]+)\\.apps\\.example\\.org:80/ http://$1.internal/\nregex_map http://w[0-9]\\.example\\.org http://b/\n",
			[]string{"a.example.org", "a.apps.example.org", "w1.example.org"}, []string{"/x", "/"},
		},
		"Pound": {
			kind.Pound, `Host "a.example.org"
Host -icase "b.example.org"
Host -end ".apps.example.org"
Host -re "^c[0-9]\.example\.org$"
HeadRequire "Host:.*d\.example\.org.*"
Header -icase "^Host:[ \t]*e\.example\.org"`,
			[]string{"a.example.org", "b.example.org", "c1.example.org", "d.example.org", "e.example.org", "www.apps.example.org"}, nil,
		},
		"nghttpx": {
			kind.Nghttpx, "backend=127.0.0.1,3000;/\nbackend=api.internal,80;/api/:*.example.org/v2/:shop.example.org;dns;proto=h2\nbackend=unix:/run/a.sock\n",
			[]string{"www.example.org", "shop.example.org"}, []string{"/", "/api/", "/v2/"},
		},
		"plain names": {
			kind.Nginx, `server { server_name _ "" a.example.com; }`, []string{"a.example.com"}, nil,
		},
		"Apache": {
			kind.Apache, `
<VirtualHost *:443>
    ServerName https://Shop.example.com:443
    ServerAlias www.shop.example.com *.shop.example.com
    ProxyPass "/static" !
    ProxyPass /api http://api.internal/ retry=0
    ProxyPassMatch ^/user/(\d+)$ http://user.internal/$1
    RewriteRule ^/old/(.*)$ http://old.internal/$1 [P,L]
    RewriteRule ^/gone - [G]
    <Location "/admin/">
        ProxyPass http://admin.internal/
    </Location>
    <LocationMatch "^/v[0-9]+/">
    </LocationMatch>
</VirtualHost>`,
			[]string{"shop.example.com", "www.shop.example.com"},
			[]string{"/static", "/api", "/admin/", "/user/1", "/old/", "/v1/"},
		},
		"HAProxy": {
			kind.HAProxy, `
frontend www
    acl shop hdr(host) -i shop.example.com www.shop.example.com
    acl below hdr_end(host) -i .example.org
    acl api hdr_beg(host) -i api.
    acl secure req.hdr(host),lower -m str secure.example.com
    use_backend sni if { ssl_fc_sni -i sni.example.com }
    acl v1 path_beg -i /v1 /v2
    use_backend users if { path -m reg ^/users/[0-9]+ } || { path_beg /u/ }
    use_backend %[req.hdr(host),lower,map(/etc/haproxy/hosts.map)]`,
			[]string{"shop.example.com", "www.shop.example.com", "www.example.org", "api.example.com", "secure.example.com", "sni.example.com"},
			[]string{"/v1", "/v2", "/u/", "/users/1"},
		},
		"Caddy": {
			kind.Caddy, `{
	admin off
}
(common) {
	encode gzip
}
https://shop.example.com:8443, www.shop.example.com {
	@api path /api/* /v2/*
	handle @api {
		reverse_proxy api.internal:8080
	}
	handle_path /old/* {
		reverse_proxy /older/* old.internal
	}
	@user path_regexp id ^/user/([0-9]+)$
	@other host other.example.com
}
:80 {
	respond 404
}`,
			[]string{"shop.example.com", "www.shop.example.com", "other.example.com"},
			[]string{"/api/", "/v2/", "/old/", "/older/", "/user/1"},
		},
		"Caddy, one site": {
			kind.Caddy, "shop.example.com\n\nreverse_proxy backend.internal:80\n", []string{"shop.example.com"}, nil,
		},
		"goproxy": {
			kind.GoProxy, `
routes:
  - host: "*.example.com"
    path: /api
    upstream: b
  - {host: a.example.org, path_regex: "^/users/([0-9]+)$", upstream: b}
upstreams:
  b: {url: http://b.internal, preserve_host: true}`,
			[]string{"www.example.com", "a.example.org"},
			[]string{"/api", "/users/1"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			c := Config{Kind: tc.kind, Config: kind.Config{Files: []kind.File{{Name: "x", Content: []byte(tc.text)}}}}
			hosts, unsaid := c.Hosts()
			g.Expect(hosts).To(Equal(tc.hosts))
			g.Expect(unsaid).To(Equal(!slices.Contains([]string{"Caddy", "Caddy, one site", "plain names"}, name)), "patterns")
			g.Expect(c.Paths()).To(Equal(tc.paths))
		})
	}
}

func TestSample(t *testing.T) {
	for pattern, want := range map[string]string{
		`^/a/(b|c)/\d{2}x?$`: "/a/b/11", `(?i)^/API/[a-z]+`: "/api/a", `^/.+\.(gif|png)$`: "/x.gif",
		`^/(?!x)`: "", `^/(a{300})`: "/" + "aaa", `[^\x00-\x{10FFFF}]`: "x",
	} {
		got := sample(pattern)
		if pattern == `^/(a{300})` {
			got = got[:4]
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", pattern, got, want)
		}
	}
}

// What is compared with hosts and paths may be in files of its own.
func TestServesByFiles(t *testing.T) {
	g := NewWithT(t)
	file := func(name, text string) kind.File { return kind.File{Name: name, Content: []byte(text)} }
	h := Config{Kind: kind.HAProxy, Config: kind.Config{Files: []kind.File{
		file("haproxy.cfg", "use_backend %[req.hdr(host),lower,map_dom(/etc/haproxy/maps/hosts.map,x)]\nacl a path,map_beg(/etc/haproxy/paths.map)\nacl b hdr(host) -i -f /etc/haproxy/own.lst\nacl c src -f /etc/haproxy/nets.lst\n"),
		file("maps/hosts.map", "# all\nshop.example.org be\r\n"), file("own.lst", "www.example.net\r\n"), file("paths.map", "/api be\n"), file("nets.lst", "10.0.0.1\n"),
	}}}
	hosts, _ := h.Hosts()
	g.Expect(hosts).To(Equal([]string{"shop.example.org", "www.example.net"}))
	g.Expect(h.Paths()).To(Equal([]string{"/api"}))
	n := Config{Kind: kind.Nginx, Config: kind.Config{Files: []kind.File{
		file("nginx.conf", "http { map $host $b { default x; include maps/*.map; } }\n"), file("maps/a.map", "shop.example.org be;\n"), file("other.conf", "gone.example.org be;\n"),
	}}}
	hosts, _ = n.Hosts()
	g.Expect(hosts).To(Equal([]string{"shop.example.org"}))
	q := Config{Kind: kind.Squid, Config: kind.Config{Files: []kind.File{
		file("squid.conf", "acl a dstdomain -n \"/etc/squid/sites.txt\" b.example.org\nacl c dstdom_regex -i ^c[0-9]\\.example\\.org$\n"), file("sites.txt", "# all\nshop.example.org\n.apps.example.org\n"),
	}}}
	hosts, _ = q.Hosts()
	g.Expect(hosts).To(Equal([]string{"shop.example.org", "apps.example.org", "b.example.org", "c1.example.org"}))
	c := Config{Kind: kind.Caddy, Config: kind.Config{Files: []kind.File{file("caddy.json", `{"a": [{"match": [{"host": ["shop.example.org"], "path": ["/api/*"]}]}]}`)}}}
	hosts, _ = c.Hosts()
	g.Expect(hosts).To(Equal([]string{"shop.example.org"}))
	g.Expect(c.Paths()).To(Equal([]string{"/api/"}))
}

// The machine of an agency has a site for each of many customers, and few of them proxy.
func TestManyHosts(t *testing.T) {
	var text strings.Builder
	for i := range 60 {
		fmt.Fprintf(&text, "server { listen 80; server_name www.customer%d.example; }\n", i)
	}
	c := Config{Kind: kind.Nginx, Config: kind.Config{Files: []kind.File{{Name: "a.conf", Content: []byte(text.String())}}}}
	hosts, _ := c.Hosts()
	NewWithT(t).Expect(hosts).To(ContainElement("www.customer59.example"))
}
