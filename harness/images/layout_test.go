package images

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/proxychaos/proxychaos/harness/kind"
)

// A folder has the mode that the recipe says, whether a package has it or not; the packages' other
// folders, and a file in such a folder, have theirs.
func TestFoldersHaveTheModeOfTheRecipe(t *testing.T) {
	rec := recipe{kind.Recipe{Entries: []kind.Entry{{Name: "var/spool/proxy/", Mode: 0o777}, {Name: "run/proxy/", Mode: 0o777}, {Name: "etc/proxy/", Mode: 0o755}}}}
	in := tarOf(t, []entry{
		{name: "./var/spool/proxy/", mode: 0o750}, {name: "./var/spool/proxy/state", mode: 0o640, content: []byte("x")},
		{name: "./var/spool/other/", mode: 0o700}, {name: "./etc/proxy/", mode: 0o700}, {name: "./tmp/", mode: 0o1777},
	})
	var out bytes.Buffer
	if _, err := layOut(in, &out, rec); err != nil {
		t.Fatal(err)
	}
	got := map[string]int64{}
	for r := tar.NewReader(&out); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		name := strings.Trim(strings.TrimPrefix(h.Name, "./"), "/")
		if _, twice := got[name]; twice {
			t.Errorf("%s stands twice", name)
		}
		got[name] = h.Mode
	}
	for name, want := range map[string]int64{
		"var/spool/proxy": 0o777, "var/spool/proxy/state": 0o640, "var/spool/other": 0o700, "run/proxy": 0o777, "etc/proxy": 0o755, "tmp": 0o1777,
	} {
		if got[name] != want {
			t.Errorf("%s has the mode %o, want %o", name, got[name], want)
		}
	}
}
