package engine

import (
	"fmt"
	"os"
	"strings"

	"github.com/moby/moby/client"
)

// SetTestcontainersEnv sets what testcontainers-go v0.44.0 reads from the
// environment. It reads them once, so this comes before its first call.
//
//   - DOCKER_HOST: the engine that was found, so that testcontainers does not
//     look for one by rules of its own (~/.testcontainers.properties).
//   - TESTCONTAINERS_RYUK_DISABLED=true: its reaper is an image of a public
//     registry; package reaper cleans up instead. Only the word true counts.
//   - TESTCONTAINERS_HOST_OVERRIDE=127.0.0.1, for an engine on this machine:
//     a machine with /.dockerenv (a CI job in a container) would otherwise
//     have its default gateway dialled in place of the published port.
//     A value that the user set is kept.
func (e Engine) SetTestcontainersEnv() error {
	env := map[string]string{
		client.EnvOverrideHost:         e.Host,
		"TESTCONTAINERS_RYUK_DISABLED": "true",
	}
	const override = "TESTCONTAINERS_HOST_OVERRIDE"
	if strings.HasPrefix(e.Host, "unix://") && os.Getenv(override) == "" {
		env[override] = "127.0.0.1"
	}
	for name, value := range env {
		if err := os.Setenv(name, value); err != nil {
			return fmt.Errorf("set %s for testcontainers: %w", name, err)
		}
	}
	return nil
}
