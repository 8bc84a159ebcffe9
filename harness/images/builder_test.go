package images

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	. "github.com/onsi/gomega"
)

// TestBuilderIsInstalledOnce has six images wait for the builder at once. The apt-get
// of this test installs it as the real one does, and leaves a line for each call.
func TestBuilderIsInstalledOnce(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root installs packages")
	}
	g := NewWithT(t)
	dir := t.TempDir()
	calls := filepath.Join(dir, "calls")
	install := "#!/bin/sh\necho \"$1\" >>" + calls + "\n[ \"$1\" = install ] && printf '#!/bin/sh\\n' >" + dir + "/mmdebstrap && /bin/chmod +x " + dir + "/mmdebstrap\nexit 0\n"
	g.Expect(os.WriteFile(filepath.Join(dir, "apt-get"), []byte(install), 0o700)).To(Succeed())
	t.Setenv("PATH", dir)

	f := New(nil, &bytes.Buffer{}, nil)
	g.Expect(f.haveBuilder(t.Context(), "nginx")).To(MatchError(ContainSubstring("apt-get install mmdebstrap")), "it was not asked to install anything")
	f.MayInstall = true
	var images sync.WaitGroup
	for range 6 {
		images.Go(func() {
			if err := f.haveBuilder(t.Context(), "nginx: no registry answers"); err != nil {
				t.Error(err)
			}
		})
	}
	images.Wait()
	told, err := os.ReadFile(calls)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(strings.Fields(string(told))).To(Equal([]string{"update", "install"}))
}
