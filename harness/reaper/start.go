package reaper

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"
)

const (
	// SessionLabel is the label that everything of one run carries on the
	// engine. Its value is of that run alone; testcontainers' own session ID is
	// not, since it is shared by all processes of one parent.
	SessionLabel = "org.proxychaos.session"
	// reaperLabel marks the reaper's own container, which must not carry the
	// labels it removes by.
	reaperLabel = "org.proxychaos.reaper"

	// startTimeout bounds the start of the reaper, which takes 0.3 s.
	startTimeout = 20 * time.Second
	closeTimeout = time.Minute
)

// NewSession returns the labels of a new run. Put them on every container and
// network that it creates.
func NewSession() map[string]string {
	return map[string]string{SessionLabel: strings.ToLower(rand.Text())}
}

// Guard is a run's hold on its reaper.
type Guard struct {
	cli    *client.Client
	id     string // of the reaper's container
	conn   net.Conn
	labels map[string]string
}

// Start runs a reaper for the labels in a container of the kit image, and
// connects to it. Call it before anything else is created with those labels. From then
// on they are removed a few seconds after this process ends, in whatever way.
//
// The engine must be on this machine, on a unix socket.
func Start(ctx context.Context, cli *client.Client, kit string, labels map[string]string) (_ *Guard, err error) {
	if err := checkLabels(labels); err != nil {
		return nil, err
	}
	socket, ok := strings.CutPrefix(cli.DaemonHost(), "unix://")
	if !ok {
		return nil, fmt.Errorf("reaper: the engine is at %s; it must be on this machine, on a unix socket", cli.DaemonHost())
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	defer func() {
		if err != nil {
			err = fmt.Errorf("start the reaper: %w", err)
		}
	}()
	if err := removeNeverStarted(ctx, cli); err != nil {
		return nil, err
	}
	port := network.MustParsePort("8080/tcp")
	created, err := cli.ContainerCreate(ctx, client.ContainerCreateOptions{
		Config: &container.Config{
			Image:        kit,
			Cmd:          []string{"reaper"},
			Env:          []string{labelsVariable + "=" + FormatLabels(labels)},
			Labels:       map[string]string{reaperLabel: FormatLabels(labels)},
			ExposedPorts: network.PortSet{port: {}},
		},
		HostConfig: &container.HostConfig{
			AutoRemove:     true,
			Binds:          []string{socket + ":/var/run/docker.sock"},
			CapDrop:        []string{"ALL"},
			ReadonlyRootfs: true,
			NetworkMode:    "bridge",
			PortBindings:   network.PortMap{port: {{HostIP: netip.AddrFrom4([4]byte{127, 0, 0, 1})}}},
		},
	})
	if err != nil {
		return nil, err
	}
	g := &Guard{cli: cli, id: created.ID, labels: labels}
	defer func() {
		if err != nil {
			err = errors.Join(err, g.removeReaper(context.WithoutCancel(ctx)))
		}
	}()
	if _, err := cli.ContainerStart(ctx, g.id, client.ContainerStartOptions{}); err != nil {
		return nil, err
	}
	in, err := cli.ContainerInspect(ctx, g.id, client.ContainerInspectOptions{})
	if err != nil {
		return nil, err
	}
	bindings := in.Container.NetworkSettings.Ports[port]
	if len(bindings) == 0 {
		return nil, errors.New("the engine published no port for it")
	}
	g.conn, err = register(ctx, net.JoinHostPort("127.0.0.1", bindings[0].HostPort), labels)
	if err != nil {
		return nil, fmt.Errorf("%w; its log: %s", err, g.log(ctx))
	}
	return g, nil
}

// removeNeverStarted removes reapers of runs that were killed in the instant
// between creating and starting theirs: the engine removes by itself only what
// has run. Those of the last minute may be about to start.
func removeNeverStarted(ctx context.Context, cli *client.Client) error {
	list, err := cli.ContainerList(ctx, client.ContainerListOptions{
		All:     true,
		Filters: make(client.Filters).Add("label", reaperLabel).Add("status", "created"),
	})
	if err != nil {
		return fmt.Errorf("list reapers that never started: %w", err)
	}
	for _, c := range list.Items {
		if time.Since(time.Unix(c.Created, 0)) < time.Minute {
			continue
		}
		if err := (&Guard{cli: cli, id: c.ID}).removeReaper(ctx); err != nil {
			return err
		}
	}
	return nil
}

// register connects and sends the labels until they are acknowledged. A
// connection alone proves nothing: docker-proxy accepts before the reaper does.
func register(ctx context.Context, addr string, labels map[string]string) (net.Conn, error) {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		conn, err := greet(ctx, addr, labels)
		if err == nil {
			return conn, nil
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("no ACK from %s: %w", addr, err)
		case <-tick.C:
		}
	}
}

func greet(ctx context.Context, addr string, labels map[string]string) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	deadline := time.Now().Add(time.Second)
	if err = conn.SetDeadline(deadline); err == nil {
		_, err = conn.Write([]byte(FormatLabels(labels) + "\n"))
	}
	var answer string
	if err == nil {
		answer, err = bufio.NewReader(conn).ReadString('\n')
	}
	if err == nil && answer != "ACK\n" {
		err = fmt.Errorf("the reaper answered %q, want ACK", answer)
	}
	if err == nil {
		err = conn.SetDeadline(time.Time{})
	}
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	return conn, nil
}

// log returns the end of what the reaper printed, for an error.
func (g *Guard) log(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
	defer cancel()
	res, err := g.cli.ContainerLogs(ctx, g.id, client.ContainerLogsOptions{ShowStdout: true, ShowStderr: true, Tail: "5"})
	if err != nil {
		return err.Error()
	}
	defer func() { _ = res.Close() }()
	b := make([]byte, 2000)
	n, _ := bufio.NewReader(res).Read(b)
	return fmt.Sprintf("%q", b[:n])
}

// Close removes whatever still carries the labels, and then the reaper itself,
// so that nothing is left when it returns. It works after ctx has ended.
func (g *Guard) Close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
	defer cancel()
	if err := Sweep(ctx, g.cli, g.labels); err != nil {
		// Leave the rest to the reaper: it tries for a while and then ends.
		_ = g.conn.Close()
		return fmt.Errorf("clean up: %w", err)
	}
	err := g.removeReaper(ctx)
	_ = g.conn.Close()
	return err
}

func (g *Guard) removeReaper(ctx context.Context) error {
	_, err := g.cli.ContainerRemove(ctx, g.id, client.ContainerRemoveOptions{Force: true})
	// The engine may be removing it already: then it is enough that it is gone.
	if err != nil && !errdefs.IsNotFound(err) && !errdefs.IsConflict(err) {
		return fmt.Errorf("remove the reaper: %w", err)
	}
	return nil
}
