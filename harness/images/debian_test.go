package images

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"github.com/proxychaos/proxychaos/harness/kind"
)

func tarOf(t *testing.T, entries []entry) io.Reader {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	if err := errors.Join(writeEntries(w, entries), w.Close()); err != nil {
		t.Fatal(err)
	}
	return &b
}

func kindOf(t *testing.T, name kind.Name) *kind.Kind {
	t.Helper()
	k, err := kind.Of(name)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func release(t *testing.T, name kind.Name, called string) kind.Release {
	t.Helper()
	r, err := kindOf(t, name).Release(called)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// catalogued are the releases of two kinds that most cells run on.
func catalogued(t *testing.T) []kind.Release {
	t.Helper()
	var all []kind.Release
	for _, name := range []kind.Name{kind.Apache, kind.Nginx} {
		all = append(all, release(t, name, "stable"), release(t, name, "testing"))
	}
	return all
}

// built returns the images built from Debian's packages, all four at once, as a
// run does.
func built(t *testing.T) (f *Finder, images map[string]Image) {
	t.Helper()
	f, log := finder(t)
	t.Setenv("HTTPD_IMAGE", "")
	t.Setenv("NGINX_IMAGE", "")
	images = map[string]Image{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for _, r := range catalogued(t) {
		r.Official = "" // also where a registry answers
		wg.Go(func() {
			img, err := f.Proxy(t.Context(), r)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Errorf("%s: %v", r, err)
			}
			images[r.String()] = img
		})
	}
	wg.Wait()
	if t.Failed() {
		t.FailNow()
	}
	if log.Len() > 0 {
		t.Log("\n" + log.String())
	}
	return f, images
}

func TestImagesFromDebian(t *testing.T) {
	g := NewWithT(t)
	f, images := built(t)
	begin := time.Now()
	_, again := built(t)
	g.Expect(again).To(Equal(images), "the second time, the images are there")
	t.Logf("four images that are there: %s", time.Since(begin).Round(time.Millisecond))

	for name, img := range images {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			of, _, _ := strings.Cut(name, " ")
			v, err := f.version(t.Context(), img.Ref, kind.Name(of))
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(img.Version).To(Equal(v))
			g.Expect(img.Source).To(ContainSubstring(v))
			g.Expect(img.Digest).To(HavePrefix("sha256:"))
			test := []string{"nginx", "-t"}
			if of == string(kind.Apache) {
				test = []string{"httpd", "-t"}
			}
			g.Expect(f.run(t, img.Ref, nil, test...)).To(Or(ContainSubstring("Syntax OK"), ContainSubstring("test is successful")))
		})
	}
}

// officialStyle is what people write for the official image: LoadModule lines
// of modules that Debian has built in, and relative paths.
const officialStyle = `ServerRoot "/usr/local/apache2"
Listen 80
LoadModule mpm_event_module modules/mod_mpm_event.so
LoadModule authz_core_module modules/mod_authz_core.so
  loadmodule log_config_module modules/mod_log_config.so
LoadModule unixd_module modules/mod_unixd.so
LoadModule proxy_module modules/mod_proxy.so
LoadModule proxy_http_module modules/mod_proxy_http.so
<IfModule !version_module>
    LoadModule version_module modules/mod_version.so
</IfModule>
LoadModule watchdog_module modules/mod_watchdog.so
User www-data
ErrorLog /proc/self/fd/2
Include conf/extra/httpd-mpm.conf
%s
ProxyPass "/" "http://127.0.0.1:9/"
`

func TestOfficialHTTPDConfRunsVerbatim(t *testing.T) {
	f, images := built(t)
	img := images["apache stable"]
	conf := func(line string) []entry {
		return []entry{{name: "usr/local/apache2/conf/httpd.conf", mode: 0o644, content: fmt.Appendf(nil, officialStyle, line)}}
	}
	t.Run("good", func(t *testing.T) {
		g := NewWithT(t)
		out := f.run(t, img.Ref, conf(""), "httpd", "-t")
		g.Expect(out).To(ContainSubstring("Syntax OK"))
		g.Expect(out).To(ContainSubstring("httpd.conf:5: built in here, commented out: loadmodule log_config_module"))
		g.Expect(out).To(ContainSubstring("httpd.conf:6: built in here, commented out: LoadModule unixd_module"))
		g.Expect(out).To(ContainSubstring("httpd.conf:12: built in here, commented out: LoadModule watchdog_module"))
		g.Expect(strings.Count(out, "built in here")).To(Equal(3), "%s", out)
	})
	t.Run("an error keeps its line number", func(t *testing.T) {
		NewWithT(t).Expect(f.run(t, img.Ref, conf("ProxyBogus On"), "httpd-foreground")).
			To(ContainSubstring("Syntax error on line 16 of /usr/local/apache2/conf/httpd.conf"))
	})
	t.Run("a file of another name", func(t *testing.T) {
		other := conf("")
		other[0].name = "etc/my.conf"
		NewWithT(t).Expect(f.run(t, img.Ref, other, "httpd", "-t", "-f", "/etc/my.conf")).To(ContainSubstring("Syntax OK"))
	})
}

// TestDefaultCommandServes starts the images as they are, without a command.
func TestDefaultCommandServes(t *testing.T) {
	f, images := built(t)
	for name, img := range images {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			c, err := f.cli.ContainerCreate(t.Context(), client.ContainerCreateOptions{
				Config:     &container.Config{Image: img.Ref, Labels: f.labels},
				HostConfig: &container.HostConfig{NetworkMode: "bridge"},
			})
			g.Expect(err).NotTo(HaveOccurred())
			t.Cleanup(func() {
				_, err := f.cli.ContainerRemove(context.Background(), c.ID, client.ContainerRemoveOptions{Force: true})
				g.Expect(err).NotTo(HaveOccurred())
			})
			_, err = f.cli.ContainerStart(t.Context(), c.ID, client.ContainerStartOptions{})
			g.Expect(err).NotTo(HaveOccurred())
			in, err := f.cli.ContainerInspect(t.Context(), c.ID, client.ContainerInspectOptions{})
			g.Expect(err).NotTo(HaveOccurred())
			url := "http://" + in.Container.NetworkSettings.Networks["bridge"].IPAddress.String() + "/"
			g.Eventually(func() (string, error) {
				res, err := http.Get(url) //nolint:gosec,noctx // own container
				if err != nil {
					return "", err
				}
				defer func() { _ = res.Body.Close() }()
				return res.Header.Get("Server"), nil
			}).WithTimeout(10 * time.Second).Should(ContainSubstring(img.Version))
		})
	}
}

func TestNotAvailableSaysWhy(t *testing.T) {
	g := NewWithT(t)
	f, _ := finder(t)
	t.Setenv("HTTPD_IMAGE", "")
	begin := time.Now()
	// A name that no registry can resolve: the outcome does not depend on
	// whether this machine reaches one.
	_, err := f.Proxy(t.Context(), kind.Release{Kind: kind.Apache, Name: "2.4.58", Official: "localhost:1/httpd:2.4.58"})
	g.Expect(errors.Is(err, ErrNotAvailable)).To(BeTrue(), "got %v", err)
	g.Expect(err).To(MatchError(And(ContainSubstring("apache 2.4.58"), ContainSubstring("no Debian suite carries it"))))
	g.Expect(time.Since(begin)).To(BeNumerically("<", registryTimeout+2*time.Second))
	t.Logf("%v (%s)", err, time.Since(begin).Round(time.Millisecond))
}

func TestMainPackage(t *testing.T) {
	g := NewWithT(t)
	files := []string{"nginx-common_1.26.3-3_all.deb", "nginx_1.26.3-3+deb13u10_amd64.deb", "zlib1g_1%3a1.3-1_amd64.deb", "h2o_2.2.5+dfsg2-7_amd64.deb", "trafficserver_9.2.5+ds-0+deb12u4_amd64.deb"}
	pkg, version, err := mainPackage(files, "nginx")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(pkg).To(Equal("nginx 1.26.3-3+deb13u10"))
	g.Expect(version).To(Equal("1.26.3"))
	_, version, err = mainPackage(files, "zlib1g")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(version).To(Equal("1.3"))
	for name, want := range map[string]string{"h2o": "2.2.5", "trafficserver": "9.2.5"} {
		_, version, err = mainPackage(files, name)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(version).To(Equal(want), "what Debian packed anew has its authors' version")
	}
	_, _, err = mainPackage(files, "apache2-bin")
	g.Expect(err).To(HaveOccurred())
}

func TestTrimmedLooksAtParentsToo(t *testing.T) {
	g := NewWithT(t)
	for _, name := range []string{"dev/null", "usr/share/man/man8/ip.8.gz", "usr/lib/x86_64-linux-gnu/perl/5.40/x", "etc/nginx/conf.d"} {
		g.Expect(recipe{}.trims(name)).To(BeTrue(), name)
	}
	for _, name := range []string{"usr/lib/x86_64-linux-gnu/libc.so.6", "etc/nginx/mime.types", "usr/sbin/nginx", "usr/share/ca-certificates/mozilla/a.crt"} {
		g.Expect(recipe{}.trims(name)).To(BeFalse(), name)
	}
}

func TestARecipeKeepsWhatOthersLeaveOut(t *testing.T) {
	g := NewWithT(t)
	keeps := recipe{kind.Recipe{Keeps: []string{"usr/include"}}}
	g.Expect(recipe{}.trims("usr/include/stdio.h")).To(BeTrue())
	g.Expect(keeps.trims("usr/include/stdio.h")).To(BeFalse())
	g.Expect(keeps.trims("usr/games/x")).To(BeTrue())
	g.Expect(keeps.fingerprint()).NotTo(Equal(recipe{}.fingerprint()))
}

func TestRecipesHaveDifferentNamesForDifferentContent(t *testing.T) {
	g := NewWithT(t)
	a, rec, err := debianRef(kind.Release{Kind: kind.Nginx, Suite: "trixie"})
	g.Expect(err).NotTo(HaveOccurred())
	b, _, err := debianRef(kind.Release{Kind: kind.Nginx, Suite: "trixie"})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(a).To(Equal(b), "the name of one recipe is stable")
	g.Expect(a).To(MatchRegexp(`^localhost:1/proxychaos/nginx:trixie-[0-9a-f]{12}$`))
	before := string(rec.fingerprint())
	rec.Changes = append([]string{"ENV X=1"}, rec.Changes...)
	g.Expect(string(rec.fingerprint())).NotTo(Equal(before))
}
