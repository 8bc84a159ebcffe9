package images

import (
	"archive/tar"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	. "github.com/onsi/gomega"
	"golang.org/x/mod/module"
	"golang.org/x/mod/zip"

	"github.com/proxychaos/proxychaos/harness/kind"
)

// hello is a module whose go.mod replaces another one by a folder that its archive lacks, as
// Traefik's does, and that is served from a folder.
func hello(t *testing.T) kind.Module {
	t.Helper()
	g := NewWithT(t)
	source, proxy := t.TempDir(), t.TempDir()
	for name, content := range map[string]string{
		"go.mod": "module example.com/hello\n\ngo 1.26\n\nrequire example.com/more v0.0.0\n\nreplace example.com/more => ./more\n",
		"cmd/hello/main.go": "package main\n\nimport (\n\t\"fmt\"\n\n\t\"example.com/more\"\n)\n\nvar version = \"dev\"\n\n" +
			"func main() { fmt.Println(\"Version:\", version, more.Word) }\n",
	} {
		file := filepath.Join(source, name)
		g.Expect(os.MkdirAll(filepath.Dir(file), 0o700)).To(Succeed())
		g.Expect(os.WriteFile(file, []byte(content), 0o600)).To(Succeed())
	}
	versions := filepath.Join(proxy, "example.com/hello/@v")
	g.Expect(os.MkdirAll(versions, 0o700)).To(Succeed())
	at := module.Version{Path: "example.com/hello", Version: "v1.2.3"}
	archive, err := os.Create(filepath.Join(versions, "v1.2.3.zip")) //nolint:gosec // a folder of this test
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(errors.Join(zip.CreateFromDir(archive, at, source), archive.Close())).To(Succeed())
	mod, err := os.ReadFile(filepath.Join(source, "go.mod")) //nolint:gosec // the same
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(os.WriteFile(filepath.Join(versions, "v1.2.3.mod"), mod, 0o600)).To(Succeed())
	g.Expect(os.WriteFile(filepath.Join(versions, "v1.2.3.info"), []byte(`{"Version":"v1.2.3"}`), 0o600)).To(Succeed())
	t.Setenv("GOPROXY", "file://"+proxy)
	t.Setenv("GONOSUMDB", "*")
	t.Setenv("GOFLAGS", "-modcacherw")
	t.Setenv("GOMODCACHE", t.TempDir())
	return kind.Module{
		Path: "example.com/hello", Version: "v1.2.3", Package: "./cmd/hello", Stamp: "main.version", Program: "usr/local/bin/hello",
		Adds: map[string]string{"more/go.mod": "module example.com/more\n\ngo 1.26\n", "more/more.go": "package more\n\nconst Word = \"and more\"\n"},
	}
}

func TestAProgramIsBuiltFromItsModule(t *testing.T) {
	g := NewWithT(t)
	m := hello(t)
	program, err := compile(t.Context(), m)
	g.Expect(err).NotTo(HaveOccurred())
	file := filepath.Join(t.TempDir(), "hello")
	g.Expect(os.WriteFile(file, program, 0o700)).To(Succeed()) //nolint:gosec // it is run
	said, err := exec.CommandContext(t.Context(), file).Output()
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(string(said)).To(Equal("Version: 1.2.3 and more\n"))

	root, err := moduleRoot(m, program)
	g.Expect(err).NotTo(HaveOccurred())
	for r := tar.NewReader(root); ; {
		h, err := r.Next()
		g.Expect(err).NotTo(HaveOccurred(), "the program is in the image")
		if h.Name != m.Program {
			continue
		}
		content, err := io.ReadAll(r)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(content).To(Equal(program))
		g.Expect(h.Mode).To(Equal(int64(0o755)))
		break
	}

	m.Adds = nil
	_, err = compile(t.Context(), m)
	g.Expect(err).To(MatchError(ContainSubstring("more")), "what go says of it")
	m.Version = "v1.2.4"
	_, err = compile(t.Context(), m)
	g.Expect(err).To(MatchError(ContainSubstring("v1.2.4")))
}

// What takes minutes is done only for whoever asks for it.
func TestNothingIsCompiledUnasked(t *testing.T) {
	g := NewWithT(t)
	f, log := finder(t)
	t.Setenv("TRAEFIK_IMAGE", "")
	_, err := f.fromModule(t.Context(), release(t, kind.Traefik, "stable"), *kindOf(t, kind.Traefik).Image.Module, "no registry answers")
	g.Expect(errors.Is(err, ErrNotAvailable)).To(BeTrue(), "got %v", err)
	g.Expect(err).To(MatchError(And(ContainSubstring("no registry answers; PROXY=traefik builds it"), ContainSubstring("minutes"))))

	f.MayCompile = true
	t.Setenv("PATH", t.TempDir())
	_, err = f.fromModule(t.Context(), release(t, kind.Traefik, "stable"), *kindOf(t, kind.Traefik).Image.Module, "no registry answers")
	g.Expect(errors.Is(err, ErrNotAvailable)).To(BeTrue(), "got %v", err)
	g.Expect(err).To(MatchError(ContainSubstring("without Go")))
	g.Expect(log.String()).To(BeEmpty())
}

// The image of one build is not taken for another's.
func TestModulesHaveDifferentNamesForDifferentContent(t *testing.T) {
	g := NewWithT(t)
	m := *kindOf(t, kind.Traefik).Image.Module
	name := moduleRef(kind.Traefik, m)
	g.Expect(name).To(MatchRegexp(`^localhost:1/proxychaos/traefik:v[0-9.]+-[0-9a-f]{12}$`))
	g.Expect(moduleRef(kind.Traefik, m)).To(Equal(name))
	m.Adds = map[string]string{"x": "y"}
	g.Expect(moduleRef(kind.Traefik, m)).NotTo(Equal(name))
}
