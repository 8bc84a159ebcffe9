package main

import (
	"os"
	"path/filepath"
	"testing"

	. "github.com/onsi/gomega"
)

// What Ginkgo prints is shown only if the table does not say it too.
func TestSuiteShowsGinkgoOnlyIfItSaysMore(t *testing.T) {
	for name, tc := range map[string]struct{ does, want string }{
		"the table says all":  {`echo table >"$TABLE"; : >"$TABLE.told"`, "table\n"},
		"it was interrupted":  {`echo table >"$TABLE"`, "ginkgo\ntable\n"},
		"it came to no table": {`:`, "ginkgo\n"},
	} {
		tc.does += `; echo cell >"$PROGRESS"`
		g := NewWithT(t)
		dir := t.TempDir()
		script := "#!/bin/sh\necho ginkgo\necho 'go: downloading' >&2\n" + tc.does + "\nexit 7\n"
		g.Expect(os.WriteFile(filepath.Join(dir, "go"), []byte(script), 0o755)).To(Succeed()) //nolint:gosec // a program
		got := start(t, root, clean("GO="+filepath.Join(dir, "go")), "sh", ".ci/suite", "x.test")
		g.Expect(got.code).To(Equal(7), name)
		g.Expect(got.stdout).To(Equal(tc.want), name)
		g.Expect(got.stderr).To(And(ContainSubstring("go: downloading\n"), ContainSubstring("cell\n")), name)
	}
}
