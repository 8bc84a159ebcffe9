package run

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/recording"
)

// manifest is what is known of the cell before its load starts.
func (c *cell) manifest() (recording.Manifest, error) {
	conf, err := c.dir.CopyConfig(c.config.Path)
	if err != nil {
		return recording.Manifest{}, err
	}
	host, err := host()
	if err != nil {
		return recording.Manifest{}, err
	}
	host.Engine = c.opt.engine
	m := recording.Manifest{
		Scenario: c.Scenario.Name, Summary: c.Scenario.Summary,
		Subject: recording.Subject{
			ID: c.Subject.ID(), Kind: string(c.Subject.Kind), Name: c.Subject.Name,
			Role: string(c.Subject.Role), Summary: c.Subject.Summary,
		},
		Plan: c.plan, Began: c.began.UTC(), Testbed: c.opt.testbed, Host: host, Tool: tool(),
		Image: c.image, Config: conf, Replay: c.replay(),
	}
	return m, recording.SaveManifest(c.dir.Path, m)
}

func host() (recording.Host, error) {
	var uts unix.Utsname
	var info unix.Sysinfo_t
	if err := errors.Join(unix.Uname(&uts), unix.Sysinfo(&info)); err != nil {
		return recording.Host{}, fmt.Errorf("asking the kernel for its version and memory: %w", err)
	}
	return recording.Host{
		Cores: runtime.NumCPU(), MemoryMiB: int(info.Totalram * uint64(info.Unit) >> 20),
		Kernel: unix.ByteSliceToString(uts.Release[:]),
	}, nil
}

// tool is the build under way; the commit is left empty outside a checkout.
func tool() recording.Tool {
	t := recording.Tool{Go: runtime.Version()}
	if out, err := exec.Command("git", "rev-parse", "--short=12", "HEAD").Output(); err == nil {
		t.Commit = strings.TrimSpace(string(out))
		changed, err := exec.Command("git", "status", "--porcelain", "--untracked-files=no").Output()
		t.Dirty = err != nil || len(changed) > 0
	}
	return t
}

// replay is the shell line that runs this cell again, with the same phase.
func (c *cell) replay() string {
	set := c.opt.Settings
	line := fmt.Sprintf("make scenario NAME=%s", c.Scenario.Name)
	if c.Subject.Role == harness.Own {
		line += fmt.Sprintf(" PROXY=%s CONFIG=%s", c.Subject.Kind, c.config.Path)
	} else {
		line += " SUBJECT=" + c.Subject.ID()
	}
	standard := harness.DefaultSettings()
	if set.TTL != standard.TTL {
		line += fmt.Sprintf(" TTL=%v", set.TTL)
	}
	if set.Grace != standard.Grace {
		line += fmt.Sprintf(" GRACE=%v", set.Grace)
	}
	if set.Rate != standard.Rate {
		line += fmt.Sprintf(" RATE=%d", set.Rate)
	}
	line += fmt.Sprintf(" SEED=%d", set.Seed)
	for name, value := range map[string]string{"URL_PATH": c.opt.Path, "HOST_HEADER": c.opt.Host} {
		if os.Getenv(name) != "" {
			line += fmt.Sprintf(" %s=%s", name, value)
		}
	}
	return line
}
