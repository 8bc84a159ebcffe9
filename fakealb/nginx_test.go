package fakealb_test

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// nginx is a real one, with the http block of a test.
type nginx struct {
	at     string // address and port that the block's LISTEN stood for
	folder string
}

// startNginx runs nginx with an http block in which LISTEN stands for an address
// that is free on the host given, and FOLDER for one of its own.
func startNginx(t *testing.T, host, block string) *nginx {
	t.Helper()
	need(t, "nginx")
	addr := netip.MustParseAddr(host)
	n := &nginx{at: netip.AddrPortFrom(addr, freePort(t, addr)).String(), folder: t.TempDir()}
	conf := fmt.Sprintf(`
daemon off; worker_processes 1; pid FOLDER/nginx.pid; error_log FOLDER/error.log info;
events { worker_connections 256; }
http {
	access_log off;
	client_body_temp_path FOLDER/b; proxy_temp_path FOLDER/p; fastcgi_temp_path FOLDER/f; uwsgi_temp_path FOLDER/u; scgi_temp_path FOLDER/s;
	%s
}`, block)
	if os.Geteuid() == 0 {
		conf = "user root;" + conf
	}
	conf = strings.NewReplacer("FOLDER", n.folder, "LISTEN", n.at).Replace(conf)
	file := filepath.Join(n.folder, "nginx.conf")
	if err := os.WriteFile(file, []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("nginx", "-e", filepath.Join(n.folder, "error.log"), "-p", n.folder, "-c", file)
	cmd.Stderr = os.Stderr
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("nginx's error log:\n%s", n.errorLog(t))
		}
	})
	runProxy(t, n.at, cmd)
	return n
}

// runProxy runs a proxy to the end of the test, and awaits that it listens.
func runProxy(t *testing.T, at string, cmd *exec.Cmd) {
	t.Helper()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	})
	eventually(t, cmd.Args[0]+" listening", func() bool {
		c, err := net.Dial("tcp4", at)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
}

func (n *nginx) errorLog(t *testing.T) string {
	t.Helper()
	return readFile(t, filepath.Join(n.folder, "error.log"))
}

// nginx as a reverse proxy with connections that it keeps, over HTTP and HTTPS.
func TestNginxInFrontOfNodes(t *testing.T) {
	f := start(t, nil, "127.0.80.70", "127.0.80.71")
	upstream := `upstream nodes { server ` + f.at(0) + `; server ` + f.at(1) + `; keepalive 8; }`
	for scheme, options := range map[string]string{
		"http":  "",
		"https": `proxy_ssl_verify on; proxy_ssl_trusted_certificate ` + f.caFile(t) + `; proxy_ssl_server_name on; proxy_ssl_name nginx.example.test;`,
	} {
		if _, err := f.Reset(f.ctx); err != nil {
			t.Fatal(err)
		}
		n := startNginx(t, "127.0.80.72", upstream+`
server {
	listen LISTEN;
	location / { proxy_pass `+scheme+`://nodes; proxy_http_version 1.1; proxy_set_header Connection ""; `+options+` }
}`)
		for range 10 {
			if got := curl(t, "--data", strings.Repeat("x", 100_000), "http://"+n.at+"/"); !strings.Contains(got, "received=100000") {
				t.Errorf("%s: got %q", scheme, got)
			}
		}
		rows := f.finished(t, 10)
		if rows[9].TLS != (scheme == "https") || rows[9].Proto != "HTTP/1.1" || rows[9].TLS && rows[9].SNI != "nginx.example.test" {
			t.Errorf("%s: the node saw %+v", scheme, rows[9])
		}
		if conns, err := f.Connections(f.ctx); err != nil || len(conns) != 2 {
			t.Errorf("%s: got %d connections, %v, want one kept to each node", scheme, len(conns), err)
		}
	}
}
