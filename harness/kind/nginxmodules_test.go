package kind

import (
	"testing"

	. "github.com/onsi/gomega"
)

// Modules that others have built into their nginx, or load on their machine, are loaded for
// a configuration that needs them.
func TestModulesThatNginxNeeds(t *testing.T) {
	for text, want := range map[string][]string{
		"server { brotli on; brotli_static on; }":                                                           {"ngx_http_brotli_filter_module", "ngx_http_brotli_static_module"},
		"server { more_clear_headers Server; }":                                                             {"ngx_http_headers_more_filter_module"},
		"server { access_by_lua_block { local x = { a = \"}\" } } }":                                        {"ndk_http_module", "ngx_http_lua_module"},
		"js_import http.js; server { js_set $a http.a; }":                                                   {"ngx_http_js_module"},
		"geoip2 /a.mmdb { $c country iso_code; }":                                                           {"ngx_http_geoip2_module"},
		"server { set_real_ip_from 10.0.0.0/8; set $a b; add_header a b; }":                                 nil,
		"map $a $b { echo 1; brotli 2; }":                                                                   nil,
		"load_module modules/ngx_http_echo_module.so; events {} http { server { location / { echo a; } } }": nil,
	} {
		t.Run(text, func(t *testing.T) {
			NewWithT(t).Expect(laid(t, Nginx, of(text)).Modules).To(Equal(want))
		})
	}
	g := NewWithT(t)
	linked := tree("nginx.conf", "events {}\nhttp { more_set_headers a; }", "modules-enabled/50.conf", "-> /usr/share/nginx/modules-available/mod-http-headers-more-filter.conf")
	g.Expect(laid(t, Nginx, linked).Modules).To(BeEmpty(), "the machine's own link loads it")
	start := laid(t, Nginx, of("server { brotli on; }")).Cmd
	g.Expect(start[:2]).To(Equal([]string{"sh", "-c"}))
	g.Expect(start[2]).To(And(ContainSubstring("for name in ngx_http_brotli_filter_module; do"), HaveSuffix(`exec nginx -g "${load}daemon off;"`)))
}

// Debian's nginx comes with modules that the images built here are without.
func TestModulesThatTheImageLacks(t *testing.T) {
	g := NewWithT(t)
	const load = "load_module modules/ngx_http_image_filter_module.so;\n"
	linked := laid(t, Nginx, tree("nginx.conf", wholeNginx, "modules-enabled/50.conf", "-> /usr/share/nginx/modules-available/mod-http-image-filter.conf"))
	g.Expect(linked.Spares()).To(ConsistOf("/usr/share/nginx/modules-available/mod-http-image-filter.conf"))
	loads := laid(t, Nginx, tree("nginx.conf", wholeNginx, "modules-enabled/50.conf", load))
	g.Expect(loads.Unloads).To(Equal([]string{"ngx_http_image_filter_module"}))
	g.Expect(loads.Cmd).To(HaveLen(3))
	g.Expect(loads.Cmd[2]).To(And(
		HavePrefix(`[ -f /usr/lib/nginx/modules/ngx_http_image_filter_module.so ] || `),
		ContainSubstring(`sed -i 's|load_module[[:space:]][^;]*ngx_http_image_filter_module[.]so[^;]*;||' '/etc/nginx/modules-enabled/50.conf'`),
		HaveSuffix(`exec nginx -g "daemon off;"`),
	))
	foreground := laid(t, Nginx, of(load+"daemon off;\nevents {}\nhttp { more_set_headers a; }"))
	g.Expect(foreground.Cmd[2]).To(And(ContainSubstring("sed -i"), HaveSuffix(`exec nginx -g "${load}"`)))
	g.Expect(laid(t, Nginx, of(load+"daemon off;\nevents {}")).Cmd[2]).To(HaveSuffix("}; exec nginx"))
	needed := laid(t, Nginx, of(load+"events {}\nhttp { server { location / { image_filter resize 1 1; } } }"))
	g.Expect(needed.Cmd).To(Equal([]string{"nginx", "-g", "daemon off;"}), "nginx itself says what is missing")
}

func TestModulesAndTypesOfOtherNginx(t *testing.T) {
	g := NewWithT(t)
	l := laid(t, Nginx, of("load_module /usr/lib64/nginx/modules/ngx_stream_module.so;\nevents {}\nhttp { include /usr/local/nginx/conf/mime.types; include mime.types; include /etc/nginx/mime.types; include fastcgi_params; }"))
	g.Expect(added(l, "/usr/lib64/nginx/modules")).To(Equal(nginxModuleFolder))
	g.Expect(added(l, "/usr/local/nginx/conf/mime.types")).To(Equal("/etc/nginx/mime.types"))
	links := 0
	for _, p := range l.Files {
		if p.Link != "" {
			links++
		}
	}
	g.Expect(links).To(Equal(2))
}

func TestCertificatesByServerName(t *testing.T) {
	g := NewWithT(t)
	l := laid(t, Nginx, of("server { server_name shop.example.org *.example.org ~^x; ssl_certificate /c/$ssl_server_name.crt; ssl_certificate_key /c/${ssl_server_name}.key; }"))
	g.Expect(l.Spares()).To(ConsistOf("/c/www.example.com.crt", "/c/shop.example.org.crt", "/c/www.example.com.key", "/c/shop.example.org.key"))
}

// The output of nginx -T has all files of a machine in one.
func TestOutputOfNginxT(t *testing.T) {
	g := NewWithT(t)
	c := of("nginx: configuration file /etc/nginx/nginx.conf test is successful\n# configuration file /etc/nginx/nginx.conf:\n" + wholeNginx +
		"\n# configuration file /etc/nginx/conf.d/shop.conf:\n" + server + "\n# configuration file /etc/letsencrypt/options.conf:\nssl_protocols TLSv1.3;\n")
	l := laid(t, Nginx, c)
	g.Expect(places(l)).To(Equal(map[string]string{nginxMain: "nginx.conf", "/etc/nginx/conf.d/shop.conf": "conf.d/shop.conf", "/etc/letsencrypt/options.conf": "/etc/letsencrypt/options.conf"}))
	g.Expect(l.From).To(Equal("x.conf, the output of nginx -T,"))
	for _, p := range l.Files {
		g.Expect(string(p.Content)).NotTo(ContainSubstring("# configuration file"), p.Path)
	}
	far := laid(t, Nginx, of("# configuration file /etc/nginx/nginx.conf:\nevents {}\nhttp { include /srv/*/site.conf; }\n"+
		"# configuration file /srv/shop/site.conf:\nserver { ssl_certificate /c/a.crt; ssl_certificate_key /c/a.key; include /srv/common.conf; }\n"+
		"# configuration file /srv/common.conf:\naccess_log /var/log/shop/a.log;\n"))
	g.Expect(far.Spares()).To(ConsistOf("/c/a.crt", "/c/a.key"))
	g.Expect(far.Folders).To(ConsistOf("/var/log/shop"))
	one := laid(t, Nginx, of("# configuration file /usr/local/nginx/conf/nginx.conf:\n"+wholeNginx))
	g.Expect(places(one)).To(Equal(map[string]string{nginxMain: "nginx.conf"}))
}

// Folders of sites that others have in place of conf.d.
func TestFoldersOfSites(t *testing.T) {
	g := NewWithT(t)
	l := laid(t, Nginx, tree("http.d/shop.conf", server, "vhosts.d/blog.conf", server))
	g.Expect(added(l, nginxFragment)).To(Equal("include /etc/nginx/http.d/*.conf;\ninclude /etc/nginx/vhosts.d/*.conf;\n"))
	g.Expect(places(l)).To(Equal(map[string]string{"/etc/nginx/http.d/shop.conf": "http.d/shop.conf", "/etc/nginx/vhosts.d/blog.conf": "vhosts.d/blog.conf"}))
	included := laid(t, Nginx, tree("conf.d/a.conf", "include vhosts/*.conf;", "vhosts/b.conf", server))
	g.Expect(added(included, nginxFragment)).To(BeEmpty(), "its own files include the folder")
	_, err := nginx.Layout(tree("a.conf", wholeNginx, "b.conf", wholeNginx))
	g.Expect(err).To(MatchError(And(ContainSubstring("a.conf and b.conf"), ContainSubstring("CONFIG=folder/a.conf"))))
	g.Expect(added(laid(t, Nginx, of(wholeNginx)), nginxFragment)).To(BeEmpty(), "the image's own site is none of the user's")
}
