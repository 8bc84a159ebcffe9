package peer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// Process is a started program with the children it made.
type Process struct {
	cmd   *exec.Cmd
	log   string
	ended chan struct{}
	once  sync.Once
}

const (
	startTime = 20 * time.Second // for a program to listen
	stopTime  = 5 * time.Second  // to end by itself when asked to
)

// start runs argv with its output in a log below dir. It lives until Stop, or
// until this process ends.
func start(ctx context.Context, dir, name string, argv []string) (*Process, error) {
	log, err := os.CreateTemp(dir, name+"-*.log")
	if err != nil {
		return nil, fmt.Errorf("log of %s: %w", name, err)
	}
	defer log.Close()
	cmd := exec.CommandContext(context.WithoutCancel(ctx), argv[0], argv[1:]...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Setpgid:   true,            // an interrupt here does not reach it; Stop does
		Pdeathsig: syscall.SIGTERM, // and it does not outlive a killed run
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w: .ci/packages bench installs what is missing", name, err)
	}
	p := &Process{cmd: cmd, log: log.Name(), ended: make(chan struct{})}
	go func() {
		_ = cmd.Wait()
		close(p.ended)
	}()
	return p, nil
}

// accepts waits until addr takes a TCP connection.
func (p *Process) accepts(ctx context.Context, addr netip.AddrPort) error {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr.String())
		if err == nil {
			return conn.Close()
		}
		select {
		case <-p.ended:
			return fmt.Errorf("it ended at once; its output: %s", p.tail())
		case <-ctx.Done():
			return fmt.Errorf("it does not listen on %s: %w; its output: %s", addr, errors.Join(ctx.Err(), err), p.tail())
		case <-tick.C:
		}
	}
}

// Stop asks the program to end, and kills what is left of its group after 5 s.
func (p *Process) Stop() {
	p.once.Do(func() {
		_ = p.cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-p.ended:
		case <-time.After(stopTime):
		}
		_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
		<-p.ended
	})
}

// Output is what the program has printed so far.
func (p *Process) Output() ([]byte, error) { return os.ReadFile(p.log) }

func (p *Process) tail() string {
	out, err := p.Output()
	if err != nil {
		return filepath.Base(p.log) + ": " + err.Error()
	}
	out = bytes.TrimSpace(out)
	return string(out[max(0, len(out)-1000):])
}
