package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	. "github.com/onsi/gomega"
)

// On macOS the command is there for what needs no Linux network: the fakes, goproxy, report,
// recheck, list, migrate.
func TestItBuildsForMacOS(t *testing.T) {
	// make test-long: the command for macOS
	if testing.Short() {
		t.Skip("compiles everything once more")
	}
	g := NewWithT(t)
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", filepath.Join(t.TempDir(), "proxychaos"), ".")
	cmd.Env = append(os.Environ(), "GOOS=darwin", "GOARCH=arm64", "CGO_ENABLED=0")
	said, err := cmd.CombinedOutput()
	g.Expect(err).NotTo(HaveOccurred(), string(said))
}
