package pod

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
	tcexec "github.com/testcontainers/testcontainers-go/exec"
	"github.com/testcontainers/testcontainers-go/network"

	"github.com/proxychaos/proxychaos/fakedns"
)

// labels mark what this test leaves on the engine, should it be killed.
var labels = map[string]string{"proxychaos.test": "pod"}

var podCapabilities = []string{"NET_ADMIN", "SYS_PTRACE", "DAC_READ_SEARCH"}

// scratchImage makes an image that holds the helper program and nothing else.
func scratchImage(t *testing.T) string {
	t.Helper()
	path, err := podtest()
	if err != nil {
		t.Fatalf("build ./internal/podtest: %v", err)
	}
	program, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	if err := w.WriteHeader(&tar.Header{Name: "podtest", Mode: 0o755, Size: int64(len(program))}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(program); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	// Port 1 of this host is no registry: what is not here is not asked for.
	ref := fmt.Sprintf("localhost:1/proxychaos/podtest:%x", sha256.Sum256(program))
	docker, err := testcontainers.NewDockerClientWithOpts(t.Context())
	if err != nil {
		t.Fatalf("this test needs a Docker engine: %v", err)
	}
	t.Cleanup(func() { docker.Close() })
	answer, err := docker.ImageImport(t.Context(), client.ImageImportSource{Source: &archive, SourceName: "-"}, ref,
		client.ImageImportOptions{Changes: []string{"LABEL proxychaos.test=pod"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := docker.ImageRemove(context.Background(), ref, client.ImageRemoveOptions{}); err != nil {
			t.Error(err)
		}
	})
	if _, err := io.Copy(io.Discard, answer); err != nil {
		t.Fatal(err)
	}
	return ref
}

func runContainer(t *testing.T, image string, host func(*container.HostConfig), opts ...testcontainers.ContainerCustomizer) *testcontainers.DockerContainer {
	t.Helper()
	opts = append(opts, testcontainers.WithLabels(labels), testcontainers.WithHostConfigModifier(host))
	c, err := testcontainers.Run(t.Context(), image, opts...)
	t.Cleanup(func() {
		if err := testcontainers.TerminateContainer(c, testcontainers.StopTimeout(0)); err != nil {
			t.Error(err)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func inContainer(t *testing.T, c *testcontainers.DockerContainer, args ...string) string {
	t.Helper()
	code, out, err := c.Exec(timely(t), append([]string{"/podtest"}, args...), tcexec.Multiplexed())
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(out)
	if err != nil || code != 0 {
		t.Fatalf("podtest %v: exit %d, %v: %s", args, code, err, text)
	}
	return string(text)
}

// The agent in a real container, with a proxy that joined it, on this engine.
func TestInContainers(t *testing.T) {
	image := scratchImage(t)
	net, err := network.New(t.Context(), network.WithInternal(), network.WithLabels(labels))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := net.Remove(context.Background()); err != nil {
			t.Error(err)
		}
	})
	owner := runContainer(t, image, func(h *container.HostConfig) {
		h.CapDrop, h.CapAdd = []string{"ALL"}, podCapabilities
		h.Sysctls = map[string]string{"net.ipv6.conf.lo.disable_ipv6": "0"}
	},
		testcontainers.WithCmd("/podtest", "pod"),
		network.WithNetwork(nil, net))
	ip, err := owner.ContainerIP(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c := NewClient("http://" + ip + ":9100")
	eventually(t, "the agent answers", func() bool {
		_, err := c.Health(timely(t))
		return err == nil
	})
	proxy := runContainer(t, image, func(h *container.HostConfig) {
		join := "container:" + owner.GetContainerID()
		h.NetworkMode, h.PidMode = container.NetworkMode(join), container.PidMode(join)
	}, testcontainers.WithCmd("/podtest", "prefork", "--listen", "0.0.0.0:8080", "--workers", "2", "--uid", "33"))

	t.Run("every resolver address is fakedns", func(t *testing.T) { resolversInContainer(t, c, ip) })
	t.Run("a joined container asks fakedns", func(t *testing.T) {
		out := inContainer(t, proxy, "resolve", "backend.test")
		if want := resolvConf + "198.18.1.10\n"; out != want {
			t.Errorf("got %q, want %q", out, want)
		}
	})
	t.Run("the proxy's processes are seen", func(t *testing.T) { processesInContainer(t, c, ip) })
	t.Run("orphans are reaped", func(t *testing.T) {
		orphan := strings.TrimSpace(inContainer(t, proxy, "orphan"))
		eventually(t, "the orphan is gone", func() bool {
			return !strings.Contains(inContainer(t, proxy, "states"), "\n"+orphan+" ")
		})
	})
	t.Run("SIGTERM ends it at once", func(t *testing.T) {
		began := time.Now()
		patience := 8 * time.Second
		if err := owner.Stop(timely(t), &patience); err != nil {
			t.Fatal(err)
		}
		state, err := owner.State(timely(t))
		if err != nil || state.ExitCode != 0 || time.Since(began) > patience/2 {
			t.Errorf("got %+v, %v after %v, want exit code 0 at once", state, err, time.Since(began))
		}
	})
}

func resolversInContainer(t *testing.T, c *Client, ip string) {
	setName(t, c, "backend.test", "198.18.1.10")
	want := []string{"127.0.0.1:53", "127.0.0.11:53", ip + ":53", "169.254.169.253:53", "10.0.0.2:53", "[fd00:ec2::253]:53"}
	for _, r := range want {
		probe, err := c.ProbeDNS(timely(t), DNSRequest{Resolver: netip.MustParseAddrPort(r), Name: "backend.test", Type: "A"})
		if err != nil || len(probe.Answers) != 1 {
			t.Errorf("asked at %s: got %+v, %v, want one answer", r, probe, err)
		}
	}
	queries, err := fakedns.NewClient(c.DNS(), nil).Queries(timely(t), fakedns.Filter{Name: "backend.test", Type: "A"})
	if err != nil || len(queries) != len(want) {
		t.Fatalf("got %d queries, %v, want %d", len(queries), err, len(want))
	}
	for i, q := range queries {
		if q.Resolver.String() != want[i] || !IsProbe(q.Client) {
			t.Errorf("query %d: got resolver %s and client %s, want %s, and a probe", i, q.Resolver, q.Client, want[i])
		}
	}
}

func processesInContainer(t *testing.T, c *Client, ip string) {
	found, err := c.Listeners(timely(t), 5*time.Second)
	if err != nil || len(found) != 1 || found[0].Port != 8080 {
		t.Fatalf("listeners: got %+v, %v, want port 8080 alone", found, err)
	}
	// fakedns over TCP is a peer that keeps a connection open.
	peer := netip.MustParseAddr("169.254.169.253")
	nodes := Nodes{Prefix: netip.PrefixFrom(peer, 32)}
	worker := tell(t, ip+":8080", "dial "+peer.String()+":53")
	all, err := c.Processes(timely(t), nodes)
	if err != nil || len(all) != 4 {
		t.Fatalf("processes: got %+v, %v, want master, two workers and the idle one", all, err)
	}
	workers := 0
	for _, p := range all {
		if p.Worker {
			workers++
		}
	}
	if p := find(t, all, worker); workers != 2 || len(p.Upstream) != 1 || p.PPID != found[0].PID {
		t.Errorf("got %+v, want 2 workers, of which %d, a child of %d, holds a connection", all, worker, found[0].PID)
	}
}

func TestContainerWithoutCapabilities(t *testing.T) {
	image := scratchImage(t)
	owner := runContainer(t, image, func(h *container.HostConfig) {
		h.CapDrop, h.CapAdd = []string{"ALL"}, []string{"NET_ADMIN"}
	}, testcontainers.WithCmd("/podtest", "pod"))
	eventually(t, "it has ended", func() bool {
		state, err := owner.State(timely(t))
		return err == nil && !state.Running
	})
	state, err := owner.State(timely(t))
	if err != nil {
		t.Fatal(err)
	}
	logs, err := owner.Logs(timely(t))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(logs)
	if err != nil {
		t.Fatal(err)
	}
	if want := "add SYS_PTRACE, DAC_READ_SEARCH to the container"; state.ExitCode != 1 || !strings.Contains(string(text), want) {
		t.Errorf("got exit %d and %q, want 1 and %q", state.ExitCode, text, want)
	}
}
