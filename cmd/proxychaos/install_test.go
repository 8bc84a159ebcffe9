package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	"golang.org/x/mod/module"
	"golang.org/x/mod/zip"
)

// released is this module as the tests' proxy of modules has it.
var released = module.Version{Path: "github.com/proxychaos/proxychaos", Version: "v0.0.1"}

// moduleProxy is a folder that serves the commit that is checked out as a proxy of modules
// does, to be named in GOPROXY.
func moduleProxy(t *testing.T) string {
	t.Helper()
	g := NewWithT(t)
	folder := t.TempDir()
	files := filepath.Join(folder, filepath.FromSlash(released.Path), "@v")
	g.Expect(os.MkdirAll(files, 0o755)).To(Succeed())
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	g.Expect(err).NotTo(HaveOccurred())
	var content bytes.Buffer
	g.Expect(zip.CreateFromVCS(&content, released, root, "HEAD", "")).To(Succeed())
	for name, text := range map[string][]byte{
		"list":                     []byte(released.Version + "\n"),
		released.Version + ".info": []byte(`{"Version":"` + released.Version + `","Time":"2026-01-01T00:00:00Z"}`),
		released.Version + ".mod":  mod,
		released.Version + ".zip":  content.Bytes(),
	} {
		g.Expect(os.WriteFile(filepath.Join(files, name), text, 0o600)).To(Succeed())
	}
	return "file://" + folder
}

// goEnv is a setting of the go command.
func goEnv(t *testing.T, name string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "env", name).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// gaveTheTable says that a run of goproxy's cell of alb-ip-rotate ended well.
func gaveTheTable(g *WithT, got ran, folder string) {
	g.Expect(got.code).To(BeZero(), got.stderr)
	g.Expect(got.stdout).To(And(
		MatchRegexp(`(?m)^goproxy/default +reference held `), ContainSubstring("1 cell run: 1 expected"), ContainSubstring("wrote runs/reports/"),
	))
	for _, name := range []string{"report.html", "report.json", "report.md", "junit.xml", "alb-ip-rotate/goproxy/default/latest/manifest.json"} {
		g.Expect(filepath.Join(folder, "runs", name)).To(BeARegularFile())
	}
}

// Without a checkout: the command is installed from a proxy of modules, with whatever C
// compiler is there, and runs a scenario in an empty folder.
func TestInstalledCommandRunsAnywhere(t *testing.T) {
	// make test-long: "go install" from a proxy of modules, and a run without a checkout
	if testing.Short() {
		t.Skip("compiles the command from nothing")
	}
	g := NewWithT(t)
	work, folder := t.TempDir(), t.TempDir()
	env := clean(
		"GOBIN="+work, "GOMODCACHE="+filepath.Join(work, "mod"), "GOFLAGS=-modcacherw", "GOSUMDB=off",
		"GOPROXY="+strings.Join([]string{moduleProxy(t), "file://" + filepath.Join(goEnv(t, "GOMODCACHE"), "cache", "download"), goEnv(t, "GOPROXY")}, ","),
	)
	got := start(t, folder, env, "go", "install", released.Path+"/cmd/proxychaos@"+released.Version)
	g.Expect(got.code).To(BeZero(), got.stderr)
	installed := filepath.Join(work, "proxychaos")
	g.Expect(start(t, folder, clean(), installed, "version").stdout).To(HavePrefix("proxychaos " + released.Version + " "))

	got = start(t, folder, clean("CI=true"), installed, "run", "alb-ip-rotate", "--proxy", "goproxy")
	gaveTheTable(g, got, folder)
	g.Expect(got.stdout).To(ContainSubstring(released.Version), "the version of the bundled proxy")
}

// The image does the same with the engine's socket and the network of the machine.
func TestImageRunsAScenario(t *testing.T) {
	// make test-long: a run from the image, with the engine's socket
	if testing.Short() {
		t.Skip("makes an image and runs two cells")
	}
	g := NewWithT(t)
	build, folder := t.TempDir(), t.TempDir()
	content, err := os.ReadFile(program)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(os.Mkdir(filepath.Join(build, "bin"), 0o755)).To(Succeed())
	g.Expect(os.WriteFile(filepath.Join(build, "bin", "proxychaos"), content, 0o755)).To(Succeed()) //nolint:gosec // a program
	dockerfile, err := filepath.Abs("Dockerfile")
	g.Expect(err).NotTo(HaveOccurred())
	got := start(t, build, clean(), "docker", "build", "-q", "-f", dockerfile, ".")
	g.Expect(got.code).To(BeZero(), got.stderr)
	image := strings.TrimSpace(got.stdout)
	t.Cleanup(func() {
		// The test's own context has ended by now.
		if out, err := exec.Command("docker", "rmi", "-f", image).CombinedOutput(); err != nil { //nolint:noctx // see above
			t.Errorf("remove the image: %v\n%s", err, out)
		}
	})
	docker := func(network string) ran {
		return start(t, folder, clean(), "docker", "run", "--rm", "--network="+network, "-e", "CI=true",
			"-v", "/var/run/docker.sock:/var/run/docker.sock", "-v", folder+":/work", image, "run", "alb-ip-rotate", "--proxy", "goproxy")
	}
	gaveTheTable(g, docker("host"), folder)
	got = docker("bridge")
	g.Expect(got.code).To(Equal(exitTrouble))
	g.Expect(got.stderr).To(MatchRegexp(`^proxychaos: no Docker engine: .* run proxychaos with --network=host; .*\n$`))
}
