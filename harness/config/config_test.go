package config

import (
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/harness"
)

func of(kind harness.Kind, content string) Config {
	return Config{Kind: kind, Path: "x.conf", Files: []File{{Name: "x.conf", Content: []byte(content)}}}
}

func TestResolvers(t *testing.T) {
	g := NewWithT(t)
	c := of(harness.Nginx, "# resolver 1.1.1.1;\nresolver 10.0.0.2 127.0.0.11:5353 valid=3s;\n")
	g.Expect(c.Resolvers()).To(Equal([]netip.AddrPort{
		netip.MustParseAddrPort("169.254.169.253:53"),
		netip.MustParseAddrPort("10.0.0.2:53"),
		netip.MustParseAddrPort("127.0.0.11:5353"),
	}))
}

func TestPorts(t *testing.T) {
	for name, tc := range map[string]struct {
		content string
		want    []uint16
	}{
		"none":              {"proxy_pass http://backend.example.com;", []uint16{80, 443}},
		"of a URL":          {"proxy_pass https://api.dev.jp:8443/user/login;", []uint16{80, 443, 8443}},
		"behind a variable": {"proxy_pass http://${backend_server}:8080/x;", []uint16{80, 443, 8080}},
		"of an upstream":    {"  server backend.example.com:9000 resolve;", []uint16{80, 443, 9000}},
		"of Apache":         {`ProxyPassMatch "^/a/([0-9]{4})$" "http://app:1323/users/$1"`, []uint16{80, 443, 1323}},
		"in a comment":      {"# proxy_pass http://old:9999;", []uint16{80, 443}},
		"a listen is none":  {"listen 4000;", []uint16{80, 443}},
	} {
		t.Run(name, func(t *testing.T) {
			NewWithT(t).Expect(of(harness.Nginx, tc.content).Ports()).To(Equal(tc.want))
		})
	}
}

func TestRefresh(t *testing.T) {
	g := NewWithT(t)
	g.Expect(of(harness.Nginx, "resolver 10.0.0.2 valid=3s;").Refresh()).To(Equal(3 * time.Second))
	g.Expect(of(harness.Apache, "ProxyPass / http://b/ addressttl=30 ttl=99").Refresh()).To(Equal(30 * time.Second))
	g.Expect(of(harness.Nginx, "resolver 10.0.0.2;").Refresh()).To(BeZero())
}

func TestTLS(t *testing.T) {
	for name, tc := range map[string]struct {
		kind    harness.Kind
		content string
		want    bool
	}{
		"nginx":            {harness.Nginx, "  proxy_pass https://backend;", true},
		"nginx, plain":     {harness.Nginx, "  proxy_pass http://backend;\n  return 301 https://www.example.com;", false},
		"apache":           {harness.Apache, "ProxyPass / https://backend.example.com/", true},
		"apache, balancer": {harness.Apache, "  BalancerMember https://backend.example.com route=a", true},
		"apache, redirect": {harness.Apache, "ProxyPass / http://b/\nRedirect / https://www.example.com/", false},
		"goproxy":          {harness.GoProxy, "    url: https://backend.example.com", true},
		"goproxy, member":  {harness.GoProxy, "      - url: https://backend.example.com", true},
		"a comment":        {harness.Nginx, "# proxy_pass https://backend;\nproxy_pass http://backend;", false},
	} {
		t.Run(name, func(t *testing.T) {
			NewWithT(t).Expect(of(tc.kind, tc.content).TLS()).To(Equal(tc.want))
		})
	}
}

func TestLayout(t *testing.T) {
	g := NewWithT(t)
	paths := func(c Config) []string {
		l, err := c.Layout()
		g.Expect(err).NotTo(HaveOccurred())
		var p []string
		for _, f := range l.Files {
			p = append(p, f.Path)
		}
		return p
	}
	g.Expect(paths(of(harness.Nginx, "server { }"))).To(Equal([]string{nginxFragment}))
	g.Expect(paths(of(harness.Nginx, "events {}\nhttp {\n}"))).To(Equal([]string{nginxMain}))
	g.Expect(paths(of(harness.Apache, "<VirtualHost *:80>\n</VirtualHost>"))).To(Equal([]string{apacheMain, apacheFragment}))
	g.Expect(paths(of(harness.Apache, "Listen 80\nLoadModule x y"))).To(Equal([]string{apacheMain}))
	listens, err := of(harness.Apache, "Listen 4000\n<VirtualHost *:4000>\n</VirtualHost>").Layout()
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(listens.Files).To(HaveLen(2))
	g.Expect(string(listens.Files[0].Content)).To(And(ContainSubstring("LoadModule"), Not(ContainSubstring("Listen 80"))))
	folder := Config{Kind: harness.Nginx, Files: []File{{Name: "conf.d/a.conf"}, {Name: "nginx.conf"}}}
	g.Expect(paths(folder)).To(Equal([]string{"/etc/nginx/conf.d/a.conf", "/etc/nginx/nginx.conf"}))
	two := Config{Kind: harness.Nginx, Files: []File{{Name: "a.conf"}, {Name: "b.conf"}}}
	g.Expect(paths(two)).To(Equal([]string{"/etc/nginx/conf.d/a.conf", "/etc/nginx/conf.d/b.conf"}))
	_, err = Config{Kind: harness.GoProxy, Path: "dir", Files: two.Files}.Layout()
	g.Expect(err).To(MatchError(ContainSubstring("one YAML file")))
}

func TestReadSaysWhatIsWrong(t *testing.T) {
	g := NewWithT(t)
	_, err := Read(harness.Nginx, filepath.Join(t.TempDir(), "none.conf"))
	g.Expect(err).To(MatchError(ContainSubstring("no such file")))
	_, err = Read(harness.Nginx, t.TempDir())
	g.Expect(err).To(MatchError(ContainSubstring("no file in it")))

	dir := t.TempDir()
	g.Expect(os.Mkdir(filepath.Join(dir, "conf.d"), 0o755)).To(Succeed())
	g.Expect(os.WriteFile(filepath.Join(dir, "conf.d", "a.conf"), []byte("x"), 0o600)).To(Succeed())
	c, err := Read(harness.Nginx, dir)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(c.Files).To(Equal([]File{{Name: "conf.d/a.conf", Content: []byte("x")}}))
}
