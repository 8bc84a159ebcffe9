package config

import (
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"
	"time"

	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/harness/kind"
)

func of(name kind.Name, content string) Config {
	return Config{Kind: name, Config: kind.Config{Path: "x.conf", Files: []kind.File{{Name: "x.conf", Content: []byte(content)}}}}
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
			NewWithT(t).Expect(of(kind.Nginx, tc.content).Ports()).To(Equal(tc.want))
		})
	}
}

func TestRefresh(t *testing.T) {
	g := NewWithT(t)
	g.Expect(of(kind.Nginx, "resolver 10.0.0.2 valid=3s;").Refresh()).To(Equal(3 * time.Second))
	g.Expect(of(kind.Apache, "ProxyPass / http://b/ addressttl=30 ttl=99").Refresh()).To(Equal(30 * time.Second))
	g.Expect(of(kind.Nginx, "resolver 10.0.0.2;").Refresh()).To(BeZero())
}

func TestTLS(t *testing.T) {
	for name, tc := range map[string]struct {
		kind    kind.Name
		content string
		want    bool
	}{
		"nginx":            {kind.Nginx, "  proxy_pass https://backend;", true},
		"nginx, plain":     {kind.Nginx, "  proxy_pass http://backend;\n  return 301 https://www.example.com;", false},
		"apache":           {kind.Apache, "ProxyPass / https://backend.example.com/", true},
		"apache, balancer": {kind.Apache, "  BalancerMember https://backend.example.com route=a", true},
		"apache, redirect": {kind.Apache, "ProxyPass / http://b/\nRedirect / https://www.example.com/", false},
		"goproxy":          {kind.GoProxy, "    url: https://backend.example.com", true},
		"goproxy, member":  {kind.GoProxy, "      - url: https://backend.example.com", true},
		"a comment":        {kind.Nginx, "# proxy_pass https://backend;\nproxy_pass http://backend;", false},
	} {
		t.Run(name, func(t *testing.T) {
			NewWithT(t).Expect(of(tc.kind, tc.content).TLS()).To(Equal(tc.want))
		})
	}
}

func TestReadSaysWhatIsWrong(t *testing.T) {
	g := NewWithT(t)
	_, err := Read(kind.Nginx, nil, filepath.Join(t.TempDir(), "none.conf"))
	g.Expect(err).To(MatchError(ContainSubstring("no such file")))
	_, err = Read(kind.Nginx, nil, t.TempDir())
	g.Expect(err).To(MatchError(ContainSubstring("no file in it")))
}

// A folder is read as it lies, with links to files followed; a link that leads nowhere, or
// to what is no file, is an error that names it.
func TestReadAFolder(t *testing.T) {
	g := NewWithT(t)
	dir := t.TempDir()
	g.Expect(os.MkdirAll(filepath.Join(dir, "conf.d"), 0o755)).To(Succeed())
	g.Expect(os.Mkdir(filepath.Join(dir, "enabled"), 0o755)).To(Succeed())
	g.Expect(os.WriteFile(filepath.Join(dir, "conf.d", "a.conf"), []byte("x"), 0o600)).To(Succeed())
	g.Expect(os.Symlink("../conf.d/a.conf", filepath.Join(dir, "enabled", "a"))).To(Succeed())
	c, err := Read(kind.Nginx, nil, dir)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(c.Files).To(Equal([]kind.File{{Name: "conf.d/a.conf", Content: []byte("x")}, {Name: "enabled/a", Content: []byte("x")}}))
	g.Expect(c.Path).To(Equal(dir))
	g.Expect(os.Symlink("..", filepath.Join(dir, "enabled", "up"))).To(Succeed())
	_, err = Read(kind.Nginx, nil, dir)
	g.Expect(err).To(MatchError(And(ContainSubstring("CONFIG="+dir), ContainSubstring("enabled/up"))))
}

// The catalogued configs are part of the program.
func TestReadFromAFileSystem(t *testing.T) {
	g := NewWithT(t)
	files := fstest.MapFS{"configs/nginx/static.conf": {Data: []byte("server {}")}}
	c, err := Read(kind.Nginx, files, "configs/nginx/static.conf")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(c.Files).To(Equal([]kind.File{{Name: "static.conf", Content: []byte("server {}")}}))
	_, err = Read(kind.Nginx, files, "configs/nginx/none.conf")
	g.Expect(err).To(MatchError(ContainSubstring("no such file")))
}
