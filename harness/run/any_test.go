package run

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/rand"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/moby/moby/client"
	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/kind"
	"github.com/proxychaos/proxychaos/harness/recording"
)

// A program of which nothing is known is judged by what is seen from outside: in an image
// made from nothing, with an entry point of its own, on a port that nobody was told of.
func TestAnyImage(t *testing.T) {
	t.Parallel()
	opt := options(t)
	log := &logged{t: t}
	opt.Log = log
	lab := containers(t, opt)
	image := scratch(t, lab.docker, "anyproxy")
	who := func(words ...string) harness.Subject {
		return harness.Subject{
			Kind: kind.Any, Name: "own-anyproxy", Role: harness.Own, Summary: "your own image",
			Image: image, Command: kind.Command{Said: strings.Join(words, " "), Words: words},
		}
	}

	g := NewWithT(t)
	r := one(t.Context(), lab, rotate(), who("http://backend.example.com"))
	g.Expect(r.Err).NotTo(HaveOccurred())
	g.Expect(r.Verdict.Result).To(Equal(judge.Pass), "%s", strings.Join(r.Verdict.Reasons, "; "))
	g.Expect(r.Verdict.Findings).To(ContainElement(HaveField("Code", judge.ConnectionPerRequest)))
	g.Expect(r.Manifest.Image.Version).To(MatchRegexp("^[0-9a-f]{12}$"))
	g.Expect(r.Manifest.Replay).To(ContainSubstring("--proxy image --image " + image + " --command http://backend.example.com"))
	g.Expect(log.String()).To(ContainSubstring("nothing is known of this image's program"))

	r = one(t.Context(), lab, rotate(), who("-once", "http://backend.example.com"))
	g.Expect(r.Err).NotTo(HaveOccurred())
	g.Expect(r.Verdict.Result).To(Equal(judge.Fail), "%s", strings.Join(r.Verdict.Reasons, "; "))
	g.Expect(r.Verdict.Findings).To(ContainElement(HaveField("Code", judge.ResolvedOnce)))

	r = one(t.Context(), lab, rotate(), who("backend.example.com"))
	g.Expect(r.Err).To(MatchError(And(ContainSubstring("the proxy rejects "+image), ContainSubstring("want a URL"))))
}

// What an image says of its container is what runs, but for its health check: that one would be a
// client that nobody counted.
func TestAnImageWithAUserAndAHealthCheck(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	lab := containers(t, options(t))
	image := scratch(t, lab.docker, "anyproxy", "USER 12345:12345", "WORKDIR /srv", "EXPOSE 9999", `CMD ["http://backend.example.com"]`,
		`HEALTHCHECK --interval=1s --timeout=1s CMD ["/anyproxy", "-ask", "http://127.0.0.1:8080/health"]`)
	r := one(t.Context(), lab, rotate(), harness.Subject{
		Kind: kind.Any, Name: "own-anyproxy", Role: harness.Own, Summary: "your own image", Image: image,
	})
	g.Expect(r.Err).NotTo(HaveOccurred())
	g.Expect(r.Verdict.Result).To(Equal(judge.Pass), "%s", strings.Join(r.Verdict.Reasons, "; "))
	rec, err := recording.Open(r.Dir)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(rec.Attempts).NotTo(BeEmpty())
	for _, a := range rec.Attempts {
		g.Expect(a.Path).NotTo(ContainSubstring("health"))
	}
}

// scratch is an image that has nothing in it but a program of testdata, and what changes say of
// it in the words of a Dockerfile.
func scratch(t *testing.T, docker *client.Client, name string, changes ...string) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), name)
	build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", program, "./testdata/"+name)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	content, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	var root bytes.Buffer
	w := tar.NewWriter(&root)
	if err := w.WriteHeader(&tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0o755, Size: int64(len(content))}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	ref := "localhost:1/proxychaos-test/" + name + ":" + strings.ToLower(rand.Text())
	res, err := docker.ImageImport(t.Context(), client.ImageImportSource{Source: &root, SourceName: "-"}, ref,
		client.ImageImportOptions{Changes: append(changes, `ENTRYPOINT ["/`+name+`"]`)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, res); err != nil {
		t.Fatal(err)
	}
	_ = res.Close()
	t.Cleanup(func() {
		if _, err := docker.ImageRemove(context.Background(), ref, client.ImageRemoveOptions{Force: true}); err != nil {
			t.Errorf("removing the test's image: %v", err)
		}
	})
	return ref
}
