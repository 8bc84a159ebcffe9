package images

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/proxychaos/proxychaos/harness/lock"
)

// kitRepository holds the images of the project's own agents.
const kitRepository = prefix + "kit"

// kitPasswd names the users that the engine may be asked to run an agent as.
const kitPasswd = "root:x:0:0:root:/:/proxychaos\nnobody:x:65534:65534:nobody:/:/proxychaos\n"

// Build compiles cmd/proxychaos, as the module that holds the folder dir has it, for a
// container of this machine's architecture, to the file out, an absolute path. It is built in its own module:
// the one of dir need not know what only the command depends on.
func Build(ctx context.Context, dir, out string) error {
	module, err := goCommand(ctx, dir, "list", "-mod=readonly", "-m", "-f", "{{.Dir}}", "github.com/proxychaos/proxychaos")
	if err != nil {
		return fmt.Errorf("find the module of cmd/proxychaos from %q: %w", dir, err)
	}
	_, err = goCommand(ctx, module, "build", "-trimpath", "-mod=readonly", "-ldflags", "-s -w", "-o", out, "./cmd/proxychaos")
	return err
}

// goCommand runs the go tool in a folder and returns what it printed, without the line's end.
func goCommand(ctx context.Context, dir string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", args...) //nolint:gosec // fixed program
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux")
	var printed, complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = &printed, &complaint
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("go %s: %w:\n%s", args[0], err, complaint.Bytes())
	}
	return strings.TrimSpace(printed.String()), nil
}

// Kit makes the image that holds the binary at /proxychaos, with the libraries that it is
// linked with if it is not static, /etc/passwd and /tmp, and returns its name. The name carries
// a hash of the content: an image that is there is not made again. Earlier kits
// that nothing uses are removed.
//
// With binary empty, cmd/proxychaos is built from the module of the working
// folder.
func (f *Finder) Kit(ctx context.Context, binary string) (string, error) {
	if binary == "" {
		dir, err := os.MkdirTemp("", "proxychaos-kit-")
		if err != nil {
			return "", fmt.Errorf("folder for the kit binary: %w", err)
		}
		defer func() { _ = os.RemoveAll(dir) }()
		binary = filepath.Join(dir, "proxychaos")
		if err := Build(ctx, ".", binary); err != nil {
			return "", err
		}
	}
	content, err := os.ReadFile(binary) //nolint:gosec // the caller's choice
	if err != nil {
		return "", fmt.Errorf("kit binary: %w", err)
	}
	linked, err := libraries(ctx, binary, content)
	if err != nil {
		return "", fmt.Errorf("kit binary %s: %w", binary, err)
	}
	files := append([]entry{
		{name: "etc/passwd", mode: 0o644, content: []byte(kitPasswd)},
		{name: "tmp/", mode: 0o1777},
		{name: "proxychaos", mode: 0o755, content: content},
	}, linked...)
	hash := sha256.New()
	for _, e := range files {
		fmt.Fprintf(hash, "%s %o %d\n", e.name, e.mode, len(e.content))
		_, _ = hash.Write(e.content) // a hash never fails to write
	}
	sum := hash.Sum(nil)
	ref := kitRepository + ":" + hex.EncodeToString(sum[:8])

	begin := time.Now()
	unlock, err := lock.Take(ctx, kitRepository)
	if err != nil {
		return "", err
	}
	defer unlock()
	if _, ok, err := f.present(ctx, ref); ok || err != nil {
		return ref, err
	}
	if err := f.importTar(ctx, ref, kitTar(files), []string{`ENTRYPOINT ["/proxychaos"]`, "ENV PATH=/"}); err != nil {
		return "", err
	}
	f.logf("made the kit image in %.1f s (%.1f MB)", time.Since(begin).Seconds(), float64(len(content))/1e6)
	return ref, f.removeOld(ctx, kitRepository, func(other string) bool { return other == ref })
}

// kitTar streams the kit's root file system. Times are zero: the same files give the
// same image layer.
func kitTar(files []entry) io.Reader {
	r, w := io.Pipe()
	go func() {
		t := tar.NewWriter(w)
		err := writeEntries(t, files)
		if err == nil {
			err = t.Close()
		}
		w.CloseWithError(err)
	}()
	return r
}
