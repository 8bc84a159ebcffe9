package images

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/harness/kind"
)

// registry serves one image, name:tag, whose nginx says it is version 9.9.9.
// The engine takes a registry on 127.0.0.0/8 without TLS.
func registry(t *testing.T, tag string) (ref string) {
	t.Helper()
	bin, err := os.ReadFile(tinyKit(t, "nginx version: nginx/9.9.9\\n"))
	if err != nil {
		t.Fatal(err)
	}
	var layer bytes.Buffer
	w := tar.NewWriter(&layer)
	if err := errors.Join(writeEntries(w, []entry{{name: "bin/", mode: 0o755}, {name: "bin/nginx", mode: 0o755, content: bin}}), w.Close()); err != nil {
		t.Fatal(err)
	}
	blobs := map[string][]byte{}
	add := func(b []byte) string {
		sum := sha256.Sum256(b)
		d := "sha256:" + hex.EncodeToString(sum[:])
		blobs[d] = b
		return d
	}
	object := func(v any) []byte {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	type m map[string]any
	const kind = "application/vnd.docker."
	diff := add(layer.Bytes())
	config := object(m{
		"architecture": "amd64", "os": "linux", "config": m{"Env": []string{"PATH=/bin"}},
		"rootfs": m{"type": "layers", "diff_ids": []string{diff}},
	})
	manifest := object(m{
		"schemaVersion": 2, "mediaType": kind + "distribution.manifest.v2+json",
		"config": m{"mediaType": kind + "container.image.v1+json", "size": len(config), "digest": add(config)},
		"layers": []m{{"mediaType": kind + "image.rootfs.diff.tar", "size": layer.Len(), "digest": diff}},
	})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		what := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
		switch b, ok := blobs[what]; {
		case strings.Contains(r.URL.Path, "/manifests/") && (what == tag || what == add(manifest)):
			w.Header().Set("Content-Type", kind+"distribution.manifest.v2+json")
			w.Header().Set("Docker-Content-Digest", add(manifest))
			_, _ = w.Write(manifest)
		case ok:
			_, _ = w.Write(b)
		case r.URL.Path == "/v2/":
			_, _ = w.Write([]byte("{}"))
		default:
			http.Error(w, `{"errors":[{"code":"MANIFEST_UNKNOWN"}]}`, http.StatusNotFound)
		}
	}))
	t.Cleanup(srv.Close)
	return strings.TrimPrefix(srv.URL, "http://") + "/proxychaos/test-nginx"
}

func TestOfficialImageIsPulledOnce(t *testing.T) {
	g := NewWithT(t)
	t.Setenv("NGINX_IMAGE", "")
	f, log := finder(t)
	repository := registry(t, "9.9")
	f.probe = repository + ":9.9"
	r := kind.Release{Kind: kind.Nginx, Name: "test", Official: repository + ":9.9", Suite: "no-such-suite"}
	img, err := f.Proxy(t.Context(), r)
	g.Expect(err).NotTo(HaveOccurred())
	t.Cleanup(func() { f.removeForTest(t, r.Official) })
	g.Expect(img.Version).To(Equal("9.9.9"))
	g.Expect(img.Source).To(Equal("official image, pulled"))
	g.Expect(img.Digest).To(MatchRegexp("^sha256:[0-9a-f]{64}$"))
	g.Expect(img.Notes).To(BeEmpty())
	g.Expect(log.String()).To(MatchRegexp(`^pulled .*test-nginx:9\.9 in \d+\.\d s\n$`))

	again, err := f.Proxy(t.Context(), r)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(again.Source).To(Equal("official image, already here"))
	g.Expect(again.Digest).To(Equal(img.Digest))

	t.Setenv("NGINX_IMAGE", r.Official)
	named, err := f.Proxy(t.Context(), release(t, kind.Nginx, "stable"))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(named.Ref).To(Equal(r.Official), "the user's image stands in for every release")
	g.Expect(named.Source).To(Equal("named in NGINX_IMAGE"))
}

func TestTagThatTheRegistryLacks(t *testing.T) {
	g := NewWithT(t)
	t.Setenv("NGINX_IMAGE", "")
	f, _ := finder(t)
	repository := registry(t, "9.9")
	f.probe = repository + ":9.9"
	_, err := f.Proxy(t.Context(), kind.Release{Kind: kind.Nginx, Name: "1.0", Official: repository + ":1.0"})
	g.Expect(errors.Is(err, ErrNotAvailable)).To(BeTrue(), "got %v", err)
	g.Expect(err).To(MatchError(And(ContainSubstring(repository+":1.0 cannot be pulled"), ContainSubstring("manifest unknown"))))
}

func TestImageWithoutTheProxyIsRefused(t *testing.T) {
	g := NewWithT(t)
	f, _ := finder(t)
	ref, err := f.Kit(t.Context(), tinyKit(t, t.Name()))
	g.Expect(err).NotTo(HaveOccurred())
	t.Cleanup(func() { f.removeForTest(t, ref) })
	t.Setenv("HTTPD_IMAGE", ref)
	_, err = f.Proxy(t.Context(), release(t, kind.Apache, "stable"))
	g.Expect(err).To(MatchError(And(ContainSubstring(ref), ContainSubstring("httpd"))))
}
