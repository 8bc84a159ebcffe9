package machine

import (
	"runtime/debug"
	"testing"
)

func TestBuilt(t *testing.T) {
	const other = "example.com/ours"
	revision := []debug.BuildSetting{{Key: "vcs.revision", Value: "0123456789abcdef0123"}, {Key: "vcs.modified", Value: "true"}}
	for name, tc := range map[string]struct {
		info   debug.BuildInfo
		commit string
		dirty  bool
	}{
		"go build in a checkout": {debug.BuildInfo{Main: debug.Module{Path: module, Version: "v0.0.0-1"}, Settings: revision}, "0123456789ab", true},
		"go install":             {debug.BuildInfo{Main: debug.Module{Path: module, Version: "v0.1.0"}}, "v0.1.0", false},
		"go test":                {debug.BuildInfo{Main: debug.Module{Path: module, Version: "(devel)"}}, "", false},
		"somebody else's test": {
			debug.BuildInfo{Main: debug.Module{Path: other}, Settings: revision, Deps: []*debug.Module{{Path: "x"}, {Path: module, Version: "v0.2.0"}}},
			"v0.2.0", false,
		},
		"somebody else's test, of a checkout": {
			debug.BuildInfo{Main: debug.Module{Path: other}, Deps: []*debug.Module{{Path: module, Version: "v0.0.0", Replace: &debug.Module{Path: "../.."}}}},
			"", false,
		},
	} {
		if commit, dirty := built(&tc.info); commit != tc.commit || dirty != tc.dirty {
			t.Errorf("%s: got %q, dirty %t, want %q, %t", name, commit, dirty, tc.commit, tc.dirty)
		}
	}
}
