package run

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/recording"
)

// manifest is what is known of the cell before its load starts.
func (c *cell) manifest(ctx context.Context) (recording.Manifest, error) {
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
		Plan: c.plan, Began: c.began.UTC(), Testbed: c.opt.testbed, Host: host, Tool: tool(ctx),
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
func tool(ctx context.Context) recording.Tool {
	t := recording.Tool{Go: runtime.Version()}
	if out, err := exec.CommandContext(ctx, "git", "rev-parse", "--short=12", "HEAD").Output(); err == nil {
		t.Commit = strings.TrimSpace(string(out))
		changed, err := exec.CommandContext(ctx, "git", "status", "--porcelain", "--untracked-files=no").Output()
		t.Dirty = err != nil || len(changed) > 0
	}
	return t
}

// replay is the shell line that runs this cell again, with the same phase.
func (c *cell) replay() string {
	set, standard := c.opt.Settings, harness.DefaultSettings()
	line := "make scenario NAME=" + c.Scenario.Name
	add := func(differs bool, name string, value any) {
		if differs {
			line += " " + name + "=" + quoted(fmt.Sprint(value))
		}
	}
	own := c.Subject.Role == harness.Own
	add(!own, "SUBJECT", c.Subject.ID())
	add(own, "PROXY", c.Subject.Kind)
	add(own, "CONFIG", c.config.Path)
	add(own && c.Subject.Release != "" && c.Subject.Release != harness.Stable, "RELEASE", c.Subject.Release)
	add(set.TTL != standard.TTL, "TTL", set.TTL)
	add(set.Grace != standard.Grace, "GRACE", set.Grace)
	add(set.Rate != standard.Rate, "RATE", set.Rate)
	add(true, "SEED", set.Seed)
	add(c.opt.Path != DefaultPath, "URL_PATH", c.opt.Path)
	add(c.opt.Host != DefaultHost, "HOST_HEADER", c.opt.Host)
	add(c.opt.Port != 0, "PROXY_PORT", c.opt.Port)
	return line
}

// What is asked for where the user does not say.
const (
	DefaultPath = "/"
	DefaultHost = "www.example.com"
)

// plain needs no quotes in a shell.
var plain = regexp.MustCompile(`^[A-Za-z0-9_./:@%+=,-]+$`)

// quoted is one word of a shell.
func quoted(word string) string {
	if plain.MatchString(word) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
