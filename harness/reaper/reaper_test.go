package reaper

import (
	"bufio"
	"context"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"github.com/proxychaos/proxychaos/harness/engine"
	"github.com/proxychaos/proxychaos/harness/images"
)

// kitSource is a kit with a reaper and something to remove.
const kitSource = `package main

import (
	"fmt"
	"os"
	"time"

	"github.com/proxychaos/proxychaos/harness/reaper"
)

func main() {
	if os.Args[1] == "sleep" {
		time.Sleep(time.Hour)
	}
	cmd := reaper.Command()
	cmd.SetArgs(os.Args[2:])
	if err := cmd.Execute(); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}
`

func engineClient(t *testing.T) *client.Client {
	t.Helper()
	e, err := engine.Ensure(t.Context(), io.Discard)
	if err != nil {
		t.Fatalf("the tests of this package need a Docker engine: %v", err)
	}
	cli, err := e.Client()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cli.Close() })
	return cli
}

// kit makes an image that holds this package's reaper.
func kit(t *testing.T, cli *client.Client) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte(kitSource), 0o600); err != nil {
		t.Fatal(err)
	}
	bin := filepath.Join(dir, "kit")
	build := exec.Command("go", "build", "-ldflags", "-s -w", "-o", bin, filepath.Join(dir, "main.go"))
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	ref, err := images.New(cli, io.Discard, nil).Kit(t.Context(), bin)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := cli.ImageRemove(context.Background(), ref, client.ImageRemoveOptions{Force: true, PruneChildren: true}); err != nil {
			t.Errorf("remove the test's kit: %v", err)
		}
	})
	return ref
}

// create makes what a run makes: a network, a container in it, a container that
// was never started. Both containers carry one label more.
func create(ctx context.Context, cli *client.Client, kit string, labels map[string]string) error {
	network, err := cli.NetworkCreate(ctx, "proxychaos-test-"+labels[SessionLabel], client.NetworkCreateOptions{Labels: labels, Internal: true})
	if err != nil {
		return err
	}
	more := maps.Clone(labels)
	more["org.proxychaos.cell"] = "test"
	for _, start := range []bool{true, false} {
		c, err := cli.ContainerCreate(ctx, client.ContainerCreateOptions{
			Config:     &container.Config{Image: kit, Cmd: []string{"sleep"}, Labels: more},
			HostConfig: &container.HostConfig{NetworkMode: container.NetworkMode(network.ID)},
		})
		if err != nil {
			return err
		}
		if start {
			if _, err := cli.ContainerStart(ctx, c.ID, client.ContainerStartOptions{}); err != nil {
				return err
			}
		}
	}
	return nil
}

// left lists what carries the labels, and the reaper itself.
func left(g Gomega, cli *client.Client, labels map[string]string) []string {
	var all []string
	ours := make(client.Filters).Add("label", SessionLabel+"="+labels[SessionLabel])
	its := make(client.Filters).Add("label", reaperLabel+"="+FormatLabels(labels))
	for what, filter := range map[string]client.Filters{"container": ours, "reaper": its} {
		list, err := cli.ContainerList(context.Background(), client.ContainerListOptions{All: true, Filters: filter})
		g.Expect(err).NotTo(HaveOccurred())
		for range list.Items {
			all = append(all, what)
		}
	}
	networks, err := cli.NetworkList(context.Background(), client.NetworkListOptions{Filters: ours})
	g.Expect(err).NotTo(HaveOccurred())
	for range networks.Items {
		all = append(all, "network")
	}
	slices.Sort(all)
	return all
}

func TestCloseLeavesNothing(t *testing.T) {
	g := NewWithT(t)
	cli := engineClient(t)
	ref := kit(t, cli)
	mine, others := NewSession(), NewSession()
	g.Expect(mine).NotTo(Equal(others))
	begin := time.Now()
	guard, err := Start(t.Context(), cli, ref, mine)
	g.Expect(err).NotTo(HaveOccurred())
	t.Logf("the reaper was ready after %s", time.Since(begin).Round(time.Millisecond))
	t.Cleanup(func() { g.Expect(Sweep(context.Background(), cli, others)).To(Succeed()) })
	g.Expect(create(t.Context(), cli, ref, mine)).To(Succeed())
	g.Expect(create(t.Context(), cli, ref, others)).To(Succeed())
	g.Expect(left(g, cli, mine)).To(Equal([]string{"container", "container", "network", "reaper"}))

	ended, cancel := context.WithCancel(t.Context())
	cancel()
	g.Expect(guard.Close(ended)).To(Succeed(), "clean-up works after the run's context has ended")
	g.Expect(left(g, cli, mine)).To(BeEmpty())
	g.Expect(left(g, cli, others)).To(Equal([]string{"container", "container", "network"}), "another run's are not touched")
}

// TestKillMinusNine starts a run in another process, kills it with SIGKILL, and
// watches everything of it disappear, the reaper too.
func TestKillMinusNine(t *testing.T) {
	g := NewWithT(t)
	cli := engineClient(t)
	ref := kit(t, cli)
	labels := NewSession()
	run := exec.Command(os.Args[0], "-test.run=^TestHelperRun$")
	run.Env = append(os.Environ(), "TEST_REAPER_KIT="+ref, "TEST_REAPER_SESSION="+labels[SessionLabel])
	out, err := run.StdoutPipe()
	g.Expect(err).NotTo(HaveOccurred())
	run.Stderr = os.Stderr
	g.Expect(run.Start()).To(Succeed())
	t.Cleanup(func() { g.Expect(Sweep(context.Background(), cli, labels)).To(Succeed()) })
	line, err := bufio.NewReader(out).ReadString('\n')
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(line).To(Equal("ready\n"))
	g.Expect(left(g, cli, labels)).To(Equal([]string{"container", "container", "network", "reaper"}))

	begin := time.Now()
	g.Expect(run.Process.Kill()).To(Succeed())
	_ = run.Wait()
	g.Eventually(func(g Gomega) []string { return left(g, cli, labels) }).WithTimeout(20 * time.Second).WithPolling(50 * time.Millisecond).Should(BeEmpty())
	t.Logf("all gone %s after SIGKILL", time.Since(begin).Round(time.Millisecond))
}

// TestHelperRun is the run that TestKillMinusNine kills.
func TestHelperRun(t *testing.T) {
	ref := os.Getenv("TEST_REAPER_KIT")
	if ref == "" {
		return
	}
	cli := engineClient(t)
	labels := map[string]string{SessionLabel: os.Getenv("TEST_REAPER_SESSION")}
	if _, err := Start(t.Context(), cli, ref, labels); err != nil {
		t.Fatal(err)
	}
	if err := create(t.Context(), cli, ref, labels); err != nil {
		t.Fatal(err)
	}
	_, _ = os.Stdout.WriteString("ready\n")
	select {}
}

func TestStartSaysWhatIsWrong(t *testing.T) {
	g := NewWithT(t)
	cli := engineClient(t)
	_, err := Start(t.Context(), cli, "localhost:1/proxychaos/kit:absent", NewSession())
	g.Expect(err).To(MatchError(ContainSubstring("localhost:1/proxychaos/kit:absent")))
	_, err = Start(t.Context(), cli, "x", nil)
	g.Expect(err).To(MatchError(ContainSubstring("no label")))
}
