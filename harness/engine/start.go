package engine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"
)

// startTimeout bounds the wait for a started dockerd to answer. It takes under
// a second; a first start on a slow disk takes a few.
const startTimeout = 30 * time.Second

func dialUnix(ctx context.Context, path string) error {
	conn, err := (&net.Dialer{}).DialContext(ctx, "unix", path)
	if err != nil {
		return err
	}
	return conn.Close()
}

// cannotInstall returns why no engine can be installed and started here, or "".
func (m machine) cannotInstall() string {
	if m.euid != 0 {
		return "not root"
	}
	if _, err := exec.LookPath("dockerd"); err == nil {
		return "" // there, but not running
	}
	if !isDebian(m.osRelease) {
		return "not Debian: install Docker by hand (https://docs.docker.com/engine/install/)"
	}
	if _, err := exec.LookPath("apt-get"); err != nil {
		return "apt-get is not in PATH"
	}
	return ""
}

// howToGet is the command that brings an engine.
func (m machine) howToGet() string {
	if _, err := exec.LookPath("dockerd"); err == nil {
		return "dockerd is installed and does not run: as root, systemctl start docker"
	}
	if isDebian(m.osRelease) {
		return "as root, apt-get install docker.io"
	}
	return "https://docs.docker.com/engine/install/"
}

// isDebian reports whether the os-release file names Debian or a derivative.
func isDebian(osRelease string) bool {
	b, err := os.ReadFile(osRelease)
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(b)) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		if key != "ID" && key != "ID_LIKE" {
			continue
		}
		if slices.Contains(strings.Fields(strings.Trim(value, `"'`)), "debian") {
			return true
		}
	}
	return false
}

// start installs dockerd if it is missing, starts it detached from this
// process, and waits until it answers on the first socket.
func (m machine) start(ctx context.Context, log io.Writer) (Engine, error) {
	host := m.sockets[0]
	if _, err := exec.LookPath("dockerd"); err != nil {
		if err := AptInstall(ctx, log, "docker.io", "mmdebstrap"); err != nil {
			return Engine{}, fmt.Errorf("install a Docker engine: %w", err)
		}
		// With systemd the package starts the engine itself.
		if e, err := ask(ctx, host); err == nil {
			return e, nil
		}
	}
	begin := time.Now()
	out, err := os.OpenFile(m.logFile, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return Engine{}, fmt.Errorf("log of dockerd: %w", err)
	}
	defer func() { _ = out.Close() }()
	// The engine outlives this process and its terminal: no context, and a
	// session of its own so that an interrupt here does not reach it.
	cmd := exec.Command("dockerd", m.dockerd...) //nolint:gosec,noctx // fixed program, must outlive ctx
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return Engine{}, fmt.Errorf("start dockerd: %w", err)
	}
	exited := make(chan error, 1)
	go func() { exited <- cmd.Wait() }()
	e, err := awaitAnswer(ctx, host, exited)
	if err != nil {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		return Engine{}, fmt.Errorf("start dockerd: %w; the end of %s:\n%s", err, m.logFile, tail(m.logFile))
	}
	e.Started = m.logFile
	_, _ = fmt.Fprintf(log, "started dockerd %s in %.1f s; it keeps running (to stop it: kill %d), its log is %s\n", e.Version, time.Since(begin).Seconds(), cmd.Process.Pid, m.logFile)
	return e, nil
}

// awaitAnswer asks until the engine answers or its process ends.
func awaitAnswer(ctx context.Context, host string, exited <-chan error) (Engine, error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		e, err := ask(ctx, host)
		if err == nil {
			return e, nil
		}
		select {
		case end := <-exited:
			if end == nil {
				end = errors.New("exit status 0")
			}
			return Engine{}, fmt.Errorf("it ended: %w", end)
		case <-ctx.Done():
			return Engine{}, fmt.Errorf("no answer at %s within %s: %w", host, startTimeout, err)
		case <-tick.C:
		}
	}
}

// tail returns the last 10 lines of a file, each indented.
func tail(path string) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return "  " + err.Error()
	}
	return lastLines(b)
}

func lastLines(b []byte) string {
	lines := bytes.Split(bytes.TrimSpace(b), []byte("\n"))
	if len(lines) > 10 {
		lines = lines[len(lines)-10:]
	}
	return "  " + string(bytes.Join(lines, []byte("\n  ")))
}
