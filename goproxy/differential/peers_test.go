package differential

import (
	"bytes"
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/proxychaos/proxychaos/goproxy"
	"github.com/proxychaos/proxychaos/goproxy/migrate"
)

// peer is a proxy with its config, and the same config for goproxy.
type peer struct {
	name   string
	files  []string // of testdata; the first one is the example
	start  func(root string) *exec.Cmd
	config func(example string) (goproxy.Config, error)
	sticky bool // it understands "session.route"
}

var peers = []peer{
	{
		"apache",
		[]string{"apache.conf", "httpd.conf"},
		func(root string) *exec.Cmd {
			return exec.Command("apache2", "-D", "FOREGROUND", "-f", root+"/httpd.conf")
		},
		migrated(migrate.Apache), true,
	},
	{
		"nginx",
		[]string{"nginx.conf", "base.conf"},
		func(root string) *exec.Cmd { return exec.Command("nginx", "-p", root, "-c", root+"/base.conf") },
		migrated(migrate.Nginx), false,
	},
	{
		"haproxy",
		[]string{"haproxy.cfg", "haproxy.yaml"},
		func(root string) *exec.Cmd { return exec.Command("haproxy", "-db", "-f", root+"/haproxy.cfg") },
		func(example string) (goproxy.Config, error) {
			return goproxy.Load(strings.TrimSuffix(example, ".cfg") + ".yaml")
		}, false,
	},
}

// migrated makes the config by "proxychaos migrate".
func migrated(read func(string) (goproxy.Config, []migrate.Note, error)) func(string) (goproxy.Config, error) {
	return func(example string) (goproxy.Config, error) {
		cfg, _, err := read(example)
		return cfg, err
	}
}

// startPeer runs the proxy and goproxy and returns their addresses.
func startPeer(t *testing.T, p peer, backendPort string) (theirs, ours string) {
	t.Helper()
	root := t.TempDir()
	listen := freePort(t)
	writeFiles(t, p.files, root, listen, backendPort)
	cfg, err := p.config(filepath.Join(root, p.files[0]))
	if err != nil {
		t.Fatal(err)
	}
	theirs = "127.0.0.1:" + listen
	startProcess(t, p.start(root), theirs, root)
	return theirs, startGoproxy(t, cfg)
}

// writeFiles copies files of testdata, with what is this run's filled in.
func writeFiles(t testing.TB, names []string, root, listen, backendPort string) {
	t.Helper()
	words := strings.NewReplacer("ROOT", root, "LISTEN_PORT", listen, "BACKEND_PORT", backendPort, "MODULES", "/usr/lib/apache2/modules")
	for _, name := range names {
		text, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, name), []byte(words.Replace(string(text))), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func freePort(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

func startProcess(t testing.TB, cmd *exec.Cmd, address, root string) {
	t.Helper()
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatalf("%v: .ci/packages installs it", err)
	}
	ended := make(chan struct{})
	go func() { cmd.Wait(); close(ended) }()
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(10 * time.Second):
			cmd.Process.Kill()
			<-ended
		}
		if t.Failed() {
			log, _ := os.ReadFile(root + "/error.log") // not every one writes it
			t.Logf("%s\n%s", out.String(), log)
		}
	})
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			conn.Close()
			return
		}
		select {
		case <-ended:
			t.Fatalf("%s ended", cmd.Path)
		default:
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s does not listen: %v", cmd.Path, err)
		}
	}
}

func startGoproxy(t testing.TB, cfg goproxy.Config) string {
	t.Helper()
	cfg.AccessLog = "off"
	p, err := goproxy.New(cfg, goproxy.Options{Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ran := make(chan error, 1)
	go func() { ran <- p.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ran; err != nil {
			t.Error(err)
		}
	})
	return p.Addr().String()
}
