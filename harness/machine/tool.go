// Package machine says where something was run and with what: what a reader
// needs to judge a figure or to repeat a run.
package machine

import (
	"context"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/proxychaos/proxychaos/harness/recording"
)

// module is what this project is imported as.
const module = "github.com/proxychaos/proxychaos"

// Tool is the build under way: its commit, or its version if it was installed as a
// module. A test of the project's own knows neither, and asks the folder that it runs in:
// for any other program that could be somebody else's repository.
func Tool(ctx context.Context) recording.Tool {
	t := recording.Tool{Go: runtime.Version()}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return t
	}
	if t.Commit, t.Dirty = built(info); t.Commit != "" || info.Main.Path != module || !strings.HasSuffix(info.Path, ".test") {
		return t
	}
	if out, err := exec.CommandContext(ctx, "git", "rev-parse", "--short=12", "HEAD").Output(); err == nil {
		t.Commit = strings.TrimSpace(string(out))
		changed, err := exec.CommandContext(ctx, "git", "status", "--porcelain", "--untracked-files=no").Output()
		t.Dirty = err != nil || len(changed) > 0
	}
	return t
}

// built is the commit or the version that a build says it is of; empty if it does not.
func built(info *debug.BuildInfo) (commit string, dirty bool) {
	if info.Main.Path != module {
		for _, dep := range info.Deps {
			if dep.Path == module && dep.Replace == nil {
				return dep.Version, false
			}
		}
		return "", false
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			commit = s.Value[:min(12, len(s.Value))]
		case "vcs.modified":
			dirty = s.Value == "true"
		}
	}
	if commit == "" && info.Main.Version != "(devel)" {
		commit = info.Main.Version
	}
	return commit, dirty
}
