package testbed

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/mount"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"

	"github.com/proxychaos/proxychaos/harness/kind"
	"github.com/proxychaos/proxychaos/harness/pod"
)

// Proxy is the proxy under test.
type Proxy struct {
	Image string
	kind.Layout
}

// Rejected is a proxy that ended instead of serving: its configuration does
// not hold. Output is what it printed.
type Rejected struct {
	Code   int
	Output string
}

// NotListening is a proxy that runs, and on no TCP port: nothing can reach it. Output is what
// it printed.
type NotListening struct {
	After  time.Duration
	Output string
}

// Error implements error.
func (n *NotListening) Error() string {
	text := fmt.Sprintf("the proxy runs and listens on no TCP port, %v after its start", n.After)
	if output := strings.TrimSpace(n.Output); output != "" {
		text += "; its output: " + output
	}
	return text
}

// Error implements error.
func (r *Rejected) Error() string {
	return fmt.Sprintf("the proxy ended with code %d before it served: %s", r.Code, strings.TrimSpace(r.Output))
}

// caches are where proxies write a file for each request, if they cache. Volumes begin with
// what the image has there, and are written to directly: a container's own files may go
// through a program (fuse-overlayfs), which on a busy machine takes up to 0.1 s for one.
var caches = map[string]struct{}{"/var/cache": {}, "/var/lib/nginx": {}, "/tmp": {}}

// ofProxies is what the container of a proxy has otherwise than its image says. Health checks of
// the image are not made, as Kubernetes does not make them: they are processes beside the proxy
// that ask it, or a backend, and count as clients and as workers.
func ofProxies(c *container.Config) {
	c.Volumes = caches
	c.Healthcheck = &container.HealthConfig{Test: []string{"NONE"}}
}

// StartProxy starts the proxy in the pod's network and process namespaces and
// waits until it listens. A *Rejected error carries the proxy's own words.
func (s *Seat) StartProxy(ctx context.Context, p Proxy) ([]pod.Listener, error) {
	env := map[string]string{}
	for _, v := range p.Env {
		name, value, _ := strings.Cut(v, "=")
		env[name] = value
	}
	if _, err := s.Pod.Logs(ctx); err != nil { // from now on its log files are followed
		return nil, fmt.Errorf("following the proxy's log files: %w", err)
	}
	sockets, err := s.sockets(ctx, p.Layout)
	if err != nil {
		return nil, err
	}
	joined := "container:" + s.pod.GetContainerID()
	c, err := testcontainers.Run(ctx, p.Image,
		testcontainers.WithCmd(p.Cmd...),
		testcontainers.WithLabels(s.tb.labels),
		testcontainers.WithEnv(env),
		testcontainers.WithAdditionalLifecycleHooks(testcontainers.ContainerLifecycleHooks{
			PostCreates: []testcontainers.ContainerHook{func(ctx context.Context, made testcontainers.Container) error {
				return s.tb.place(ctx, made.GetContainerID(), p.Layout)
			}},
		}),
		testcontainers.WithConfigModifier(ofProxies),
		testcontainers.WithHostConfigModifier(func(hc *container.HostConfig) {
			hc.NetworkMode = container.NetworkMode(joined)
			hc.PidMode = container.PidMode(joined)
			hc.Mounts = slices.Concat(sockets, inMemory(p.Folders))
			hc.CPUShares = cellShares
		}),
	)
	if c != nil {
		s.proxy = c
	}
	if err != nil {
		return nil, fmt.Errorf("starting the proxy from %s: %w", p.Image, err)
	}
	listeners, err := s.awaitListener(ctx)
	var rejected *Rejected
	if errors.As(err, &rejected) {
		rejected.Output += s.written(ctx, s.proxy.GetContainerID(), p.Logs)
	}
	return listeners, err
}

// sockets are those of the pod in the proxy's container: the syslog socket as /dev/log, also
// below each other folder that the proxy takes for the root, and the application's wherever
// the configuration has one.
func (s *Seat) sockets(ctx context.Context, l kind.Layout) ([]mount.Mount, error) {
	owner, err := s.tb.docker.ContainerInspect(ctx, s.pod.GetContainerID(), client.ContainerInspectOptions{})
	if err != nil {
		return nil, fmt.Errorf("finding the pod's sockets: %w", err)
	}
	i := slices.IndexFunc(owner.Container.Mounts, func(m container.MountPoint) bool { return m.Destination == podSockets })
	if i < 0 {
		return nil, fmt.Errorf("finding the pod's sockets: it has no folder %s", podSockets)
	}
	var all []mount.Mount
	put := func(name, where string) {
		all = append(all, mount.Mount{Type: mount.TypeBind, Source: path.Join(owner.Container.Mounts[i].Source, name), Target: where})
	}
	for _, root := range append([]string{"/"}, l.Roots...) {
		put(pod.LogSocket, path.Join(root, "dev/log"))
	}
	for _, where := range l.Sockets {
		put(pod.AppSocket, where)
	}
	return all, nil
}

// written are the log files of a container that has ended, one after the other.
func (s *Seat) written(ctx context.Context, container string, names []string) string {
	p := placing{ctx: ctx, docker: s.tb.docker, container: container}
	var all strings.Builder
	for _, name := range names {
		all.WriteString(p.read(name))
	}
	return all.String()
}

var errNotListening = errors.New("the proxy does not listen")

// awaitListener returns as soon as the proxy listens, or has ended.
func (s *Seat) awaitListener(ctx context.Context) ([]pod.Listener, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, Limits.Listen, errNotListening)
	defer cancel()
	for {
		listeners, err := s.Pod.Listeners(ctx, 200*time.Millisecond)
		if err == nil && len(listeners) > 0 {
			return listeners, nil
		}
		ended, code, inspectErr := s.tb.exited(ctx, s.proxy)
		switch {
		case errors.Is(context.Cause(ctx), errNotListening):
			return nil, &NotListening{After: Limits.Listen, Output: s.lastOutput()}
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case errors.Join(err, inspectErr) != nil:
			return nil, errors.Join(err, inspectErr)
		case ended:
			return nil, &Rejected{Code: code, Output: s.lastOutput()}
		}
	}
}

// Ended is a *Rejected error if the proxy has ended; nil as long as it runs.
func (s *Seat) Ended(ctx context.Context) error {
	ended, code, err := s.tb.exited(ctx, s.proxy)
	if err != nil || !ended {
		return err
	}
	return &Rejected{Code: code, Output: s.lastOutput()}
}

// lastOutput is what the proxy printed, for an error message.
func (s *Seat) lastOutput() string {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	var out bytes.Buffer
	if err := s.copyLogs(ctx, &out, false); err != nil {
		return err.Error()
	}
	return out.String()
}

// ProxyLog is the proxy's output so far, without what it writes to files, each line with the
// time at which the engine received it (RFC 3339, nanoseconds) in front.
func (s *Seat) ProxyLog(ctx context.Context) ([]byte, error) {
	var out bytes.Buffer
	err := s.copyLogs(ctx, &out, true)
	return out.Bytes(), err
}

func (s *Seat) copyLogs(ctx context.Context, w io.Writer, timestamps bool) error {
	logs, err := s.tb.docker.ContainerLogs(ctx, s.proxy.GetContainerID(),
		client.ContainerLogsOptions{ShowStdout: true, ShowStderr: true, Timestamps: timestamps})
	if err != nil {
		return fmt.Errorf("reading the proxy's output: %w", err)
	}
	_, err = stdcopy.StdCopy(w, w, logs)
	return errors.Join(err, logs.Close())
}

// ProxyAddress is where clients reach the proxy.
func (s *Seat) ProxyAddress(port uint16) netip.AddrPort {
	return netip.AddrPortFrom(s.tb.host(s.host), port)
}
