package images

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/proxychaos/proxychaos/harness/kind"
	"github.com/proxychaos/proxychaos/harness/lock"
)

// moduleRef is the name of the image of a program that is built from its module. It carries a
// hash of all that decides what is built, but for the version of Go.
func moduleRef(name kind.Name, m kind.Module) string {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%q %q %q %q %q", m.Path, m.Version, m.Package, m.Stamp, m.Program)
	for _, file := range slices.Sorted(maps.Keys(m.Adds)) {
		fmt.Fprintf(&b, "%q %q", file, m.Adds[file])
	}
	sum := sha256.Sum256(b.Bytes())
	return prefix + string(name) + ":" + m.Version + "-" + hex.EncodeToString(sum[:6])
}

// compiledBefore describes the image of a module that an earlier run built.
func (f *Finder) compiledBefore(ctx context.Context, name kind.Name, m kind.Module) (Image, bool, error) {
	img, ok, err := f.local(ctx, kind.Release{Kind: name}, moduleRef(name, m), "built here from its Go module "+m.Path+" "+m.Version)
	img.Notes = m.Notes
	return img, ok, err
}

// fromModule builds the image of a release from the Go module of its program.
func (f *Finder) fromModule(ctx context.Context, r kind.Release, m kind.Module, why string) (Image, error) {
	switch {
	case !f.MayCompile:
		return Image{}, fmt.Errorf("%w: %s: %s; PROXY=%s builds it from its Go module, which takes %s", ErrNotAvailable, r, why, r.Kind, m.Takes)
	case !onPath("go"):
		return Image{}, fmt.Errorf("%w: %s: %s, and without Go it cannot be built from its module", ErrNotAvailable, r, why)
	}
	ref := moduleRef(r.Kind, m)
	unlock, err := lock.Take(ctx, ref)
	if err != nil {
		return Image{}, err
	}
	defer unlock()
	if img, ok, err := f.compiledBefore(ctx, r.Kind, m); ok || err != nil {
		return img, err // another process built it while this one waited
	}
	begin := time.Now()
	f.logf("building %s from its Go module %s %s, which takes %s", r.Kind, m.Path, m.Version, m.Takes)
	program, err := compile(ctx, m)
	if err != nil {
		return Image{}, fmt.Errorf("build %s from its Go module: %w", r.Kind, err)
	}
	root, err := moduleRoot(m, program)
	if err != nil {
		return Image{}, err
	}
	if err := f.importTar(ctx, ref, root, nil); err != nil {
		return Image{}, err
	}
	img, ok, err := f.compiledBefore(ctx, r.Kind, m)
	switch {
	case err != nil:
		return Image{}, err
	case !ok:
		return Image{}, fmt.Errorf("image %s was imported, but the engine does not have it", ref)
	}
	f.logf("built %s %s from its Go module in %.1f s", r.Kind, img.Version, time.Since(begin).Seconds())
	repository, _, _ := cutLast(ref, ":")
	return img, f.removeOld(ctx, repository, func(other string) bool { return other == ref })
}

// compile builds the program of a module and returns it.
func compile(ctx context.Context, m kind.Module) ([]byte, error) {
	dir, err := os.MkdirTemp("", "proxychaos-module-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	// With -json it says what went wrong on its standard output, without a word on the other.
	if _, err := goCommand(ctx, dir, "mod", "download", m.Path+"@"+m.Version); err != nil {
		return nil, err
	}
	got, err := goCommand(ctx, dir, "mod", "download", "-json", m.Path+"@"+m.Version)
	if err != nil {
		return nil, err
	}
	var module struct{ Dir string }
	if err := json.Unmarshal([]byte(got), &module); err != nil || module.Dir == "" {
		return nil, fmt.Errorf("go mod download %s@%s: got %.200q, want the folder of the module", m.Path, m.Version, got)
	}
	// The module's own folder cannot be written to, and other programs share it.
	source := filepath.Join(dir, "source")
	if err := os.CopyFS(source, os.DirFS(module.Dir)); err != nil {
		return nil, fmt.Errorf("copy the module: %w", err)
	}
	for name, content := range m.Adds {
		file := filepath.Join(source, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			return nil, err
		}
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			return nil, err
		}
	}
	out := filepath.Join(dir, "program")
	stamp := "-s -w -X " + m.Stamp + "=" + strings.TrimPrefix(m.Version, "v")
	if _, err := goCommand(ctx, source, "build", "-trimpath", "-mod=readonly", "-ldflags", stamp, "-o", out, m.Package); err != nil {
		return nil, err
	}
	return os.ReadFile(out)
}

// moduleRoot is the root file system of an image with the program and nothing that it
// does not need.
func moduleRoot(m kind.Module, program []byte) (*bytes.Buffer, error) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	err := writeEntries(w, []entry{
		{name: "etc/passwd", mode: 0o644, content: []byte(kitPasswd)},
		{name: "tmp/", mode: 0o1777},
		{name: m.Program, mode: 0o755, content: program},
	})
	return &b, errors.Join(err, w.Close())
}
