package goproxy

import (
	"bytes"
	"context"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func execute(ctx context.Context, args ...string) (string, error) {
	cmd := Command()
	var out bytes.Buffer
	cmd.SetOut(&out)
	cmd.SetErr(&out)
	cmd.SetArgs(args)
	err := cmd.ExecuteContext(ctx)
	return out.String(), err
}

func writeConfig(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "goproxy.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestValidateCommand(t *testing.T) {
	good := writeConfig(t, leastConfig)
	out, err := execute(t.Context(), "validate", good)
	if err != nil || !strings.Contains(out, "ok; routes: 1, upstreams: 1") {
		t.Errorf("got %q, %v", out, err)
	}
	bad := writeConfig(t, strings.Replace(leastConfig, "listen", "lissen", 1))
	if _, err := execute(t.Context(), "validate", bad); err == nil || err.Error() != bad+`:2:1: unknown key "lissen": did you mean "listen"?` {
		t.Errorf("got %v", err)
	}
	if _, err := execute(t.Context(), "validate"); err == nil {
		t.Error("no file given: want an error")
	}
}

func TestRunCommandDrainsOnSIGTERM(t *testing.T) {
	// 127.0.0.1:0 takes a free port; nothing needs to be known about it.
	path := writeConfig(t, "listen: 127.0.0.1:0\naccess_log: off\nroutes: [{upstream: a}]\nupstreams: {a: {url: http://127.0.0.1:1}}\n")
	ran := make(chan error, 1)
	go func() {
		_, err := execute(context.Background(), "run", path)
		ran <- err
	}()
	// Until Run has installed its handler the signal would end the test: take
	// it here as well, and repeat it.
	guard := make(chan os.Signal, 1)
	signal.Notify(guard, syscall.SIGTERM)
	defer signal.Stop(guard)
	deadline := time.After(5 * time.Second)
	for {
		syscall.Kill(os.Getpid(), syscall.SIGTERM)
		select {
		case err := <-ran:
			if err != nil {
				t.Errorf("run: %v", err)
			}
			return
		case <-time.After(50 * time.Millisecond):
		case <-deadline:
			t.Fatal("run did not end on SIGTERM")
		}
	}
}

func TestRunCommandSaysWhyItCannotListen(t *testing.T) {
	path := writeConfig(t, "listen: 192.0.2.1:1\nroutes: [{upstream: a}]\nupstreams: {a: {url: http://127.0.0.1:1}}\n")
	if _, err := execute(t.Context(), "run", path); err == nil || !strings.Contains(err.Error(), "listen on 192.0.2.1:1") || strings.Contains(err.Error(), "\n") {
		t.Errorf("got %v", err)
	}
}
