package images

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"github.com/proxychaos/proxychaos/harness/engine"
	"github.com/proxychaos/proxychaos/harness/kind"
)

// finder returns a Finder on the machine's engine and what it logs.
func finder(t *testing.T) (*Finder, *strings.Builder) {
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
	var log strings.Builder
	f := New(cli, &log, map[string]string{"org.proxychaos.test": t.Name()})
	f.MayInstall = true
	return f, &log
}

func (f *Finder) removeForTest(t *testing.T, ref string) {
	t.Helper()
	if _, err := f.cli.ImageRemove(context.Background(), ref, client.ImageRemoveOptions{Force: true, PruneChildren: true}); err != nil {
		t.Errorf("remove %s: %v", ref, err)
	}
}

// tinyKit compiles a static program that prints its arguments.
func tinyKit(t *testing.T, salt string) string {
	t.Helper()
	dir := t.TempDir()
	src := "package main\n\nimport (\"fmt\"; \"os\")\n\nfunc main() { fmt.Println(\"" + salt + "\", os.Args) }\n"
	if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte(src), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("go", "build", "-o", "kit", "main.go")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return filepath.Join(dir, "kit")
}

func TestKitIsMadeOnceAndRuns(t *testing.T) {
	g := NewWithT(t)
	f, log := finder(t)
	bin := tinyKit(t, t.Name())
	ref, err := f.Kit(t.Context(), bin)
	g.Expect(err).NotTo(HaveOccurred())
	t.Cleanup(func() { f.removeForTest(t, ref) })
	g.Expect(ref).To(MatchRegexp(`^localhost:1/proxychaos/kit:[0-9a-f]{16}$`))
	g.Expect(log.String()).To(ContainSubstring("made the kit image"))
	first, _, err := f.present(t.Context(), ref)
	g.Expect(err).NotTo(HaveOccurred())

	begin := time.Now()
	again, err := f.Kit(t.Context(), bin)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(again).To(Equal(ref))
	g.Expect(time.Since(begin)).To(BeNumerically("<", 500*time.Millisecond))
	second, _, err := f.present(t.Context(), ref)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(second.ID).To(Equal(first.ID), "made a second time")

	g.Expect(f.run(t, ref, nil, "hello")).To(ContainSubstring(t.Name() + " [/proxychaos hello]"))
}

// `go install` links with the C library where there is a C compiler: the image gets what
// the program is linked with.
func TestKitOfADynamicBinaryRuns(t *testing.T) {
	g := NewWithT(t)
	f, _ := finder(t)
	ref, err := f.Kit(t.Context(), "/bin/echo")
	g.Expect(err).NotTo(HaveOccurred())
	t.Cleanup(func() { f.removeForTest(t, ref) })
	g.Expect(f.run(t, ref, nil, "hello")).To(Equal("hello\n"))
}

func TestKitRefusesWhatIsNoProgram(t *testing.T) {
	g := NewWithT(t)
	f, _ := finder(t)
	_, err := f.Kit(t.Context(), "images.go")
	g.Expect(err).To(MatchError(ContainSubstring("not a Linux program")))
}

// A library that cannot be found is said, with what to do.
func TestKitOfABrokenBinary(t *testing.T) {
	g := NewWithT(t)
	f, _ := finder(t)
	echo, err := os.ReadFile("/bin/echo")
	g.Expect(err).NotTo(HaveOccurred())
	path := filepath.Join(t.TempDir(), "broken")
	g.Expect(os.WriteFile(path, bytes.ReplaceAll(echo, []byte("libc.so.6"), []byte("libx.so.6")), 0o755)).To(Succeed()) //nolint:gosec // a program
	_, err = f.Kit(t.Context(), path)
	g.Expect(err).To(MatchError(ContainSubstring("CGO_ENABLED=0")))
}

// run starts an image with arguments, and files given as path and content, and
// returns what it printed until it ended.
func (f *Finder) run(t *testing.T, ref string, put []entry, cmd ...string) string {
	t.Helper()
	ctx, g := t.Context(), NewWithT(t)
	c, err := f.cli.ContainerCreate(ctx, client.ContainerCreateOptions{
		Config:     &container.Config{Image: ref, Cmd: cmd, Tty: true, Labels: f.labels},
		HostConfig: &container.HostConfig{NetworkMode: "none"},
	})
	g.Expect(err).NotTo(HaveOccurred())
	t.Cleanup(func() {
		_, err := f.cli.ContainerRemove(context.Background(), c.ID, client.ContainerRemoveOptions{Force: true})
		g.Expect(err).NotTo(HaveOccurred())
	})
	if put != nil {
		_, err = f.cli.CopyToContainer(ctx, c.ID, client.CopyToContainerOptions{DestinationPath: "/", Content: tarOf(t, put)})
		g.Expect(err).NotTo(HaveOccurred())
	}
	wait := f.cli.ContainerWait(ctx, c.ID, client.ContainerWaitOptions{Condition: container.WaitConditionNextExit})
	_, err = f.cli.ContainerStart(ctx, c.ID, client.ContainerStartOptions{})
	g.Expect(err).NotTo(HaveOccurred())
	select {
	case <-wait.Result:
	case err := <-wait.Error:
		t.Fatal(err)
	}
	logs, err := f.cli.ContainerLogs(ctx, c.ID, client.ContainerLogsOptions{ShowStdout: true, ShowStderr: true})
	g.Expect(err).NotTo(HaveOccurred())
	defer func() { _ = logs.Close() }()
	out, err := io.ReadAll(logs)
	g.Expect(err).NotTo(HaveOccurred())
	return strings.ReplaceAll(string(out), "\r", "")
}

func TestMissingUserImageIsAClearError(t *testing.T) {
	g := NewWithT(t)
	f, _ := finder(t)
	t.Setenv("HTTPD_IMAGE", "localhost:1/nobody/has:this")
	_, err := f.Proxy(t.Context(), release(t, kind.Apache, "stable"))
	g.Expect(err).To(MatchError(ContainSubstring("HTTPD_IMAGE=localhost:1/nobody/has:this: not on this engine and cannot be pulled")))
	g.Expect(errors.Is(err, ErrNotAvailable)).To(BeFalse(), "what the user asked for by name is not optional")
}

func TestUnknownKindAndRelease(t *testing.T) {
	g := NewWithT(t)
	_, err := New(nil, io.Discard, nil).Proxy(t.Context(), kind.Release{Kind: "gopher"})
	g.Expect(err).To(MatchError(ContainSubstring(`"gopher"`)))
	_, err = kindOf(t, kind.Nginx).Release("1.2")
	g.Expect(err).To(MatchError(ContainSubstring("stable, testing")))
}

// TestOldImagesAreRemoved works on a repository of its own: the images of other
// runs on this engine are none of its business.
func TestOldImagesAreRemoved(t *testing.T) {
	g := NewWithT(t)
	f, _ := finder(t)
	repository := prefix + "test-old"
	current, used, unused := repository+":current", repository+":used", repository+":unused"
	for _, ref := range []string{current, used, unused} {
		content := []entry{{name: "x", mode: 0o644, content: []byte(ref)}}
		g.Expect(f.importTar(t.Context(), ref, tarOf(t, content), nil)).To(Succeed())
	}
	t.Cleanup(func() { f.removeForTest(t, current) })
	t.Cleanup(func() { f.removeForTest(t, used) })
	c, err := f.cli.ContainerCreate(t.Context(), client.ContainerCreateOptions{
		Config: &container.Config{Image: used, Cmd: []string{"/x"}, Labels: f.labels},
	})
	g.Expect(err).NotTo(HaveOccurred())
	t.Cleanup(func() {
		_, err := f.cli.ContainerRemove(context.Background(), c.ID, client.ContainerRemoveOptions{})
		g.Expect(err).NotTo(HaveOccurred())
	})
	here := func() (refs []string) {
		for _, ref := range []string{current, used, unused} {
			_, ok, err := f.present(t.Context(), ref)
			g.Expect(err).NotTo(HaveOccurred())
			if ok {
				refs = append(refs, ref)
			}
		}
		return refs
	}
	keep := func(ref string) bool { return ref == current }
	g.Expect(f.removeOld(t.Context(), repository, keep)).To(Succeed())
	g.Expect(here()).To(Equal([]string{current, used, unused}), "another run may be about to start an image this young")
	f.young = 0
	g.Expect(f.removeOld(t.Context(), repository, keep)).To(Succeed())
	g.Expect(here()).To(Equal([]string{current, used}))
}
