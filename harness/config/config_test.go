package config

import (
	"os"
	"path/filepath"
	"syscall"
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

func TestKeeps(t *testing.T) {
	g := NewWithT(t)
	g.Expect(of(kind.HAProxy, "resolvers vpc\n  hold valid 3s\n  hold obsolete 10s\n").Keeps()).To(Equal(10 * time.Second))
	g.Expect(of(kind.HAProxy, "resolvers vpc\n  hold valid 3s\n").Keeps()).To(BeZero())
	g.Expect(of(kind.HAProxy, "resolvers vpc\n  hold obsolete 30000\n").Keeps()).To(Equal(30*time.Second), "milliseconds without a unit")
	g.Expect(of(kind.Nginx, "resolver 10.0.0.2 valid=3s;").Keeps()).To(BeZero())
}

func TestRefresh(t *testing.T) {
	g := NewWithT(t)
	g.Expect(of(kind.Nginx, "resolver 10.0.0.2 valid=3s;").Refresh()).To(Equal(3 * time.Second))
	g.Expect(of(kind.Apache, "ProxyPass / http://b/ addressttl=30 ttl=99").Refresh()).To(Equal(30 * time.Second))
	g.Expect(of(kind.Nginx, "resolver 10.0.0.2;").Refresh()).To(BeZero())
	g.Expect(of(kind.Nginx, "resolver a valid=30s; resolver b valid=500ms;").Refreshes()).To(Equal([]time.Duration{30 * time.Second, 500 * time.Millisecond}))
	// Go's and nginx's times can have several parts; HAProxy's are milliseconds without a unit.
	g.Expect(of(kind.Nginx, "resolver 10.0.0.2 valid=1m30s;").Refresh()).To(Equal(90 * time.Second))
	g.Expect(of(kind.Caddy, "dynamic a backend 80 {\n\trefresh 1m30s\n}").Refresh()).To(Equal(90 * time.Second))
	g.Expect(of(kind.HAProxy, "resolvers vpc\n  hold valid 5000\n  timeout resolve 8s\n").Refreshes()).To(Equal([]time.Duration{5 * time.Second, 8 * time.Second}))
	for _, long := range []string{"31d", "20d20d", "999999d", "2147483648", "99999999999999999999"} {
		g.Expect(of(kind.Nginx, "resolver a valid="+long+";").Refresh()).To(Equal(tooLong), long)
	}
	g.Expect(of(kind.Nginx, "resolver 10.0.0.2 valid=3s; # valid=300s was too long").Refresh()).To(Equal(3 * time.Second))
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
	_, err := Read(kind.Nginx, nil, filepath.Join(t.TempDir(), "none.conf"), kind.Env{})
	g.Expect(err).To(MatchError(ContainSubstring("no such file")))
	_, err = Read(kind.Nginx, nil, t.TempDir(), kind.Env{})
	g.Expect(err).To(MatchError(ContainSubstring("no file in it")))
	large := filepath.Join(t.TempDir(), "nginx.conf") // a hole: it takes no space
	g.Expect(os.WriteFile(large, nil, 0o600)).To(Succeed())
	g.Expect(os.Truncate(large, maxBytes+1)).To(Succeed())
	_, err = Read(kind.Nginx, nil, large, kind.Env{})
	g.Expect(err).To(MatchError(ContainSubstring("more than 16 MiB")))
}

// A folder is read as it lies. A link to one of its files is that file; any other is
// kept as a link, and nothing is read from outside, whatever it leads to here.
func TestReadAFolder(t *testing.T) {
	g := NewWithT(t)
	outside := filepath.Join(t.TempDir(), "secret")
	g.Expect(os.WriteFile(outside, []byte("of this machine"), 0o600)).To(Succeed())
	dir := t.TempDir()
	for _, sub := range []string{"conf.d", "enabled", ".git"} {
		g.Expect(os.Mkdir(filepath.Join(dir, sub), 0o755)).To(Succeed())
	}
	g.Expect(os.WriteFile(filepath.Join(dir, "conf.d", "a.conf"), []byte("x"), 0o600)).To(Succeed())
	g.Expect(os.WriteFile(filepath.Join(dir, "run.sh"), []byte("y"), 0o700)).To(Succeed())
	g.Expect(os.WriteFile(filepath.Join(dir, ".git", "HEAD"), []byte("z"), 0o600)).To(Succeed())
	g.Expect(syscall.Mkfifo(filepath.Join(dir, "fifo"), 0o600)).To(Succeed())
	links := map[string]string{
		"enabled/a": "../conf.d/a.conf", "enabled/absolute": "/etc/nginx/sites-available/a", "enabled/dangling": "gone",
		"enabled/secret": outside, "enabled/up": "..", "logs": "../../var/log/httpd", "loop": "loop", "sites": "conf.d",
	}
	for name, target := range links {
		g.Expect(os.Symlink(target, filepath.Join(dir, name))).To(Succeed())
	}
	c, err := Read(kind.Nginx, nil, dir, kind.Env{})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(c.Files).To(Equal([]kind.File{
		{Name: "conf.d/a.conf", Content: []byte("x")},
		{Name: "enabled/a", Content: []byte("x")},
		{Name: "run.sh", Content: []byte("y"), Executable: true},
	}))
	delete(links, "enabled/a")
	kept := map[string]string{}
	for _, l := range c.Links {
		kept[l.Name] = l.Target
	}
	g.Expect(kept).To(Equal(links))
	g.Expect(c.LeftOut).To(ConsistOf(HavePrefix(".git: "), HavePrefix("fifo: ")))
	g.Expect(c.Path).To(Equal(dir))
}

// A machine's resolv.conf alone configures no proxy, but for a program of which nothing is
// known.
func TestAFolderWithNothingButAResolvConf(t *testing.T) {
	g := NewWithT(t)
	files := fstest.MapFS{"pod/etc/resolv.conf": {Data: []byte("nameserver 10.96.0.10\nsearch a.svc.cluster.local\n")}}
	_, err := Read(kind.Nginx, files, "pod", kind.Env{})
	g.Expect(err).To(MatchError("CONFIG=pod: the folder has no file in it but etc/resolv.conf"))
	c, err := Read(kind.Any, files, "pod", kind.Env{})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(c.Files).To(BeEmpty())
	g.Expect(c.Resolvers).NotTo(BeNil())
	files["pod/site.conf"] = &fstest.MapFile{Data: []byte("server {}")}
	files["pod/etc/resolv.conf"].Data = append(files["pod/etc/resolv.conf"].Data, make([]byte, kind.MaxResolvConf)...)
	_, err = Read(kind.Nginx, files, "pod", kind.Env{})
	g.Expect(err).NotTo(HaveOccurred(), "it is something else")
}

func TestTheDockerfileOfAFolder(t *testing.T) {
	g := NewWithT(t)
	dir := t.TempDir()
	folder := filepath.Join(dir, "nginx")
	g.Expect(os.Mkdir(folder, 0o755)).To(Succeed())
	g.Expect(os.WriteFile(filepath.Join(folder, "a.conf"), []byte("server {}"), 0o600)).To(Succeed())
	c, err := Read(kind.Nginx, nil, folder, kind.Env{})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(c.Docker).To(BeNil())
	g.Expect(os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte("beside"), 0o600)).To(Succeed())
	c, err = Read(kind.Nginx, nil, folder, kind.Env{})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(*c.Docker).To(Equal(kind.Dockerfile{Name: "../Dockerfile", Content: []byte("beside"), Within: "nginx"}))
	g.Expect(syscall.Mkfifo(filepath.Join(folder, "Dockerfile"), 0o600)).To(Succeed()) // to read it would take for ever
	c, err = Read(kind.Nginx, nil, folder, kind.Env{})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(c.Docker.Name).To(Equal("../Dockerfile"))
	g.Expect(os.Remove(filepath.Join(folder, "Dockerfile"))).To(Succeed())
	g.Expect(os.WriteFile(filepath.Join(folder, "Dockerfile"), []byte("in it"), 0o600)).To(Succeed())
	t.Chdir(folder)
	c, err = Read(kind.Nginx, nil, ".", kind.Env{})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(*c.Docker).To(Equal(kind.Dockerfile{Name: "Dockerfile", Content: []byte("in it"), Within: "."}))
}

// Git on Windows, and archives that know no links, leave a file with the path in it.
func TestLinksThatWereFlattened(t *testing.T) {
	g := NewWithT(t)
	dir := t.TempDir()
	for name, content := range map[string]string{
		"available/a": "server {}\n", "enabled/a": "../available/a", "enabled/b": "/etc/nginx/sites-available/b",
		"modules": "../../usr/lib64/httpd/modules", "not-a-link": "/etc/nginx\n", "password": "/x y",
	} {
		g.Expect(os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755)).To(Succeed())
		g.Expect(os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600)).To(Succeed())
	}
	c, err := Read(kind.Apache, nil, dir, kind.Env{})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(c.Links).To(Equal([]kind.Link{{Name: "enabled/b", Target: "/etc/nginx/sites-available/b"}, {Name: "modules", Target: "../../usr/lib64/httpd/modules"}}))
	g.Expect(c.Files).To(Equal([]kind.File{
		{Name: "available/a", Content: []byte("server {}\n")},
		{Name: "enabled/a", Content: []byte("server {}\n")},
		{Name: "not-a-link", Content: []byte("/etc/nginx\n")},
		{Name: "password", Content: []byte("/x y")},
	}))
}

// The catalogued configs are part of the program.
func TestReadFromAFileSystem(t *testing.T) {
	g := NewWithT(t)
	files := fstest.MapFS{"configs/nginx/static.conf": {Data: []byte("server {}")}}
	c, err := Read(kind.Nginx, files, "configs/nginx/static.conf", kind.Env{})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(c.Files).To(Equal([]kind.File{{Name: "static.conf", Content: []byte("server {}")}}))
	_, err = Read(kind.Nginx, files, "configs/nginx/none.conf", kind.Env{})
	g.Expect(err).To(MatchError(ContainSubstring("no such file")))
}
