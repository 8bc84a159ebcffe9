package peer

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
)

// Module is a program that is built from its Go module.
type Module struct {
	Package string // of the command
	Version string
}

// The peers that are not in Debian, or too old there.
var (
	CoreDNS   = Module{"github.com/coredns/coredns", "v1.15.0"}
	Toxiproxy = Module{"github.com/Shopify/toxiproxy/v2/cmd/server", "v2.12.0"}
	Caddy     = Module{"github.com/caddyserver/caddy/v2/cmd/caddy", "v2.11.9"}
	GoHTTPBin = Module{"github.com/mccutchen/go-httpbin/v2/cmd/go-httpbin", "v2.26.0"}
)

// Cache is the folder of built peers: below the user's cache, one folder a
// version, so that a second run builds nothing.
func Cache() (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("folder for built peers: %w", err)
	}
	return filepath.Join(dir, "proxychaos", "bench"), nil
}

// install returns the path of the built command, building it if it is not
// there. The build runs in an empty folder, so that this module's versions do
// not mix with the peer's own.
func (s *Shop) install(ctx context.Context, m Module) (string, error) {
	name := path.Base(m.Package)
	dir := filepath.Join(s.Cache, name+"@"+m.Version)
	program := filepath.Join(dir, name)
	if _, err := os.Stat(program); err == nil {
		return program, nil
	}
	empty, err := os.MkdirTemp(s.Dir, "build-")
	if err != nil {
		return "", fmt.Errorf("folder to build %s in: %w", name, err)
	}
	s.say("building %s %s; a later run finds it in %s", m.Package, m.Version, dir)
	cmd := exec.CommandContext(ctx, "go", "install", m.Package+"@"+m.Version)
	cmd.Dir = empty
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "CGO_ENABLED=0", "GOBIN="+dir)
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build %s %s: %w: %s", m.Package, m.Version, err, out)
	}
	return program, nil
}
