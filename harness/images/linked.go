package images

import (
	"bytes"
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
)

// libraries are the loader and the shared libraries that a program is linked with, at
// their places on this machine; none if it is static. `go install` links with the C
// library where there is a C compiler.
func libraries(ctx context.Context, path string, content []byte) ([]entry, error) {
	loader, err := loaderOf(content)
	if err != nil || loader == "" {
		return nil, err
	}
	// Both glibc's loader and musl's answer this, and run nothing of the program.
	listed, err := exec.CommandContext(ctx, loader, "--list", path).Output() //nolint:gosec // the program's own loader
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			err = fmt.Errorf("%w: %s", err, bytes.TrimSpace(exit.Stderr))
		}
		return nil, fmt.Errorf("it is linked with libraries that %s does not name: %w; build it with CGO_ENABLED=0", loader, err)
	}
	var files []entry
	for _, place := range places(loader, string(listed)) {
		library, err := os.ReadFile(place) //nolint:gosec // named by the loader
		if err != nil {
			return nil, fmt.Errorf("a library that it is linked with: %w", err)
		}
		files = append(files, entry{name: strings.TrimPrefix(place, "/"), mode: 0o755, content: library})
	}
	return files, nil
}

// loaderOf is the path of the program that loads this one; empty if it is static.
func loaderOf(content []byte) (string, error) {
	bin, err := elf.NewFile(bytes.NewReader(content))
	if err != nil {
		return "", fmt.Errorf("not a Linux program: %w", err)
	}
	for _, p := range bin.Progs {
		if p.Type == elf.PT_INTERP {
			name := make([]byte, p.Filesz)
			if _, err := p.ReadAt(name, 0); err != nil {
				return "", fmt.Errorf("the name of its loader: %w", err)
			}
			return string(bytes.TrimRight(name, "\x00")), nil
		}
	}
	return "", nil
}

// placeOf is where a line of the loader's list says that a library is: "libc.so.6 =>
// /lib/x86_64-linux-gnu/libc.so.6 (0x7f...)". The kernel's own has no place.
var placeOf = regexp.MustCompile(`(?m)^\t\S+ => (/\S+) \(0x[0-9a-f]+\)$`)

// places are the loader's own and those of its list, each once: musl's loader is the C
// library too.
func places(loader, list string) []string {
	found := []string{loader}
	for _, m := range placeOf.FindAllStringSubmatch(list, -1) {
		if !slices.Contains(found, m[1]) {
			found = append(found, m[1])
		}
	}
	return found
}
