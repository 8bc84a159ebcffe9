// Package testbed is everything that runs for one cell at a time, in containers on an
// internal network of its own:
//
//	.3 load ──▶ .2 pod (fakedns; the proxy joins its namespaces) ──▶ .4 fakealb, and the node addresses it adds
//
// More proxies with the same configuration have pods of their own, at .5 and after it.
//
// Start brings up the agents; StartProxy puts the proxy under test beside
// them once the resolvers answer, because some proxies resolve only at start.
// Vacate and Renew ready it for another cell. Close removes everything, also after a
// Start that failed half-way.
package testbed

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
	"golang.org/x/sync/errgroup"

	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/fakedns"
	"github.com/proxychaos/proxychaos/harness/load"
	"github.com/proxychaos/proxychaos/harness/pod"
	"github.com/proxychaos/proxychaos/harness/renew"
)

// Limits are the times after which starting is given up: of an agent, of a proxy that is
// started again, and of one that has not listened yet, for which a user waits. An agent
// answers within 0.2 s here, a proxy within 0.3 s.
var Limits = struct {
	Agent, Proxy, Listen time.Duration
}{Agent: 15 * time.Second, Proxy: 15 * time.Second, Listen: 8 * time.Second}

// controlPort is where every agent has its control API, in the proxy's own network too: above
// the ports that the kernel gives to connections, where no proxy listens.
const controlPort = 61100

// Host numbers within the testbed's /24. Docker hands out the upper half.
const (
	hostPod   = 2
	hostLoad  = 3
	hostALB   = 4
	hostApp   = 5
	hostOther = 6 // and after it: pods of further proxies
	firstNode = 21
)

// Spec is what a testbed needs to know before it starts.
type Spec struct {
	// Kit is the image that holds the agents' binary at /proxychaos.
	Kit string
	// Labels are put on every container and network, for the reaper.
	Labels map[string]string
	// Scaled shortens the kernel's patience with a connect that nothing answers.
	Scaled bool
	// IPv6 gives the network IPv6 too, so that proxy and nodes have such addresses. Then the
	// C library asks for AAAA records.
	IPv6 bool
	// ResolvConf is the text of the proxy's /etc/resolv.conf; the pod's own if it is empty.
	ResolvConf string
	// Proxies is how many there are; 0 means 1.
	Proxies int
	// Seed draws the order of DNS answers.
	Seed uint64
	// Start is where the search for a free subnet begins, so that cells
	// started together do not try the same one.
	Start int
}

// Testbed is one running testbed.
type Testbed struct {
	*Seat // of the first proxy

	// Others are the seats of further proxies.
	Others []*Seat

	ALB  *fakealb.Client
	Load *load.Client

	// Subnet is the testbed's network, Subnet6 that of its IPv6 addresses; the zero value
	// if there is no IPv6.
	Subnet, Subnet6 netip.Prefix

	docker     *client.Client
	network    *testcontainers.DockerNetwork
	containers []testcontainers.Container
	labels     map[string]string
	turn       int  // how often the agents have begun
	scaled     bool // as in Spec
}

// unstarted is a testbed of which nothing is there yet.
func unstarted(docker *client.Client, spec Spec) *Testbed {
	tb := &Testbed{docker: docker, labels: spec.Labels, turn: 1, scaled: spec.Scaled}
	tb.Seat = &Seat{tb: tb, number: 1, host: hostPod, masters: map[int]bool{}}
	for i := 1; i < spec.Proxies; i++ {
		tb.Others = append(tb.Others, &Seat{tb: tb, number: i + 1, host: hostOther + i - 1, masters: map[int]bool{}})
	}
	return tb
}

// Start brings up the network and the agents. The Testbed is never nil; Close
// it whatever the error.
func Start(ctx context.Context, docker *client.Client, spec Spec) (*Testbed, error) {
	tb := unstarted(docker, spec)
	if err := tb.createNetwork(ctx, spec.Start, spec.IPv6); err != nil {
		return tb, err
	}
	agents := []agent{loadAgent(spec), albAgent(spec)}
	for _, s := range tb.Seats() {
		agents = append(agents, podAgent(spec, s.host))
	}
	started := make([]testcontainers.Container, len(agents))
	// Not errgroup.WithContext: a container that is being created when a
	// sibling fails would be left behind without its ID being known.
	var group errgroup.Group
	for i, a := range agents {
		group.Go(func() error {
			c, err := tb.run(ctx, a)
			started[i] = c
			return err
		})
	}
	err := group.Wait()
	for _, c := range started {
		if c != nil {
			tb.containers = append(tb.containers, c)
		}
	}
	if err != nil {
		return tb, err
	}
	for i, s := range tb.Seats() {
		s.pod = started[len(started)-len(tb.Seats())+i]
		s.Pod = pod.NewClient(tb.control(s.host))
		s.DNS = fakedns.NewClient(s.Pod.DNS(), control)
	}
	tb.Load = load.NewClient(tb.control(hostLoad))
	tb.ALB = fakealb.NewClient(tb.control(hostALB), control)
	return tb, tb.awaitAgents(ctx)
}

// Seats are those of all proxies, the first one first.
func (tb *Testbed) Seats() []*Seat { return append([]*Seat{tb.Seat}, tb.Others...) }

// control calls the agents; no proxy of the environment stands between.
var control = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 8}, Timeout: time.Minute}

// host is the n-th address of the testbed's network.
func (tb *Testbed) host(n int) netip.Addr {
	b := tb.Subnet.Addr().As4()
	b[3] = byte(n)
	return netip.AddrFrom4(b)
}

// host6 is the n-th IPv6 address of the testbed's network.
func (tb *Testbed) host6(n int) netip.Addr {
	b := tb.Subnet6.Addr().As16()
	b[15] = byte(n)
	return netip.AddrFrom16(b)
}

// Node is the n-th node address, from 0; none of them is up after Start.
func (tb *Testbed) Node(n int) netip.Addr { return tb.host(firstNode + n) }

// Node6 is the n-th node address of those with IPv6.
func (tb *Testbed) Node6(n int) netip.Addr { return tb.host6(firstNode + n) }

// Beside is the address of the node that answers for applications beside the proxy.
func (tb *Testbed) Beside() netip.Addr { return tb.host(hostApp) }

func (tb *Testbed) control(host int) string {
	return "http://" + netip.AddrPortFrom(tb.host(host), controlPort).String()
}

// awaitAgents waits until every control API answers.
func (tb *Testbed) awaitAgents(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, Limits.Agent)
	defer cancel()
	group, ctx := errgroup.WithContext(ctx)
	hosts := map[int]string{hostLoad: "load", hostALB: "fakealb"}
	for _, s := range tb.Seats() {
		hosts[s.host] = "pod"
	}
	for host, name := range hosts {
		group.Go(func() error { return awaitAnswer(ctx, name, tb.control(host)+"/v1/version") })
	}
	return group.Wait()
}

// awaitAnswer asks until something answers over HTTP, whatever it says.
func awaitAnswer(ctx context.Context, name, url string) error {
	var last error
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
		if err != nil {
			return err
		}
		resp, err := control.Do(req)
		if err == nil {
			return resp.Body.Close()
		}
		if ctx.Err() == nil {
			last = err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the %s agent did not answer at %s within %v: %w", name, url, Limits.Agent, errors.Join(last, ctx.Err()))
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// Vacate removes the proxy, and leaves what another cell can use. A testbed of several proxies
// cannot be used again.
func (tb *Testbed) Vacate(ctx context.Context) error {
	if tb.proxy == nil {
		return nil
	}
	if err := tb.remove(ctx, tb.proxy); err != nil {
		return err // Close tries again
	}
	tb.proxy = nil
	return nil
}

// Renew readies a testbed that was vacated for another cell: its agents restart, and
// know nothing of the one before. If it cannot, or finds that something was left behind,
// the testbed is of no use and has to be closed.
func (tb *Testbed) Renew(ctx context.Context, spec Spec) error {
	switch {
	case spec.Scaled != tb.scaled:
		return errors.New("the testbed was started for another clock")
	case len(tb.Others) > 0 || spec.Proxies > 1:
		return errors.New("a testbed of several proxies is not used again")
	}
	ctx, cancel := context.WithTimeout(ctx, Limits.Agent)
	defer cancel()
	tb.turn++
	control.CloseIdleConnections()
	var group errgroup.Group
	for _, a := range []agent{podAgent(spec, hostPod), loadAgent(spec), albAgent(spec)} {
		group.Go(func() error { return renew.Do(ctx, control, tb.host(a.host), tb.turn, a.args) })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	if err := tb.awaitAgents(ctx); err != nil {
		return err
	}
	left, err := tb.Pod.Processes(ctx, tb.nodes())
	if err == nil && len(left) > 0 {
		err = fmt.Errorf("got %d processes of the cell before, such as %q, want none", len(left), left[0].Command)
	}
	tb.watch, tb.masters = "", map[int]bool{}
	return err
}

// Close removes containers and network. It works on after ctx of Start was
// cancelled, and reports what it could not remove.
func (tb *Testbed) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	var group errgroup.Group
	errs := make([]error, len(tb.containers))
	// A proxy lives in its pod's namespaces: it goes first.
	for _, s := range tb.Seats() {
		if s.proxy != nil {
			errs = append(errs, tb.remove(ctx, s.proxy))
		}
	}
	for i, c := range tb.containers {
		group.Go(func() error { errs[i] = tb.remove(ctx, c); return nil })
	}
	_ = group.Wait() // each error is in errs
	if tb.network != nil {
		errs = append(errs, tb.network.Remove(ctx))
	}
	return errors.Join(errs...)
}

func (tb *Testbed) remove(ctx context.Context, c testcontainers.Container) error {
	_, err := tb.docker.ContainerRemove(ctx, c.GetContainerID(), client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
	if err != nil {
		return fmt.Errorf("removing container %.12s: %w", c.GetContainerID(), err)
	}
	return nil
}

// exited says whether a container has ended, and with which code.
func (tb *Testbed) exited(ctx context.Context, c testcontainers.Container) (bool, int, error) {
	got, err := tb.docker.ContainerInspect(ctx, c.GetContainerID(), client.ContainerInspectOptions{})
	if err != nil {
		return false, 0, err
	}
	state := got.Container.State
	return state.Status == container.StateExited || state.Status == container.StateDead, state.ExitCode, nil
}
