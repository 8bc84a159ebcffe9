package kind

import (
	"testing"

	. "github.com/onsi/gomega"
)

// A folder that was copied from where its own files call each other by whole paths.
func TestTheFolderIsWhereItsFilesExpectIt(t *testing.T) {
	for name, tc := range map[string]struct {
		kind   Name
		config Config
		links  map[string]string
	}{
		"Bitnami's nginx, by a pattern": {
			Nginx, tree("nginx.conf", "events {}\nhttp { include \"/opt/bitnami/nginx/conf/server_blocks/*.conf\"; }", "server_blocks/a.conf", server),
			map[string]string{"/opt/bitnami/nginx/conf": nginxFolder},
		},
		"OpenResty, by a file": {
			Nginx, tree("nginx.conf", "events {}\nhttp { include /usr/local/openresty/nginx/conf/mime.types; }", "mime.types", "types {}", "vhost/a.conf", server),
			map[string]string{"/usr/local/openresty/nginx/conf": nginxFolder},
		},
		"a router's maps": {
			HAProxy, tree("haproxy.config", "frontend a\n use_backend %[base,map_reg(/var/lib/haproxy/conf/be.map)]", "be.map", "x y"),
			map[string]string{"/var/lib/haproxy/conf": haproxyFolder},
		},
		"Caddy's sites": {
			Caddy, tree("Caddyfile", "import /srv/caddy/sites/*", "sites/a", "x"),
			map[string]string{"/srv/caddy": caddyFolder},
		},
		"the usual place":     {Nginx, tree("nginx.conf", "events {}\nhttp { include /etc/nginx/conf.d/*.conf; }", "conf.d/a.conf", server), nil},
		"a path in a comment": {Nginx, tree("nginx.conf", "events {}\n# /opt/x/conf.d/a.conf\n", "conf.d/a.conf", server), nil},
		"one file":            {Nginx, of("server { root /srv/x.conf; }"), nil},
		"above the usual":     {Nginx, tree("nginx.conf", "events {}\nhttp { include /etc/nginx/x.conf; }", "nginx/x.conf", ""), nil},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			found := map[string]string{}
			for _, p := range laid(t, tc.kind, tc.config).Files {
				if p.Link != "" && p.Own == "" {
					g.Expect(p.Spare).To(BeTrue())
					found[p.Path] = p.Link
				}
			}
			if tc.links == nil {
				g.Expect(found).To(BeEmpty())
				return
			}
			g.Expect(found).To(Equal(tc.links))
		})
	}
}

// What is made below such a place is made in the folder itself, or the link could not be put
// in its place.
func TestWhatIsMadeBelowTheFoldersHome(t *testing.T) {
	g := NewWithT(t)
	l := laid(t, Nginx, tree("nginx.conf", `events {}
http {
    error_log /config/nginx/log/error.log;
    include /config/nginx/sites/*.conf;
    ssl_dhparam /config/nginx/dh.pem;
}`, "sites/a.conf", server))
	g.Expect(l.Folders).To(Equal([]string{"/etc/nginx/log"}))
	g.Expect(l.Spares()).To(ContainElement("/etc/nginx/dh.pem"))
}
