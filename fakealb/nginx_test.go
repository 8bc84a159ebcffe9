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
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("nginx's error log:\n%s", n.errorLog(t))
		}
	})
	eventually(t, "nginx listening", func() bool {
		c, err := net.Dial("tcp4", n.at)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
	return n
}

func (n *nginx) errorLog(t *testing.T) string {
	t.Helper()
	return readFile(t, filepath.Join(n.folder, "error.log"))
}
