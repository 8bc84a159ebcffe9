// Package engine finds the Docker engine that the container testbed runs on.
// Where there is none, and the process is root on Debian, it installs and
// starts one; anywhere else it returns ErrNoEngine and the caller decides what
// can be run without containers.
//
// It also holds the settings that testcontainers-go must see before its first
// call (see [Engine.SetTestcontainersEnv]).
package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/moby/moby/client"
)

// ErrNoEngine says that no Docker engine answers and none was started. The
// error that wraps it names what was tried and what to do.
var ErrNoEngine = errors.New("no Docker engine")

// Engine is a Docker engine that answered.
type Engine struct {
	// Host is its address in the form of DOCKER_HOST, for example
	// unix:///var/run/docker.sock.
	Host string
	// Version is the engine's own version, for example 20.10.24.
	Version string
	// APIVersion is the newest API version that the engine speaks.
	APIVersion string
	// Started is the log file of the dockerd that this call started; empty when
	// the engine was already running.
	Started string
}

// Client returns a client of the engine. It negotiates the API version, and
// takes TLS settings from the environment as the docker command does.
func (e Engine) Client() (*client.Client, error) {
	cli, err := client.New(client.FromEnv, client.WithHost(e.Host))
	if err != nil {
		return nil, fmt.Errorf("making a Docker client for %s: %w", e.Host, err)
	}
	return cli, nil
}

// Ensure returns a Docker engine that answers.
//
// With DOCKER_HOST set, only that address is asked: it is the user's choice,
// so nothing is installed or started in its place. Otherwise the usual sockets
// are asked, and if none answers, root on Debian gets an engine installed and
// started. Each such step writes one line to log. The engine outlives the
// process.
//
// An error for which errors.Is(err, ErrNoEngine) holds means that there is no
// engine here; any other means that installing or starting one failed.
func Ensure(ctx context.Context, log io.Writer) (Engine, error) {
	return thisMachine().ensure(ctx, log)
}

// Find is Ensure that installs and starts nothing: the error says what would bring an
// engine.
func Find(ctx context.Context) (Engine, error) {
	m := thisMachine()
	e, err := m.find(ctx)
	if errors.Is(err, ErrNoneAnswers) {
		return e, fmt.Errorf("%w: %s", err, m.howToGet())
	}
	return e, err
}

// sockets lists where an engine listens when nobody says otherwise: the
// system's, then the rootless ones of this user.
func sockets() []string {
	s := []string{client.DefaultDockerHost}
	if dir := os.Getenv("XDG_RUNTIME_DIR"); dir != "" {
		s = append(s, "unix://"+filepath.Join(dir, "docker.sock"))
	}
	if home, err := os.UserHomeDir(); err == nil {
		s = append(s, "unix://"+filepath.Join(home, ".docker/run/docker.sock"))
	}
	return s
}

// machine is what Ensure depends on; tests give another.
type machine struct {
	euid      int
	osRelease string
	sockets   []string // in the order they are asked; an engine is started on the first
	dockerd   []string // arguments
	logFile   string
}

func thisMachine() machine {
	return machine{
		euid:      os.Geteuid(),
		osRelease: "/etc/os-release",
		sockets:   sockets(),
		// Ports are published on loopback unless a container says otherwise,
		// and by the kernel: docker-proxy accepts connections even when
		// nothing listens behind it.
		dockerd: []string{"--ip", "127.0.0.1", "--userland-proxy=false"},
		logFile: "/var/log/proxychaos-dockerd.log",
	}
}

// Check says why Ensure would fail, as far as that can be told without installing or
// starting anything.
func Check(ctx context.Context) error { return thisMachine().check(ctx) }

func (m machine) ensure(ctx context.Context, log io.Writer) (Engine, error) {
	e, err := m.find(ctx)
	if !errors.Is(err, ErrNoneAnswers) {
		return e, err
	}
	if err := m.installable(err); err != nil {
		return e, err
	}
	return m.start(ctx, log)
}

func (m machine) check(ctx context.Context) error {
	_, err := m.find(ctx)
	if errors.Is(err, ErrNoneAnswers) {
		return m.installable(err)
	}
	return err
}

// installable is nil if an engine can be installed or started because none answers, which
// err says.
func (m machine) installable(err error) error {
	if why := m.cannotInstall(); why != "" {
		return fmt.Errorf("%w, and none is installed here: %s", err, why)
	}
	return nil
}

// ErrNoneAnswers is ErrNoEngine where none was asked for by name, so that one can be
// installed.
var ErrNoneAnswers = fmt.Errorf("%w", ErrNoEngine)

// find asks the address that the user names, or else the usual ones.
func (m machine) find(ctx context.Context) (Engine, error) {
	if host := os.Getenv(client.EnvOverrideHost); host != "" {
		if !strings.HasPrefix(host, "unix://") {
			return Engine{}, fmt.Errorf("%w: DOCKER_HOST=%s is not a socket of this machine, on which load and proxy have to run: run proxychaos on the machine of that engine", ErrNoEngine, host)
		}
		e, err := ask(ctx, host)
		if err != nil {
			return Engine{}, fmt.Errorf("%w: DOCKER_HOST=%s does not answer: %w; start that engine, or unset DOCKER_HOST", ErrNoEngine, host, err)
		}
		return e, nil
	}
	var failed []string
	for _, host := range m.sockets {
		e, err := ask(ctx, host)
		if err == nil {
			return e, nil
		}
		if errors.Is(err, syscall.EACCES) {
			return Engine{}, fmt.Errorf("%w: this user may not use %s; run as root, or add the user to the group docker", ErrNoEngine, host)
		}
		failed = append(failed, host)
	}
	return Engine{}, fmt.Errorf("%w: nothing answers at %s", ErrNoneAnswers, strings.Join(failed, ", "))
}

// ask returns the engine at host if it answers within 3 seconds.
func ask(ctx context.Context, host string) (Engine, error) {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	// A socket that is absent or closed to this user is told apart here,
	// because the client wraps the cause in words only.
	if path, ok := strings.CutPrefix(host, "unix://"); ok {
		if err := dialUnix(ctx, path); err != nil {
			return Engine{}, err
		}
	}
	cli, err := Engine{Host: host}.Client()
	if err != nil {
		return Engine{}, err
	}
	defer func() { _ = cli.Close() }()
	v, err := cli.ServerVersion(ctx, client.ServerVersionOptions{})
	if err != nil {
		return Engine{}, err
	}
	return Engine{Host: host, Version: v.Version, APIVersion: v.APIVersion}, nil
}
